"""Values and protocols that every floor shares. Standard library only."""
