"""One file per feature: `register(server)` and nothing shared between them."""
