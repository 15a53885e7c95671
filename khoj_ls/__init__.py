"""khoj_ls: search your notes by meaning and by words, in your editor."""

__version__ = "0.1.0"
