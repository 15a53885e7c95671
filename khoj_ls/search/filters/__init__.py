"""Filters of a query as sets of rows: which entries of the index each of them keeps."""
