"""Retrieval by meaning: from the nearest vectors to the entries whose text they stand for."""

from __future__ import annotations

import json
import math
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from khoj_ls.core.types import Span, Vector
from khoj_ls.search.ahead import NearestAhead
from khoj_ls.search.chunk_cache import ChunkCache, ChunkReader
from khoj_ls.search.filters.cache import ScopeCache
from khoj_ls.search.scope import Scope
from khoj_ls.store.chunks import ActiveModel
from khoj_ls.store.note_chunks import HeldChunk, HeldChunks
from khoj_ls.store.vectors import VectorIndex

_NARROW = 12
"""So many times cheaper an entry of the scope is to compare than a neighbour is to find and to look up."""
_WIDER = 1.5
"""How many more neighbours are asked for than would do, where a wide filter drops some; and again while they do not."""
_WIDER_STILL = 4


Look = Callable[[Vector, int], list[tuple[int, float]]]
"""Finds so many nearest embeddings as (id, cosine), nearest first."""


class FoundChunk(Protocol):
    """What is to know of a chunk that was found."""

    @property
    def id(self) -> int:
        """Of the chunk."""
        ...

    @property
    def span(self) -> Span:
        """Where in the file it stands."""
        ...


class DenseMatch(NamedTuple):
    """The passage of an entry that is nearest to the query."""

    score: float
    """Cosine, clipped to 0..1."""
    chunk: FoundChunk
    covered: tuple[int, ...] = ()
    """Ids of the entries the chunk covers, in source order, when they are several and words found none of them."""


class EntryRef(NamedTuple):
    """Which entry stands where."""

    id: int
    file_id: int
    ordinal: int


class Standing(NamedTuple):
    """Chunks, and the entry for which each stands."""

    embeddings: Sequence[int]
    """The vector of each."""
    chunks: Sequence[tuple[EntryRef, HeldChunk, tuple[int, ...]]]
    """The entry, the chunk, and what it covers, as a DenseMatch tells it."""


NOTHING = Standing((), ())


def standing_for(held: HeldChunks, scope: Scope | None, by_words: Mapping[int, float]) -> Standing:
    """The entry for which each of some chunks stands, without those that cover none of the scope.

    A chunk that covers a small subtree stands for one of its entries: the one that words found best (`by_words`: score by
    entry id), else the outermost. So no passage is two hits.
    """
    embeddings: list[int] = []
    chunks: list[tuple[EntryRef, HeldChunk, tuple[int, ...]]] = []
    for embedding, places in held.items():
        for chunk in places:
            note, place = chunk
            covered, first = note.covered(place), note.first(place)
            allowed = [(entry, ordinal) for ordinal, entry in enumerate(covered, first) if scope is None or entry in scope.rows]
            if not allowed:
                continue
            entry_id, ordinal = max(allowed, key=lambda each: (by_words.get(each[0], 0.0), -each[1]))
            together = tuple(other for other, _ in allowed) if len(allowed) > 1 and entry_id not in by_words else ()
            embeddings.append(embedding)
            chunks.append((EntryRef(entry_id, note.file_id, ordinal), chunk, together))
    return Standing(array("q", embeddings), chunks)


def match_meaning(
    connection: sqlite3.Connection,
    model: ActiveModel,
    index: VectorIndex,
    vector: Vector,
    pool: int,
    *,
    scope: Scope | None = None,
    by_words: Mapping[int, float] = MappingProxyType({}),
    others: Standing = NOTHING,
    scopes: ScopeCache | None = None,
    reader: ChunkReader | None = None,
    ahead: NearestAhead | None = None,
) -> dict[EntryRef, DenseMatch]:
    """Entries by their nearest passage, of the `pool` nearest vectors and of `others`: what words found is compared as well.

    Which entry a chunk stands for see `standing_for`. Which vectors belong to a narrow scope is remembered in `scopes`, what
    the nearest stand for by `reader`; `ahead` may have found some already.
    """
    reader = reader or ChunkCache().of(connection, model)
    look = ahead.search if ahead else index.search
    cosines = dict(_nearest(connection, model, index, look, vector, pool, scope, scopes or ScopeCache(), reader))
    found = standing_for(reader.of_embeddings(list(cosines)), scope, by_words)
    matches: dict[EntryRef, DenseMatch] = {}
    for embedding, (entry, chunk, together) in zip(*found, strict=True):
        _keep(matches, entry, cosines[embedding], chunk, together)
    # A score that is missing is no score of nothing.
    scores = index.scores(vector, others.embeddings).tolist() if others.embeddings else ()
    for embedding, score, (entry, chunk, together) in zip(others.embeddings, scores, others.chunks, strict=True):
        if embedding not in cosines and not math.isnan(score):
            _keep(matches, entry, score, chunk, together)
    return matches


