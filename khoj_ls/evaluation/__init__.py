"""How good the search is: retrieval sets and people's own questions, asked of the real pipeline, with figures."""
