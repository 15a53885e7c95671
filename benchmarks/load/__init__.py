"""Much at once: many editors, many changed files, huge notes. Each runs alone: `python -m benchmarks.load.sessions --help`."""
