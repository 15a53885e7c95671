"""The conversations of a vault: kept as they arrive, found again, exported."""
