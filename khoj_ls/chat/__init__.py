"""Chat with the notes of a vault: grounded in passages, cited, checked; the same engine behind every editor and the shell."""
