"""Settings: one dataclass tree, where each may come from, and the folders the program owns."""
