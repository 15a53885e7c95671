"""The truth about a vault: one SQLite database, and the vector index that is a cache of it."""
