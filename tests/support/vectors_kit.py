"""Notes whose texts have made-up vectors."""

from __future__ import annotations

import random
import struct

from khoj_ls.core.types import Chunk, Entry, ParsedFile, Span
from khoj_ls.store import chunks as store
from khoj_ls.store.files import FileStat, replace_file

DIMENSIONS = 8


def vector(seed: int) -> bytes:
    """Of length 1, in a direction that the seed tells."""
    numbers = random.Random(seed)
    values = [numbers.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = sum(value * value for value in values) ** 0.5
    return struct.pack(f"<{DIMENSIONS}f", *(value / length for value in values))


def vector_of(text: str) -> bytes:
    """The one under which `embed` stores a text."""
    return vector(int.from_bytes(store.chunk_hash(text)[:4], "little"))


def cut(database, model, file_id: int, *texts: str, private: bool = False) -> int:
    """Have a note hold these chunks; returns how many wait for a vector."""
    chunks = [Chunk(0, 0, i, Span(i, i + 1, i + 1, i + 1), text, len(text), private) for i, text in enumerate(texts)]
    with database.write() as connection:
        return store.store_chunks(connection, model, file_id, chunks, 0.0)


def add_note(database, model, path: str, *texts: str, private: bool = False) -> int:
    """Store a note of these chunks."""
    entry = Entry(Span(0, 1, 1, 1), 0, "", (), None, "x", "x")
    with database.write() as connection:
        file_id = replace_file(connection, FileStat(path, 1, 1, 1, 1), path.encode(), ParsedFile("text", None, (entry,)))
    cut(database, model, file_id, *texts, private=private)
    return file_id


def embed(database, model, *texts: str) -> None:
    """Store the vectors of these texts."""
    with database.write() as connection:
        store.store_vectors(connection, model, [(store.chunk_hash(text), vector_of(text)) for text in texts])
