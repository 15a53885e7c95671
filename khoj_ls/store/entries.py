"""Reading entries back: for results, outlines, and the chunker."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from khoj_ls.core.places import Place
from khoj_ls.core.types import Entry, EntryDate, Span
from khoj_ls.store.fts import display_title

_COLUMNS = (
    "e.id, e.file_id, f.path, f.type, f.title, e.ordinal, e.level, e.heading, e.outline, e.start_byte, e.end_byte, "
    "e.line, e.end_line, e.raw, e.tags, f.tags, e.dates, f.dates, f.mtime_ns, e.private, e.place"
)


_NONE = "[]"


class EntryRow(NamedTuple):
    """An entry with what a result needs to know about its note."""

    id: int
    file_id: int
    path: str
    type: str
    title: str
    """Display title of the note."""
    ordinal: int
    level: int
    heading: str
    outline: tuple[str, ...]
    span: Span
    raw: str
    tags: tuple[str, ...]
    """Own, inherited, and the note's."""
    dates: tuple[EntryDate, ...]
    """Own dates, then the note's."""
    mtime_ns: int
    private: bool
    place: Place | None = None


def standing(connection: sqlite3.Connection, ids: Iterable[int]) -> sqlite3.Cursor:
    """Where entries stand, as rows (id, file id, ordinal); ids that are gone are left out."""
    # SQLite would take the rows themselves, by their ids.
    return connection.execute(
        "SELECT id, file_id, ordinal FROM entry INDEXED BY idx_entry_standing WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )


def entry_rows(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, EntryRow]:
    """Entries by id; ids that are gone are left out."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM entry e JOIN file f ON f.id = e.file_id WHERE e.id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {row[0]: _entry_row(row) for row in rows}


def said_rows(connection: sqlite3.Connection, ids: Sequence[int]) -> Iterator[tuple[EntryRow, str, tuple[int, ...]]]:
    """Entries with their compiled text and where its blocks begin (lines from 0); ids that are gone are left out."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, e.text, e.blocks FROM entry e JOIN file f ON f.id = e.file_id "
        "WHERE e.id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    for *row, text, blocks in rows:
        yield _entry_row(row), text, tuple(json.loads(blocks or _NONE))


def file_entries(connection: sqlite3.Connection, path: str) -> list[EntryRow]:
    """Entries of the file at `path` (relative, posix), in source order; empty when it is not indexed."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM file f JOIN entry e ON e.file_id = f.id WHERE f.path = ? ORDER BY e.ordinal", (path,)
    )
    return [_entry_row(row) for row in rows]


def parsed_entries(connection: sqlite3.Connection, file_id: int) -> tuple[str | None, tuple[Entry, ...]]:
    """Title from inside the file, and the entries as the chunker needs them (links and anchors are left out)."""
    (title,) = connection.execute("SELECT title FROM file WHERE id = ?", (file_id,)).fetchone()
    rows = connection.execute(
        "SELECT start_byte, end_byte, line, end_line, level, heading, outline, parent, raw, text, blocks, private, "
        "place FROM entry WHERE file_id = ? ORDER BY ordinal",
        (file_id,),
    )
    return title, tuple(
        Entry(
            span=Span(*row[:4]),
            level=row[4],
            heading=row[5],
            outline=tuple(json.loads(row[6])),
            parent=row[7],
            raw=row[8],
            text=row[9],
            blocks=tuple(json.loads(row[10])),
            private=bool(row[11]),
            place=placed(row[12]),
        )
        for row in rows
    )


def _entry_row(row: Sequence[Any]) -> EntryRow:
    tags = dict.fromkeys((*_strings(row[14]), *_strings(row[15])))
    return EntryRow(
        id=row[0],
        file_id=row[1],
        path=str(row[2]),
        type=str(row[3]),
        title=display_title(str(row[2]), row[4]),
        ordinal=row[5],
        level=row[6],
        heading=str(row[7]),
        outline=_strings(row[8]),
        span=Span(*row[9:13]),
        raw=str(row[13]),
        tags=tuple(tags),
        dates=_dates(row[16]) + _dates(row[17]),
        mtime_ns=row[18],
        private=bool(row[19]),
        place=placed(row[20]),
    )


def placed(text: str | None) -> Place | None:
    """A place as it is stored in `entry.place`."""
    return msgspec.json.decode(text, type=Place) if text else None


def _strings(text: str | None) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text and text != _NONE else ()


def _dates(text: str | None) -> tuple[EntryDate, ...]:
    return msgspec.json.decode(text, type=tuple[EntryDate, ...]) if text and text != _NONE else ()
