"""Links, names and anchors read back: the tables from which the graph is told anew at every question."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from khoj_ls.core.types import AnchorKind, Link, Span

_LINK = (
    "l.file_id, f.path, f.type, l.entry, l.key, l.kind, l.target, l.label, l.start_byte, l.end_byte, l.line, l.end_line "
    "FROM link l JOIN file f ON f.id = l.file_id"
)


@dataclass(frozen=True)
class LinkRow:
    """A link with the note it stands in."""

    file_id: int
    path: str
    type: str
    entry: int
    """Ordinal of the entry it stands in."""
    key: str | None
    link: Link


@dataclass(frozen=True)
class NameRow:
    """A note with one of its names."""

    file_id: int
    path: str
    type: str
    full: str
    source: str


class AnchorRow(NamedTuple):
    """An anchor with the level of its entry; a tuple, as one question may meet thousands of them."""

    kind: AnchorKind
    name: str
    span: Span
    entry: int
    level: int


def file_at(connection: sqlite3.Connection, path: str) -> tuple[int, str] | None:
    """Id and type of the note at `path` (relative, posix); None when the index does not hold it."""
    row = connection.execute("SELECT id, type FROM file WHERE path = ?", (path,)).fetchone()
    return (row[0], row[1]) if row else None


def links_of(connection: sqlite3.Connection, file_ids: Iterable[int]) -> list[LinkRow]:
    """The links that stand in some notes, note by note in source order."""
    rows = connection.execute(
        f"SELECT {_LINK} WHERE l.file_id IN (SELECT value FROM json_each(?)) ORDER BY l.file_id, l.start_byte",
        (json.dumps(list(file_ids)),),
    )
    return [_link_row(row) for row in rows]


def links_with_keys(connection: sqlite3.Connection, keys: Iterable[str]) -> list[LinkRow]:
    """The links whose target has one of `keys`, by path and place."""
    rows = connection.execute(
        f"SELECT {_LINK} WHERE l.key IN (SELECT value FROM json_each(?)) ORDER BY f.path, l.start_byte",
        (json.dumps(list(keys)),),
    )
    return [_link_row(row) for row in rows]


def links_labelled(connection: sqlite3.Connection, keys: Iterable[str]) -> list[LinkRow]:
    """Wikilinks whose label, up to a `#`, is one of `keys`: Dendron writes the target there."""
    rows = connection.execute(
        f"SELECT {_LINK} WHERE l.kind IN ('wikilink', 'embed') AND l.label IS NOT NULL AND "
        "lower(substr(l.label, 1, instr(l.label || '#', '#') - 1)) IN (SELECT value FROM json_each(?))",
        (json.dumps(list(keys)),),
    )
    return [_link_row(row) for row in rows]


def names_with_keys(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, list[NameRow]]:
    """The names that have each of `keys`."""
    rows = connection.execute(
        "SELECT n.key, n.file_id, f.path, f.type, n.full, n.source FROM name n JOIN file f ON f.id = n.file_id "
        "WHERE n.key IN (SELECT value FROM json_each(?))",
        (json.dumps(list(keys)),),
    )
    found: dict[str, list[NameRow]] = defaultdict(list)
    for key, *row in rows:
        found[key].append(NameRow(*row))
    return found


def names_beginning(connection: sqlite3.Connection, beginning: str) -> list[NameRow]:
    """The paths whose last segment begins with `beginning` (folded), by path."""
    rows = connection.execute(
        "SELECT n.file_id, f.path, f.type, n.full, n.source FROM name n JOIN file f ON f.id = n.file_id "
        "WHERE n.key >= :beginning AND n.key < :beginning || char(0x10ffff) AND n.source = 'path' ORDER BY f.path",
        {"beginning": beginning},
    )
    return [NameRow(*row) for row in rows]


def inherited_properties(connection: sqlite3.Connection, file_id: int, entry: int) -> list[tuple[str, str]]:
    """The properties of an entry, then those of the entries it stands under from the inside out, then the note's."""
    found: list[tuple[str, str]] = []
    at: int | None = entry
    while at is not None:
        row = connection.execute(
            "SELECT properties, parent FROM entry WHERE file_id = ? AND ordinal = ?", (file_id, at)
        ).fetchone()
        at = row[1] if row else None
        found += [(name, value) for name, value in json.loads(row[0] or "[]")] if row else []
    row = connection.execute("SELECT properties FROM file WHERE id = ?", (file_id,)).fetchone()
    return found + ([(name, value) for name, value in json.loads(row[0] or "[]")] if row else [])


