"""The notes of a vault as a chat gets them."""
