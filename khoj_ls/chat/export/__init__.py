"""A conversation as a file of its own."""
