"""The plugin door: what others can add, and how it is let in. Built-ins come through it too."""
