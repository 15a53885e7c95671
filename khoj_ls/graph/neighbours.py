"""The notes nearest in meaning to a note or a place in it, by stored vectors alone: fast enough for a hover.

`search.related` weighs words too and cuts passages; this is one look at the vector index.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from khoj_ls.core.places import Place
from khoj_ls.core.types import Vector
from khoj_ls.search.context import SearchContext
from khoj_ls.search.dense import nearest_texts
from khoj_ls.search.linked import linked_files
from khoj_ls.store import links as store
from khoj_ls.store.chunks import ChunkRow, chunks_of_file
from khoj_ls.store.entries import placed
from khoj_ls.store.fts import display_title
from khoj_ls.store.note_chunks import HeldChunk

_POOL = 40
_BOILERPLATE = 3
"""A passage that stands word for word in more notes than this says nothing about any of them."""


@dataclass(frozen=True)
class Neighbour:
    """A note, and its passage that is nearest."""

    path: str
    title: str
    heading: str
    """Of the entry that the passage begins in; empty before any heading."""
    line: int
    """1-based line on which the passage begins."""
    score: float
    """Cosine, 0..1."""
    linked: bool
    """Whether one of the two notes links the other."""
    place: Place | None = None
    """Where it stands in a file with pages, rows or cells."""


def neighbours(
    connection: sqlite3.Connection, context: SearchContext, path: str, line: int | None, limit: int
) -> list[Neighbour]:
    """The nearest notes, one passage each, never the note itself; none while it has no vector.

    Without a `line` the note as a whole is compared, else the passage that holds it.
    """
    known = store.file_at(connection, path)
    if known is None or context.model is None or context.index is None:
        return []
    chunks = chunks_of_file(connection, context.model, known[0])
    here = [chunk for chunk in chunks if line is None or chunk.span.line <= line <= chunk.span.end_line] or chunks
    vector = _mean(context, here)
    if vector is None:
        return []
    reader = context.chunks.of(connection, context.model)
    nearest = nearest_texts(context.index.search, reader, vector, _POOL + len(chunks))
    found = reader.of_embeddings([embedding for embedding, _ in nearest])
    best: dict[int, tuple[float, HeldChunk]] = {}
    for embedding, cosine in nearest:
        passages = found.get(embedding, [])
        if len({chunk.file_id for chunk in passages}) > _BOILERPLATE:
            continue
        for chunk in passages:
            if chunk.file_id != known[0] and chunk.file_id not in best:
                best[chunk.file_id] = (min(1.0, max(0.0, cosine)), chunk)
    return _shown(connection, context, known[0], list(best.values()), limit)


def _mean(context: SearchContext, chunks: Sequence[ChunkRow]) -> Vector | None:
    import numpy as np

    hashes = list(dict.fromkeys(chunk.hash for chunk in chunks))
    vectors = context.index.vectors(hashes) if context.index is not None and hashes else {}
    if not vectors:
        return None
    mean = np.frombuffer(b"".join(vectors.values()), np.float32).reshape(len(vectors), -1).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return (mean / length).astype(np.float32).tobytes() if length > 0 else None


def _shown(
    connection: sqlite3.Connection, context: SearchContext, file_id: int, best: Sequence[tuple[float, HeldChunk]], limit: int
) -> list[Neighbour]:
    """The first `limit` of the `best` that plugins leave."""
    found = best if context.plugins_leave else best[:limit]
    rows = connection.execute(
        "SELECT e.file_id, e.ordinal, e.id, f.path, f.title, e.heading, e.place FROM json_each(?) j "
        "JOIN entry e ON e.file_id = j.value ->> 0 AND e.ordinal = j.value ->> 1 JOIN file f ON f.id = e.file_id",
        (json.dumps([(chunk.file_id, chunk.entry) for _, chunk in found]),),
    )
    named = {(row[0], row[1]): row[2:] for row in rows}
    told = {named[place][0]: score for score, chunk in found if (place := (chunk.file_id, chunk.entry)) in named}
    left = context.left(connection, told)
    linked = linked_files(connection, file_id, [chunk.file_id for _, chunk in found])
    shown = []
    for score, chunk in found:
        if (each := named.get((chunk.file_id, chunk.entry))) is not None and each[0] in left:
            _, path, title, heading, place = each
            line, known = chunk.span.line, chunk.file_id in linked
            shown.append(Neighbour(path, display_title(path, title), heading, line, score, known, placed(place)))
    return shown[:limit]
