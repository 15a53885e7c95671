"""What a whole note says about its passages.

The best of many passages is often a chance hit: a long note has more chances than a short one. So each passage is read together
with its note, by words and by meaning alike (as passage and document scores are interpolated since Callan 1994, "Passage-level
evidence in document retrieval"). The longer a note, the less it is about one thing, and the less it counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from types import MappingProxyType

from khoj_ls.core.types import Vector
from khoj_ls.store.chunks import ActiveModel
from khoj_ls.store.vectors import VectorIndex

_SHARE = 0.5
_FOCUSED_BYTES = 16_000
"""A note longer than this is about several things."""
_CHUNKS_READ = 8
"""A note's meaning is the mean of at most this many of its chunks, evenly spread."""


@dataclass(frozen=True)
class WholeNotes:
    """Notes of some candidates, by file id."""

    focus: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """How much a note is about one thing: 1, falling with its length."""
    meaning: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """Mean cosine of the note's chunks with the query."""

    def with_note(self, own: float, whole: float, file_id: int) -> float:
        """The score `own` of a passage, drawn towards the score `whole` of its note."""
        return own + _SHARE * self.focus.get(file_id, 1.0) * (whole - own)


def whole_notes(
    connection: sqlite3.Connection,
    files: Collection[int],
    model: ActiveModel | None = None,
    index: VectorIndex | None = None,
    vector: Vector | None = None,
) -> WholeNotes:
    """What is to know about `files`; their meaning only where there is a query vector."""
    ids = json.dumps(list(files))
    rows = connection.execute("SELECT id, size FROM file WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    focus = {file_id: min(1.0, _FOCUSED_BYTES / max(1, size)) for file_id, size in rows}
    return WholeNotes(focus, _meaning(connection, ids, model, index, vector) if model and index and vector else {})


def _meaning(
    connection: sqlite3.Connection, ids: str, model: ActiveModel, index: VectorIndex, vector: Vector
) -> dict[int, float]:
    chunks = defaultdict(list)
    rows = connection.execute(
        "SELECT c.file_id, v.id FROM json_each(?) wanted CROSS JOIN chunk c ON c.file_id = wanted.value AND c.chunker_id = ? "
        "CROSS JOIN embedding v ON v.model_id = ? AND v.hash = c.hash ORDER BY c.file_id, c.ordinal",
        (ids, model.chunker_id, model.id),
    )
    for file_id, embedding in rows:
        chunks[file_id].append(embedding)
    read = {file_id: held[:: -(-len(held) // _CHUNKS_READ)] for file_id, held in chunks.items()}
    cosines = index.cosines(vector, [embedding for held in read.values() for embedding in held])
    means = {}
    for file_id, held in read.items():
        if known := [cosines[embedding] for embedding in held if embedding in cosines]:
            means[file_id] = min(1.0, max(0.0, fmean(known)))
    return means
