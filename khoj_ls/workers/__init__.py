"""Child processes that speak length-prefixed MessagePack: where code runs that may block, bloat, hang or crash."""
