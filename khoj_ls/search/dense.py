"""Retrieval by meaning: from the nearest vectors to the entries whose text they stand for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from khoj_ls.core.types import Vector
from khoj_ls.search.scope import Scope
from khoj_ls.store.chunks import ActiveModel, ChunkRow, chunks_of_embeddings
from khoj_ls.store.vectors import VectorIndex

_SCOPE_SEARCHED_EXACTLY = 20_000
"""Up to this many entries a filter leaves, their vectors are compared one by one; beyond, HNSW finds enough of them."""
_WIDER = 4
"""How many more neighbours are asked for when a wide filter will drop some."""


class DenseMatch(NamedTuple):
    """The passage of an entry that is nearest to the query."""

    score: float
    """Cosine, clipped to 0..1."""
    chunk: ChunkRow
    covered: tuple[int, ...] = ()
    """Ids of the entries the chunk covers, in source order, when they are several and words found none of them."""


class EntryRef(NamedTuple):
    """Which entry stands where."""

    id: int
    file_id: int
    ordinal: int


def match_meaning(
    connection: sqlite3.Connection,
    model: ActiveModel,
    index: VectorIndex,
    vector: Vector,
    pool: int,
    *,
    scope: Scope | None = None,
    by_words: Mapping[int, float] | None = None,
) -> dict[EntryRef, DenseMatch]:
    """Entries by their nearest passage, of the `pool` nearest vectors and of those of the entries that words found.

    A chunk that covers a small subtree stands for one of its entries: the one that words found best (`by_words`: score by
    entry id), else the outermost. So no passage is two hits.
    """
    known = by_words or {}
    nearest = _nearest(connection, model, index, vector, pool, scope)
    # What words found is compared too: a score that is missing is no score of nothing.
    nearest += _others(connection, model, index, vector, known, {embedding for embedding, _ in nearest})
    chunks = chunks_of_embeddings(connection, model, [embedding for embedding, _ in nearest])
    matches: dict[EntryRef, DenseMatch] = {}
    for embedding, cosine in nearest:
        score = min(1.0, max(0.0, cosine))
        for chunk, covered in chunks.get(embedding, ()):
            allowed = [entry for entry in covered if scope is None or entry[0] in scope.entries]
            if not allowed:
                continue
            entry_id, ordinal = max(allowed, key=lambda entry: (known.get(entry[0], 0.0), -entry[1]))
            entry = EntryRef(entry_id, chunk.file_id, ordinal)
            if entry not in matches or score > matches[entry].score:
                together = tuple(other for other, _ in allowed) if len(allowed) > 1 and entry_id not in known else ()
                matches[entry] = DenseMatch(score, chunk, together)
    return matches


def _others(
    connection: sqlite3.Connection,
    model: ActiveModel,
    index: VectorIndex,
    vector: Vector,
    entries: Iterable[int],
    seen: Collection[int],
) -> list[tuple[int, float]]:
    """The embeddings of `entries` that are not among those `seen`, with their cosines, nearest first."""
    wanted = [embedding for embedding in _embeddings_of(connection, model, entries) if embedding not in seen]
    return index.search_among(vector, wanted, len(wanted)) if wanted else []


def _nearest(
    connection: sqlite3.Connection, model: ActiveModel, index: VectorIndex, vector: Vector, pool: int, scope: Scope | None
) -> list[tuple[int, float]]:
    if scope is None:
        return index.search(vector, pool)
    if len(scope.entries) > _SCOPE_SEARCHED_EXACTLY:
        return index.search(vector, _WIDER * pool)
    return index.search_among(vector, _embeddings_of(connection, model, scope.entries), pool)


def _embeddings_of(connection: sqlite3.Connection, model: ActiveModel, entries: Iterable[int]) -> list[int]:
    """The embeddings of all chunks that cover `entries`."""
    rows = connection.execute(
        "SELECT DISTINCT v.id FROM json_each(?) wanted JOIN entry e ON e.id = wanted.value "
        "JOIN chunk c ON c.file_id = e.file_id AND c.chunker_id = ? AND e.ordinal BETWEEN c.entry AND c.last_entry "
        "JOIN embedding v ON v.model_id = ? AND v.hash = c.hash",
        (json.dumps(list(entries)), model.chunker_id, model.id),
    )
    return [row[0] for row in rows]
