"""What becomes of an answer on its way to the user: streamed, made harmless, checked against its sources."""
