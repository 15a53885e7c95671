"""The word index: what goes into it and how its rows are taken out again.

Both tables are contentless (the text is stored once, in `entry`), so a row is deleted by handing FTS5 the very words that were
put in: they are computed from the stored entry by the same functions. `WORDS_VERSION` changes with these functions, and the
tables are then filled anew.
FTS5: https://www.sqlite.org/fts5.html#contentless_tables
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from pathlib import PurePosixPath

from khoj_ls.core.text import compounds, spaced
from khoj_ls.core.types import CODED_TYPES

WORDS_VERSION = 4

SAID = f"CASE WHEN f.type IN ({', '.join(map(repr, sorted(CODED_TYPES)))}) THEN e.text ELSE e.raw END"
"""SQL: what an entry `e` of a file `f` says, its source where people read that."""

EntryWords = tuple[int, str, str, str]
"""Row id, title, heading with outline, body."""

FileWords = tuple[int, str, str, str, str]
"""Row id, name, title with aliases, tags, body."""


def display_title(path: str, title: str | None) -> str:
    """What a note is called: the title from inside it, else its file name without the suffix."""
    return title or PurePosixPath(path).stem


def entry_words(entry_id: int, path: str, title: str | None, heading: str, outline: str, said: str) -> EntryWords:
    """Words of one entry; `outline` is the stored JSON list."""
    headings = " ".join([heading, *json.loads(outline)])
    return entry_id, spaced(display_title(path, title)), spaced(headings), spaced(_with_parts(said))


def file_words(file_id: int, path: str, title: str | None, aliases: str, tags: str, bodies: Iterable[str]) -> FileWords:
    """Words of one note; `aliases` and `tags` are the stored JSON lists, `bodies` what its entries say, in order."""
    # A path's parts are words of their own: `2024-05-router_fix.md` is found by `router`, `RouterFix.md` as well.
    parts = re.sub(r"[\W_]+", " ", path).split()
    name = _with_parts(" ".join(parts))
    titles = "\n".join([display_title(path, title), *json.loads(aliases)])
    return file_id, spaced(name), spaced(titles), spaced(" ".join(json.loads(tags))), spaced(_with_parts("\n".join(bodies)))


def _with_parts(text: str) -> str:
    """`text`, and behind it the parts of its compound words: `MergeScheduler` is found by `scheduler` as well."""
    parts = " ".join(part for compound in compounds(text) for part in compound)
    return f"{text}\n{parts}" if parts else text


def add_entries(connection: sqlite3.Connection, rows: Iterable[EntryWords]) -> None:
    """Put entries into the word index."""
    connection.executemany("INSERT INTO entry_fts (rowid, title, heading, body) VALUES (?, ?, ?, ?)", rows)


def drop_entries(connection: sqlite3.Connection, rows: Iterable[EntryWords]) -> None:
    """Take entries out, given the words they were put in with."""
    connection.executemany("INSERT INTO entry_fts (entry_fts, rowid, title, heading, body) VALUES ('delete', ?, ?, ?, ?)", rows)


def add_file(connection: sqlite3.Connection, row: FileWords) -> None:
    """Put a note into the word index."""
    connection.execute("INSERT INTO file_fts (rowid, name, title, tags, body) VALUES (?, ?, ?, ?, ?)", row)


def drop_file(connection: sqlite3.Connection, row: FileWords) -> None:
    """Take a note out, given the words it was put in with."""
    connection.execute("INSERT INTO file_fts (file_fts, rowid, name, title, tags, body) VALUES ('delete', ?, ?, ?, ?, ?)", row)


def stored_entry_words(connection: sqlite3.Connection, file_id: int) -> list[EntryWords]:
    """Words of the entries of a file as they are in the index now."""
    rows = connection.execute(
        f"SELECT e.id, f.path, f.title, e.heading, e.outline, {SAID} FROM entry e JOIN file f ON f.id = e.file_id "
        "WHERE f.id = ? ORDER BY e.ordinal",
        (file_id,),
    )
    return [entry_words(*row) for row in rows]


def stored_file_words(connection: sqlite3.Connection, file_id: int) -> FileWords:
    """Words of a file as they are in the index now."""
    path, title, aliases, tags = connection.execute(
        "SELECT path, title, aliases, tags FROM file WHERE id = ?", (file_id,)
    ).fetchone()
    bodies = connection.execute(
        f"SELECT {SAID} FROM entry e JOIN file f ON f.id = e.file_id WHERE f.id = ? ORDER BY e.ordinal", (file_id,)
    )
    return file_words(file_id, path, title, aliases, tags, (said for (said,) in bodies))


def rebuild(connection: sqlite3.Connection) -> None:
    """Fill both tables anew from the stored entries."""
    connection.execute("INSERT INTO entry_fts (entry_fts) VALUES ('delete-all')")
    connection.execute("INSERT INTO file_fts (file_fts) VALUES ('delete-all')")
    for (file_id,) in connection.execute("SELECT id FROM file WHERE status = 'indexed' ORDER BY id").fetchall():
        add_entries(connection, stored_entry_words(connection, file_id))
        add_file(connection, stored_file_words(connection, file_id))


def segments(connection: sqlite3.Connection) -> int:
    """Into how many places a question to one of the tables has to look, at most.

    https://www.sqlite.org/fts5.html#fts5_data_structures
    """
    (most,) = connection.execute(
        "SELECT max((SELECT count(DISTINCT segid) FROM entry_fts_idx), (SELECT count(DISTINCT segid) FROM file_fts_idx))"
    ).fetchone()
    return int(most)


def merge(connection: sqlite3.Connection, *, begin: bool, pages: int = 128) -> bool:
    """Put the segments of the word index together by about so many pages; True while there is more to do.

    Every write adds a segment and every question looks into all of them. `begin` the first time, then go on.
    https://www.sqlite.org/fts5.html#the_merge_command
    """
    more = False
    for table in ("entry_fts", "file_fts"):
        before = connection.total_changes
        connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)", (-pages if begin else pages,))
        # FTS5's own way of saying that something was merged.
        more |= connection.total_changes - before >= 2
    return more
