"""From files and unsaved buffers to a complete index: what is read, when, and by whom."""
