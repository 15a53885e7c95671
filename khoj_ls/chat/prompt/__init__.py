"""What a model is told, within its window, and in a way that no text can pass for anything but text."""
