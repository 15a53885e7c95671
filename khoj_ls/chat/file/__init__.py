"""A chat as a file that any editor continues, and what of an answer goes into a note."""
