"""Bi-encoders: from text to unit vectors, in a worker process of their own."""
