"""Whether the text of a place may be sent to an embedding model on another machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from khoj_ls.search.context import SearchContext

PRIVATE = "the text is private, and the embedding model runs on another machine"
"""Why a text has no vector, for people."""

_AT_ONCE = 500
"""Parameters of one statement; SQLite takes no less than 999."""


def may_embed(
    connection: sqlite3.Connection, context: SearchContext, path: str, line: int | None = None, end_line: int | None = None
) -> bool:
    """Whether the model may read a text that stands at `path`, on some lines of it or anywhere.

    Any text may go to a model on this machine. To another one goes no text from a section that is private, and none of a note
    that the index does not hold: a rule may keep it from there.
    """
    if not context.remote:
        return True
    first = line or 1
    last = max(first, end_line or first) if line else None
    (held, private) = connection.execute(
        "SELECT count(DISTINCT f.id), coalesce(max(f.private OR (e.private AND e.end_line >= :first "
        "AND e.line <= coalesce(:last, e.line))), 0) "
        "FROM file f LEFT JOIN entry e ON e.file_id = f.id WHERE f.path = :path AND f.status = 'indexed'",
        {"path": path, "first": first, "last": last},
    ).fetchone()
    return bool(held) and not private


def public_notes(connection: sqlite3.Connection, paths: Collection[str]) -> frozenset[str]:
    """Those of some notes that the index holds and of which nothing is private: not the note, and no section of it."""
    found: set[str] = set()
    listed = list(paths)
    for start in range(0, len(listed), _AT_ONCE):
        some = listed[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = connection.execute(
            f"SELECT f.path FROM file f WHERE f.path IN ({marks}) AND f.status = 'indexed' AND NOT f.private "
            "AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.file_id = f.id AND e.private)",
            some,
        )
        found.update(path for (path,) in rows)
    return frozenset(found)
