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
from khoj_ls.store.note_chunks import NoteChunks
from khoj_ls.store.vectors import VectorIndex

_FOCUSED_BYTES = 16_000
"""A note longer than this is about several things."""
_CHUNKS_READ = 8
"""A note's meaning is the mean of at most this many of its chunks, evenly spread, and of those at its beginning."""
_HEAD_TOKENS = 256
"""The beginning of a note says most often what it is about."""


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
    chunks: Mapping[int, NoteChunks] = MappingProxyType({}),
    index: VectorIndex | None = None,
    vector: Vector | None = None,
) -> WholeNotes:
    """What is to know about `files`; their meaning, by their `chunks`, only where there is a query vector."""
    sizes = {file_id: note.file_bytes for file_id, note in chunks.items()}
    if others := [file_id for file_id in files if file_id not in sizes]:
        rows = connection.execute(
            "SELECT id, size FROM file WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(others),)
        )
        sizes.update(rows.fetchall())
    focus = {file_id: min(1.0, _FOCUSED_BYTES / max(1, size)) for file_id, size in sizes.items()}
    return WholeNotes(focus, _meaning(chunks, index, vector) if index is not None and vector is not None else {})


def _meaning(chunks: Mapping[int, NoteChunks], index: VectorIndex, vector: Vector) -> dict[int, float]:
    """Mean cosine of each note with the query: of chunks from all of it, and of its beginning."""
    spread = {file_id: _spread(note) for file_id, note in chunks.items()}
    heads = {file_id: _head(note) for file_id, note in chunks.items()}
    read = {embedding for each in spread.values() for embedding in each}
    read.update(embedding for each in heads.values() for embedding, _ in each)
    cosines = index.cosines(vector, list(read))
    means = {}
    for file_id in chunks:
        known = [cosines[embedding] for embedding in spread[file_id] if embedding in cosines]
        head = [(cosines[embedding], tokens) for embedding, tokens in heads[file_id] if embedding in cosines]
        if known and head:
            beginning = sum(cosine * tokens for cosine, tokens in head) / sum(tokens for _, tokens in head)
            means[file_id] = min(1.0, max(0.0, (sum(known) / len(known) + beginning) / 2))
    return means


def _spread(note: NoteChunks) -> Sequence[int]:
    """The vectors of some chunks, evenly spread over the note."""
    return note.embeddings[:: -(-len(note) // _CHUNKS_READ) or 1]


def _head(note: NoteChunks) -> list[tuple[int, int]]:
    """The vectors of the chunks that the note begins with, each with how many of its tokens count."""
    head = []
    left = _HEAD_TOKENS
    for embedding, tokens in note.token_counts():
        if left <= 0:
            break
        head.append((embedding, max(1, min(tokens, left))))
        left -= tokens
    return head
