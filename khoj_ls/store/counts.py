"""Counts and failures of one vault, for status."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import msgspec

from khoj_ls.core.types import Problem


@dataclass(frozen=True)
class Counts:
    """How much the index holds."""

    files: int
    entries: int
    failed: int


def counts(connection: sqlite3.Connection) -> Counts:
    """Count indexed files, their entries, and files that could not be indexed."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM file WHERE status = 'indexed'), (SELECT count(*) FROM entry), "
        "(SELECT count(*) FROM file WHERE status = 'failed')"
    ).fetchone()
    return Counts(*row)


def chunk_count(connection: sqlite3.Connection, chunker_id: int) -> int:
    """Count the chunks of one chunker."""
    return int(connection.execute("SELECT count(*) FROM chunk WHERE chunker_id = ?", (chunker_id,)).fetchone()[0])


def problems(connection: sqlite3.Connection, *, failed_only: bool = False) -> list[tuple[str, tuple[Problem, ...]]]:
    """Files with problems, by path."""
    where = "status = 'failed'" if failed_only else "problems NOT IN ('[]', '')"
    rows = connection.execute(f"SELECT path, problems FROM file WHERE {where} ORDER BY path")
    return [(path, msgspec.json.decode(text or "[]", type=tuple[Problem, ...])) for path, text in rows]
