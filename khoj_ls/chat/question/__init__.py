"""What a turn is about: the command it begins with, and what is looked for."""
