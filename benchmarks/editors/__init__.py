"""Measurements in real editors: `python -m benchmarks.editors`."""
