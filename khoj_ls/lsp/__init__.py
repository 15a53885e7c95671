"""The Language Server Protocol face: the only room that imports pygls and lsprotocol."""