def _keep(
    matches: dict[EntryRef, DenseMatch], entry: EntryRef, cosine: float, chunk: HeldChunk, together: tuple[int, ...]
) -> None:
    """Take a chunk for its entry where none is nearer."""
    score = min(1.0, max(0.0, cosine))
    before = matches.get(entry)
    if before is None or score > before.score:
        matches[entry] = DenseMatch(score, chunk, together)


def nearest_texts(look: Look, reader: ChunkReader, vector: Vector, count: int) -> list[tuple[int, float]]:
    """The nearest embeddings, as (id, cosine), nearest first, of texts that stand in a note: `count` of them if there are.

    Of a paragraph that is being written each version has left its vector, and they are near to all that its last one is near
    to: without a look they would take the places of everything else.
    """
    asked = count
    while True:
        found = look(vector, asked)
        homes = reader.homes([embedding for embedding, _ in found])
        there = [(embedding, cosine) for embedding, cosine in found if homes[embedding]]
        if len(there) >= count or len(found) < asked:
            return there[:count]
        asked *= _WIDER_STILL


def _nearest(
    connection: sqlite3.Connection,
    model: ActiveModel,
    index: VectorIndex,
    look: Look,
    vector: Vector,
    pool: int,
    scope: Scope | None,
    scopes: ScopeCache,
    reader: ChunkReader,
) -> list[tuple[int, float]]:
    """The nearest embeddings: exactly the `pool` nearest that a narrow scope leaves, those of a wide one that HNSW finds."""
    if scope is None:
        return nearest_texts(look, reader, vector, pool)
    near = neighbours(scope, pool)
    while near:
        found = look(vector, near)
        allowed = _allowed(reader, [embedding for embedding, _ in found], scope)
        if len(allowed) >= pool or len(found) < near:
            return [(embedding, cosine) for embedding, cosine in found if embedding in allowed][:pool]
        near = _wider(near, scope)
    asked = ("embeddings", model.id, index.state, scope.rows)
    embeddings = scopes.remembered(connection, asked, lambda: _embeddings_of(connection, model, scope.rows))
    return index.search_among(vector, embeddings, pool)


def neighbours(scope: Scope | None, pool: int) -> int:
    """How many neighbours are looked for first, for a `pool` of those that a scope leaves; 0 where those are compared instead.

    So many hold a pool of allowed ones, where these are spread evenly. If that is more than there are allowed ones, looking
    those up costs less.
    """
    if scope is None:
        return pool
    return _wider(int(pool / scope.share), scope) if scope.rows else 0


def _wider(near: int, scope: Scope) -> int:
    return int(_WIDER * near) + 1 if len(scope.rows) > _NARROW * near else 0


def _allowed(reader: ChunkReader, embeddings: Sequence[int], scope: Scope) -> set[int]:
    """Those of `embeddings` whose chunk covers an entry of the scope."""
    rows = scope.rows
    return {
        embedding
        for embedding, note, place in reader.places_of(embeddings)
        if any(entry in rows for entry in note.covered(place))
    }


def _embeddings_of(connection: sqlite3.Connection, model: ActiveModel, entries: Iterable[int]) -> list[int]:
    """The embeddings of all chunks that cover `entries`."""
    rows = connection.execute(
        "SELECT DISTINCT v.id FROM json_each(?) wanted JOIN entry e ON e.id = wanted.value "
        "JOIN chunk c ON c.file_id = e.file_id AND c.chunker_id = ? AND e.ordinal BETWEEN c.entry AND c.last_entry "
        "JOIN embedding v ON v.model_id = ? AND v.hash = c.hash",
        (json.dumps(list(entries)), model.chunker_id, model.id),
    )
    return [row[0] for row in rows]
