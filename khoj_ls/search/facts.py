"""What tuning has to know of candidates: read in one question, and only where the profile asks for it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

from khoj_ls.config.settings import Tuning
from khoj_ls.core.types import EntryDate, Vector
from khoj_ls.search.fusion import Candidate
from khoj_ls.search.recency import age_of
from khoj_ls.store.chunks import ActiveModel


@dataclass(frozen=True)
class Facts:
    """What is known of candidates, by entry id."""

    types: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    """Content types of their notes."""
    ages: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """Days between each and today."""
    vectors: Mapping[int, Vector] = field(default_factory=lambda: MappingProxyType({}))
    """The vector of the passage that was found, else of the first that the entry has."""


def read_facts(
    connection: sqlite3.Connection, model: ActiveModel | None, candidates: Sequence[Candidate], tuning: Tuning, now: float
) -> Facts:
    """What `tuning` has to know of the candidates; nothing is read for numbers that are not set. `now` is in seconds."""
    types: dict[int, str] = {}
    ages: dict[int, float] = {}
    if candidates and (tuning.type_weights or tuning.recency_bias):
        rows = connection.execute(
            "SELECT e.id, f.type, e.dates, f.dates, f.mtime_ns FROM json_each(?) wanted "
            "CROSS JOIN entry e ON e.id = wanted.value JOIN file f ON f.id = e.file_id",
            (json.dumps([candidate.entry.id for candidate in candidates]),),
        )
        for entry, kind, own, notes, modified in rows:
            types[entry] = kind
            if tuning.recency_bias:
                ages[entry] = age_of(_dates(own), _dates(notes), modified / 1e9, now)
    if not tuning.diversity_weight or model is None:
        return Facts(types, ages)
    return Facts(types, ages, _vectors(connection, model, candidates))


def _vectors(connection: sqlite3.Connection, model: ActiveModel, candidates: Sequence[Candidate]) -> dict[int, Vector]:
    chunks = {candidate.dense.chunk.id: candidate.entry.id for candidate in candidates if candidate.dense}
    rows = connection.execute(
        "SELECT c.id, v.vector FROM json_each(?) wanted CROSS JOIN chunk c ON c.id = wanted.value "
        "JOIN embedding v ON v.model_id = ? AND v.hash = c.hash",
        (json.dumps(list(chunks)), model.id),
    )
    vectors = {chunks[chunk]: vector for chunk, vector in rows}
    others = [candidate.entry.id for candidate in candidates if candidate.entry.id not in vectors]
    if not others:
        return vectors
    rows = connection.execute(
        "SELECT e.id, v.vector FROM json_each(?) wanted CROSS JOIN entry e ON e.id = wanted.value "
        "JOIN chunk c ON c.file_id = e.file_id AND c.chunker_id = ? AND e.ordinal BETWEEN c.entry AND c.last_entry "
        "JOIN embedding v ON v.model_id = ? AND v.hash = c.hash ORDER BY c.ordinal DESC",
        (json.dumps(others), model.chunker_id, model.id),
    )
    # The first passage of an entry is its last row.
    return {**dict(rows.fetchall()), **vectors}


def _dates(text: str | None) -> tuple[EntryDate, ...]:
    return msgspec.json.decode(text, type=tuple[EntryDate, ...]) if text and text != "[]" else ()
