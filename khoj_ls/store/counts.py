"""Counts, failures and warnings of one vault, for status."""

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


def failures(connection: sqlite3.Connection) -> dict[str, str]:
    """Why files are not indexed, by path."""
    rows = connection.execute("SELECT path, problems FROM file WHERE status = 'failed' ORDER BY path")
    return {path: "; ".join(problem.message for problem in _problems(text)) for path, text in rows}


def warnings(connection: sqlite3.Connection) -> list[tuple[str, int, str]]:
    """(path, line, reason) of what was left out or guessed in files that are indexed, by path and line."""
    rows = connection.execute(
        "SELECT path, problems FROM file WHERE status = 'indexed' AND problems NOT IN ('[]', '') ORDER BY path"
    )
    return [
        (path, problem.line, problem.message)
        for path, text in rows
        for problem in sorted(_problems(text), key=lambda problem: problem.line)
        if problem.severity == "warning"
    ]


def _problems(text: str) -> tuple[Problem, ...]:
    return msgspec.json.decode(text or "[]", type=tuple[Problem, ...])
