"""Content processors: bytes in, entries out, one file per format; the chunker; the registry. Pure: no disk, no network."""
