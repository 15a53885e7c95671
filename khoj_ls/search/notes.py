"""What a whole note says about its passages.

The best of many passages is often a chance hit: a long note has more chances than a short one. So each passage is read together
with its note, by words and by meaning alike (as passage and document scores are interpolated since Callan 1994, "Passage-level
evidence in document retrieval"). The longer a note, the less it is about one thing, and the less it counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from khoj_ls.core.types import Vector
from khoj_ls.store.chunks import ActiveModel

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
    connection: sqlite3.Connection, files: Collection[int], model: ActiveModel | None = None, vector: Vector | None = None
) -> WholeNotes:
    """What is to know about `files`; their meaning only where there is a query vector."""
    ids = json.dumps(list(files))
    rows = connection.execute("SELECT id, size FROM file WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    focus = {file_id: min(1.0, _FOCUSED_BYTES / max(1, size)) for file_id, size in rows}
    return WholeNotes(focus, _meaning(connection, ids, model, vector) if model and vector else {})


def _meaning(connection: sqlite3.Connection, ids: str, model: ActiveModel, vector: Vector) -> dict[int, float]:
    import numpy as np

    rows = connection.execute(
        "SELECT c.file_id, v.vector FROM ("
        "SELECT file_id, hash, row_number() OVER note AS place, count(*) OVER (PARTITION BY file_id) AS count "
        "FROM chunk WHERE chunker_id = ? AND file_id IN (SELECT value FROM json_each(?)) "
        "WINDOW note AS (PARTITION BY file_id ORDER BY ordinal)"
        ") c JOIN embedding v ON v.model_id = ? AND v.hash = c.hash "
        # Evenly spread: where place * n / count steps to the next whole number.
        "WHERE c.place * ? / c.count > (c.place - 1) * ? / c.count",
        (model.chunker_id, ids, model.id, _CHUNKS_READ, _CHUNKS_READ),
    ).fetchall()
    if not rows:
        return {}
    matrix = np.frombuffer(b"".join(row[1] for row in rows), np.float32).reshape(len(rows), -1)
    notes, place = np.unique([row[0] for row in rows], return_inverse=True)
    cosines = np.bincount(place, weights=matrix @ np.frombuffer(vector, np.float32)) / np.bincount(place)
    return dict(zip(notes.tolist(), cosines.clip(0.0, 1.0).tolist(), strict=True))
