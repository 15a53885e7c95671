"""Cross-encoders: how well a passage answers a query, read together."""
