"""What a search is confined to: the entries that pass its filters."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from khoj_ls.search.query import Query
from khoj_ls.search.words import phrase, words

_MOST_LISTED = 20_000
"""A phrase of such common words that more entries may hold it is left to the check of the hits."""


@dataclass(frozen=True)
class Scope:
    """Entries that may be hits, and their notes. No scope at all means every entry."""

    entries: frozenset[int]
    files: frozenset[int]


def scope_of(connection: sqlite3.Connection, query: Query, paths: Sequence[str] | None) -> Scope | None:
    """The entries of `paths` that may hold every required phrase; None when nothing is ruled out.

    The word index knows stems, not letters: whether a phrase occurs exactly so is checked on each hit (`query.occurs`).
    """
    allowed = _entries_of(connection, paths) if paths is not None else None
    for required in query.required:
        holding = _holding(connection, required)
        if holding is not None:
            allowed = holding if allowed is None else allowed & holding
    if allowed is None:
        return None
    rows = connection.execute(
        "SELECT DISTINCT file_id FROM entry WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(allowed)),)
    )
    return Scope(frozenset(allowed), frozenset(row[0] for row in rows))


def _entries_of(connection: sqlite3.Connection, paths: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for path in paths:
        folder = path.rstrip("/")
        rows = connection.execute(
            "SELECT e.id FROM file f JOIN entry e ON e.file_id = f.id WHERE f.path = ?1 OR (f.path >= ?2 AND f.path < ?3)",
            # "0" is the character after "/": the range holds what lies in the folder.
            (folder, f"{folder}/", f"{folder}0") if folder not in {"", "."} else ("", "", "\U0010ffff"),
        )
        found.update(row[0] for row in rows)
    return found


def _holding(connection: sqlite3.Connection, required: str) -> set[int] | None:
    if words(required):
        rows = connection.execute(
            "SELECT rowid FROM entry_fts WHERE entry_fts MATCH ? LIMIT ?", (phrase(required), _MOST_LISTED + 1)
        ).fetchall()
    else:
        # Signs alone (`->`) are in no word index.
        rows = connection.execute(
            "SELECT id FROM entry WHERE instr(raw, ?) LIMIT ?", (required.split()[0], _MOST_LISTED + 1)
        ).fetchall()
    return None if len(rows) > _MOST_LISTED else {row[0] for row in rows}
