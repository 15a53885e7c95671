"""Links between notes as plain values: what a target names, what a note is called, where a link leads, how one is written."""
