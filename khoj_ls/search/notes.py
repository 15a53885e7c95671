"""What a whole note says about its passages.

The best of many passages is often a chance hit: a long note has more chances than a short one. So each passage is read together
with its note, by words and by meaning alike (as passage and document scores are interpolated since Callan 1994, "Passage-level
evidence in document retrieval"). The longer a note, the less it is about one thing, and the less it counts.
"""

from __future__ import annotations

import json
import math
import sqlite3
from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from khoj_ls.core.types import Vector
from khoj_ls.store.note_chunks import NoteChunks, WeighedVectors
from khoj_ls.store.vectors import VectorIndex

_FOCUSED_BYTES = 16_000
"""A note longer than this is about several things."""
_CHUNKS_READ = 8
"""A note's meaning is told by at most this many of its chunks, evenly spread, and by those at its beginning."""
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
    """Cosine of each note with the query, by the vectors that say what it is about; where one is not there, by the others."""
    import numpy as np

    embeddings, shares = array("q"), array("d")
    starts: dict[int, int] = {}
    for file_id, note in chunks.items():
        if len(note):
            starts[file_id] = len(embeddings)
            about = _about(note)
            embeddings.extend(about.embeddings)
            shares.extend(about.shares)
    if not starts:
        return {}
    cosines, weights, first = index.scores(vector, embeddings), np.frombuffer(shares), list(starts.values())
    missing = np.isnan(cosines)
    if missing.any():
        cosines, weights = np.where(missing, 0.0, cosines), np.where(missing, 0.0, weights)
        there = np.add.reduceat(weights, first)
        means = np.add.reduceat(cosines * weights, first) / np.where(there > 0.0, there, np.nan)
    else:
        means = np.add.reduceat(cosines * weights, first)
    found = zip(starts, means.tolist(), strict=True)
    return {file_id: min(1.0, max(0.0, mean)) for file_id, mean in found if not math.isnan(mean)}


def _about(note: NoteChunks) -> WeighedVectors:
    """The vectors that say what a note is about: one half by chunks from all of it, the other by its beginning."""
    if note.about is None:
        shares: dict[int, float] = {}
        spread, head = note.embeddings[:: -(-len(note) // _CHUNKS_READ)], _head(note)
        for embedding in spread:
            shares[embedding] = shares.get(embedding, 0.0) + 0.5 / len(spread)
        tokens = sum(count for _, count in head)
        for embedding, count in head:
            shares[embedding] = shares.get(embedding, 0.0) + 0.5 * count / tokens
        note.about = WeighedVectors(array("q", shares), array("d", shares.values()))
    return note.about


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
