"""What a whole note says about its passages.

The best of many passages is often a chance hit: a long note has more chances than a short one. So each passage is read together
with its note, by words and by meaning alike (as passage and document scores are interpolated since Callan 1994, "Passage-level
evidence in document retrieval"). The longer a note, the less it is about one thing, and the less it counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from khoj_ls.core.types import Vector
from khoj_ls.store.chunks import ActiveModel
from khoj_ls.store.vectors import VectorIndex

_FOCUSED_BYTES = 16_000
"""A note longer than this is about several things."""
_CHUNKS_READ = 8
"""A note's meaning is the mean of at most this many of its chunks, evenly spread, and of those at its beginning."""
_HEAD_TOKENS = 256
"""The beginning of a note says most often what it is about."""


NoteChunks = dict[int, list[tuple[int, int]]]
"""Embedding and tokens of the chunks of a note, in source order, by file id."""


@dataclass(frozen=True)
class WholeNotes:
    """Notes of some candidates, by file id."""

    focus: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """How much a note is about one thing: 1, falling with its length."""
    meaning: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """Mean cosine with the query, of the note's chunks and of its beginning."""

    def with_note(self, own: float, whole: float, file_id: int, share: float) -> float:
        """The score `own` of a passage, drawn towards the score `whole` of its note by up to `share` of the way."""
        return own + share * self.focus.get(file_id, 1.0) * (whole - own)


def whole_notes(
    connection: sqlite3.Connection,
    files: Collection[int],
    model: ActiveModel | None = None,
    index: VectorIndex | None = None,
    vector: Vector | None = None,
    known: NoteChunks | None = None,
) -> WholeNotes:
    """What is to know about `files`; their meaning only where there is a query vector. `known` chunks are not read again."""
    ids = json.dumps(list(files))
    rows = connection.execute("SELECT id, size FROM file WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    focus = {file_id: min(1.0, _FOCUSED_BYTES / max(1, size)) for file_id, size in rows}
    if model is None or index is None or vector is None:
        return WholeNotes(focus)
    known = known or {}
    chunks = {file_id: known[file_id] for file_id in files if file_id in known}
    chunks.update(chunks_of_notes(connection, model, [file_id for file_id in files if file_id not in chunks]))
    return WholeNotes(focus, _meaning(chunks, index, vector))


def chunks_of_notes(connection: sqlite3.Connection, model: ActiveModel, files: Sequence[int]) -> NoteChunks:
    """The chunks of `files` that have a vector."""
    chunks: NoteChunks = {file_id: [] for file_id in files}
    rows = connection.execute(
        "SELECT c.file_id, v.id, c.tokens FROM json_each(?) wanted "
        "CROSS JOIN chunk c ON c.file_id = wanted.value AND c.chunker_id = ? "
        "CROSS JOIN embedding v ON v.model_id = ? AND v.hash = c.hash ORDER BY c.file_id, c.ordinal",
        (json.dumps(list(files)), model.chunker_id, model.id),
    )
    for file_id, embedding, tokens in rows:
        chunks[file_id].append((embedding, tokens))
    return chunks


def _meaning(chunks: NoteChunks, index: VectorIndex, vector: Vector) -> dict[int, float]:
    """Mean cosine of each note with the query: of chunks from all of it, and of its beginning."""
    read = {file_id: (held[:: -(-len(held) // _CHUNKS_READ)], _head(held)) for file_id, held in chunks.items() if held}
    cosines = index.cosines(vector, [embedding for parts in read.values() for part in parts for embedding, _ in part])
    means = {}
    for file_id, (spread, head) in read.items():
        known = [cosines[embedding] for embedding, _ in spread if embedding in cosines]
        first = [(cosines[embedding], tokens) for embedding, tokens in head if embedding in cosines]
        if known and first:
            beginning = sum(cosine * tokens for cosine, tokens in first) / sum(tokens for _, tokens in first)
            means[file_id] = min(1.0, max(0.0, (sum(known) / len(known) + beginning) / 2))
    return means


def _head(chunks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The chunks that a note begins with, each with how many of its tokens count."""
    head = []
    left = _HEAD_TOKENS
    for embedding, tokens in chunks:
        head.append((embedding, max(1, min(tokens, left))))
        left -= tokens
        if left <= 0:
            break
    return head
