"""Retrieval: a query in, ranked passages out. Reads the store; knows neither editors nor how notes are parsed."""
