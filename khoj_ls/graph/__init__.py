"""What notes are to each other: links and backlinks, told from the store at every question."""