def keys_of(connection: sqlite3.Connection, file_id: int) -> list[str]:
    """The keys of all names of a note."""
    return [row[0] for row in connection.execute("SELECT DISTINCT key FROM name WHERE file_id = ?", (file_id,))]


def anchors_of(connection: sqlite3.Connection, file_ids: Iterable[int]) -> dict[int, list[AnchorRow]]:
    """The anchors of some notes, in source order."""
    rows = connection.execute(
        "SELECT a.file_id, a.kind, a.name, a.start_byte, a.end_byte, a.line, a.end_line, a.entry, e.level "
        "FROM anchor a JOIN entry e ON e.file_id = a.file_id AND e.ordinal = a.entry "
        "WHERE a.file_id IN (SELECT value FROM json_each(?)) ORDER BY a.file_id, a.start_byte, a.id",
        (json.dumps(list(file_ids)),),
    )
    found: dict[int, list[AnchorRow]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(AnchorRow(row[1], row[2], Span(*row[3:7]), row[7], row[8]))
    return found


def source_text(connection: sqlite3.Connection, file_id: int) -> str:
    """The indexed text of a note as it stands in the file, lines that are not indexed left blank."""
    pieces: list[str] = []
    line = 1
    rows = connection.execute("SELECT line, end_line, raw FROM entry WHERE file_id = ? ORDER BY ordinal", (file_id,))
    for first, last, raw in rows:
        pieces += ["\n" * (first - line), raw]
        line = last + 1
    return "".join(pieces)


class EntryLines(NamedTuple):
    """The lines of an entry, of its file and as they read."""

    line: int
    """Its first, from 1."""
    raw: str
    """Its source."""
    text: str
    """Its compiled text, line by line."""
    heading: str


def entry_lines(connection: sqlite3.Connection, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], EntryLines]:
    """The lines of entries, by file id and ordinal."""
    rows = connection.execute(
        "SELECT e.file_id, e.ordinal, e.line, e.raw, e.text, e.heading FROM json_each(?) j "
        "JOIN entry e ON e.file_id = j.value ->> 0 AND e.ordinal = j.value ->> 1",
        (json.dumps(list(places)),),
    )
    return {(row[0], row[1]): EntryLines(*row[2:]) for row in rows}


def files(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    """(id, path) of all notes, by path."""
    rows = connection.execute("SELECT id, path FROM file WHERE status = 'indexed' ORDER BY path")
    return [(row[0], row[1]) for row in rows]


def entry_at(connection: sqlite3.Connection, file_id: int, line: int) -> int | None:
    """Ordinal of the entry that holds a line of a note."""
    row = connection.execute(
        "SELECT ordinal FROM entry WHERE file_id = ? AND line <= ? ORDER BY line DESC, ordinal DESC LIMIT 1", (file_id, line)
    ).fetchone()
    return row[0] if row else None


def string_list(text: str | None) -> list[str]:
    """A JSON column that holds a list of strings."""
    if not text or text == "[]":  # as most are
        return []
    return [str(item) for item in json.loads(text)]


def _link_row(row: Sequence[Any]) -> LinkRow:
    file_id, path, type_, entry, key = row[:5]
    return LinkRow(file_id, path, type_, entry, key, Link(row[5], row[6], row[7], Span(*row[8:12])))
