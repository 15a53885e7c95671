"""The one long-running process that every editor and shell asks, and the small programs that reach it."""
