"""What moving about in notes asks of the index: pieces of source, sections in a row, entries by tag, names by beginning."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from khoj_ls.core.types import Link, Span

_MOST_TAGGED = 5000


@dataclass(frozen=True)
class Section:
    """An entry as far as it is shown."""

    ordinal: int
    level: int
    heading: str
    outline: tuple[str, ...]
    span: Span
    raw: str
    text: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class TaggedEntry:
    """An entry that has a tag, its own or inherited."""

    file_id: int
    path: str
    type: str
    ordinal: int
    level: int
    start: int
    line: int
    raw: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class NoteRow:
    """A note with what it is called."""

    file_id: int
    path: str
    title: str | None
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class HeadingRow:
    """A heading and where it stands."""

    path: str
    file_id: int
    title: str | None
    ordinal: int
    heading: str
    outline: tuple[str, ...]
    span: Span
    """Its line."""


_HEADING = (
    "f.path, f.id, f.title, e.ordinal, e.heading, e.outline, e.start_byte, e.start_byte, e.line, e.line "
    "FROM {} JOIN file f ON f.id = e.file_id WHERE e.level > 0 AND "
)

_TAGGED = (
    "e.file_id, f.path, f.type, e.ordinal, e.level, e.start_byte, e.line, e.raw, e.tags "
    "FROM entry e JOIN file f ON f.id = e.file_id"
)


def sections_from(connection: sqlite3.Connection, file_id: int, ordinal: int, count: int) -> list[Section]:
    """Up to `count` entries of a note, from one on."""
    rows = connection.execute(
        "SELECT ordinal, level, heading, outline, start_byte, end_byte, line, end_line, raw, text, tags FROM entry "
        "WHERE file_id = ? AND ordinal >= ? ORDER BY ordinal LIMIT ?",
        (file_id, ordinal, count),
    )
    return [
        Section(row[0], row[1], row[2], tuple(json.loads(row[3])), Span(*row[4:8]), row[8], row[9], tuple(_list(row[10])))
        for row in rows
    ]


def sources(connection: sqlite3.Connection, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], tuple[Span, str]]:
    """Span and source of entries, by file id and ordinal."""
    rows = connection.execute(
        "SELECT e.file_id, e.ordinal, e.start_byte, e.end_byte, e.line, e.end_line, e.raw FROM json_each(?) j "
        "JOIN entry e ON e.file_id = j.value ->> 0 AND e.ordinal = j.value ->> 1",
        (json.dumps(list(set(places))),),
    )
    return {(row[0], row[1]): (Span(*row[2:6]), row[6]) for row in rows}


def titles(connection: sqlite3.Connection, file_ids: Iterable[int]) -> dict[int, tuple[str, str | None]]:
    """Path, and title from inside, of notes by id."""
    rows = connection.execute(
        "SELECT id, path, title FROM file WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(set(file_ids))),)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def entries_tagged(connection: sqlite3.Connection, expression: str, tag: str) -> list[TaggedEntry]:
    """Entries that match an FTS5 `expression` and have a tag that begins with `tag`, by path."""
    # The words of a tag are met everywhere; the list of tags tells which entries have it. SQLite folds ASCII only.
    like = f'%"{_escaped(tag)}%' if tag.isascii() else "%"
    rows = connection.execute(
        f"SELECT {_TAGGED} JOIN entry_fts ON entry_fts.rowid = e.id "
        "WHERE entry_fts MATCH ? AND e.tags LIKE ? ESCAPE '\\' ORDER BY f.path, e.ordinal LIMIT ?",
        (expression, like, _MOST_TAGGED),
    )
    return [_tagged(row) for row in rows]


def entries_linking_tag(connection: sqlite3.Connection, tag: str) -> list[TaggedEntry]:
    """Entries with a tag that holds no word (`#🦉`): found among the links, by path."""
    rows = connection.execute(
        f"SELECT DISTINCT {_TAGGED} JOIN link l ON l.file_id = e.file_id AND l.entry = e.ordinal "
        "WHERE l.kind = 'tag' AND l.target = ? ORDER BY f.path, e.ordinal LIMIT ?",
        (tag, _MOST_TAGGED),
    )
    return [_tagged(row) for row in rows]


def tag_links(connection: sqlite3.Connection, file_ids: Iterable[int]) -> dict[tuple[int, int], list[Link]]:
    """The tags in the text of some notes, by file id and ordinal of the entry."""
    rows = connection.execute(
        "SELECT file_id, entry, target, label, start_byte, end_byte, line, end_line FROM link "
        "WHERE kind = 'tag' AND file_id IN (SELECT value FROM json_each(?)) ORDER BY start_byte",
        (json.dumps(list(file_ids)),),
    )
    found: dict[tuple[int, int], list[Link]] = defaultdict(list)
    for row in rows:
        found[row[0], row[1]].append(Link("tag", row[2], row[3], Span(*row[4:8])))
    return found


def headings_matching(connection: sqlite3.Connection, expression: str, limit: int) -> list[HeadingRow]:
    """Headings whose entry matches an FTS5 `expression`, the shortest first."""
    tables = _HEADING.format("entry_fts JOIN entry e ON e.id = entry_fts.rowid")
    rows = connection.execute(
        f"SELECT {tables} entry_fts MATCH ? ORDER BY length(e.heading), f.path, e.ordinal LIMIT ?", (expression, limit)
    )
    return [_heading(row) for row in rows]


def headings_beginning(connection: sqlite3.Connection, beginning: str, limit: int) -> list[HeadingRow]:
    """Headings that begin with these very characters, the shortest first."""
    tables = _HEADING.format("anchor a JOIN entry e ON e.file_id = a.file_id AND e.ordinal = a.entry")
    rows = connection.execute(
        f"SELECT {tables} a.kind = 'heading' AND a.name >= :beginning AND a.name < :beginning || char(0x10ffff) "
        "ORDER BY length(e.heading), f.path, e.ordinal LIMIT :limit",
        {"beginning": beginning, "limit": limit},
    )
    return [_heading(row) for row in rows]


def notes_matching(connection: sqlite3.Connection, expression: str, limit: int) -> list[NoteRow]:
    """Notes that match an FTS5 `expression`, the shortest title first."""
    rows = connection.execute(
        "SELECT f.id, f.path, f.title, f.aliases FROM file_fts JOIN file f ON f.id = file_fts.rowid "
        "WHERE file_fts MATCH ? ORDER BY length(f.title), f.path LIMIT ?",
        (expression, limit),
    )
    return [NoteRow(row[0], row[1], row[2], tuple(_list(row[3]))) for row in rows]


def notes_beginning(connection: sqlite3.Connection, beginning: str, limit: int) -> list[NoteRow]:
    """Notes with a title, alias or path whose last segment begins so (folded), the shortest name first."""
    rows = connection.execute(
        "SELECT f.id, f.path, f.title, f.aliases FROM name n JOIN file f ON f.id = n.file_id "
        "WHERE n.key >= :beginning AND n.key < :beginning || char(0x10ffff) AND n.source IN ('path', 'title', 'alias') "
        "GROUP BY f.id ORDER BY min(length(n.key)), f.path LIMIT :limit",
        {"beginning": beginning, "limit": limit},
    )
    return [NoteRow(row[0], row[1], row[2], tuple(_list(row[3]))) for row in rows]


def tags_beginning(connection: sqlite3.Connection, expression: str, limit: int) -> list[str]:
    """The tags of entries that match an FTS5 `expression`, without duplicates."""
    rows = connection.execute(
        "SELECT DISTINCT e.tags FROM entry_fts JOIN entry e ON e.id = entry_fts.rowid "
        "WHERE entry_fts MATCH ? AND e.tags <> '[]' LIMIT ?",
        (expression, limit),
    )
    return list(dict.fromkeys(tag for row in rows for tag in _list(row[0])))


def _tagged(row: tuple[Any, ...]) -> TaggedEntry:
    file_id, path, type_, ordinal, level, start, line, raw, tags = row
    return TaggedEntry(file_id, path, type_, ordinal, level, start, line, raw, tuple(_list(tags)))


def _heading(row: tuple[Any, ...]) -> HeadingRow:
    path, file_id, title, ordinal, heading, outline, *span = row
    return HeadingRow(path, file_id, title, ordinal, heading, tuple(_list(outline)), Span(*span))


def _list(text: str | None) -> list[str]:
    return [str(item) for item in json.loads(text or "[]")]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace('"', "_")
