"""What a vault's index knows of names, section by section.

Each section is read in two steps: its rows, which cost little and tell whether anything is called otherwise than before, and
what is made of them.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from khoj_ls.graph.name_list import Named
from khoj_ls.links.text import split_suffix
from khoj_ls.store.links import string_list

Section = Literal["notes", "tags", "ids", "citations", "blocks"]
Rows = Sequence[tuple[Any, ...]]


class Reader(NamedTuple):
    """How a section is read."""

    rows: Callable[[sqlite3.Connection], Rows]
    """What all its names are made of. The same rows make the same names, but for their weights."""
    named: Callable[[sqlite3.Connection, Rows], Iterable[Named]]


def _selecting(sql: str) -> Callable[[sqlite3.Connection], Rows]:
    return lambda connection: connection.execute(sql).fetchall()


_NOTES = _selecting(
    # Only Org links by the id of a note.
    "SELECT f.id, f.path, f.title, f.aliases, CASE f.type WHEN 'org' THEN (SELECT a.name FROM anchor a "
    "WHERE a.file_id = f.id AND a.kind = 'id' AND a.entry = 0 AND a.line = 1 ORDER BY a.id DESC LIMIT 1) END "
    "FROM file f WHERE f.status = 'indexed' ORDER BY f.id"
)


def _notes(connection: sqlite3.Connection, rows: Rows) -> Iterable[Named]:
    known = {row[0]: row for row in rows}
    newest = connection.execute("SELECT id FROM file WHERE status = 'indexed' ORDER BY mtime_ns DESC, path").fetchall()
    ordered = [known[file_id] for (file_id,) in newest if file_id in known]
    for number, (file_id, path, title, aliases, id_) in enumerate(ordered):
        base = split_suffix(path)[0].rpartition("/")[2]
        names = dict.fromkeys(name for name in (title, *string_list(aliases), base) if name)
        weight = 1.0 - number / max(1, len(ordered))
        yield Named(path, file_id, tuple(names), title or base, id_ or "", 1, weight)


_TAGS = _selecting(
    "SELECT json_array(target), count(*) FROM link WHERE kind = 'tag' GROUP BY target "
    "UNION ALL SELECT tags, count(*) FROM file WHERE tags <> '[]' GROUP BY tags "
    "UNION ALL SELECT e.tags, count(*) FROM file f CROSS JOIN entry e ON e.file_id = f.id "
    "WHERE f.type = 'org' AND e.tags <> '[]' GROUP BY e.tags"
)


def _tags(connection: sqlite3.Connection, rows: Rows) -> Iterable[Named]:
    counts: Counter[str] = Counter()
    for tags, count in rows:
        for name in string_list(tags):
            counts[name] += count
    most = max(counts.values(), default=1)
    for name, count in counts.items():
        yield Named("", 0, (name,), name, weight=count / most)


_IDS = _selecting(
    "SELECT a.name, a.file_id, f.path, f.title, e.heading, e.level, a.line FROM anchor a "
    "JOIN file f ON f.id = a.file_id JOIN entry e ON e.file_id = a.file_id AND e.ordinal = a.entry WHERE a.kind = 'id'"
)


def _ids(connection: sqlite3.Connection, rows: Rows) -> Iterable[Named]:
    """Notes and headings that have an id."""
    for name, file_id, path, title, heading, level, line in rows:
        shown = heading if level and heading else title or split_suffix(path)[0].rpartition("/")[2]
        yield Named(path, file_id, (shown, name), shown, name, line)


_BLOCKS = _selecting(
    "SELECT a.name, a.file_id, f.path, substr(CAST(e.raw AS BLOB), a.start_byte - e.start_byte + 1, 240), a.line "
    "FROM anchor a JOIN file f ON f.id = a.file_id "
    "JOIN entry e ON e.file_id = a.file_id AND e.ordinal = a.entry WHERE a.kind = 'id' AND length(a.name) = 36"
)


def _blocks(connection: sqlite3.Connection, rows: Rows) -> Iterable[Named]:
    """Logseq's blocks that have an id, by their first line."""
    for name, file_id, path, raw, line in rows:
        text = first_words(bytes(raw).decode(errors="ignore"))
        yield Named(path, file_id, (text or name,), text or name, name, line)


def first_words(raw: str) -> str:
    """The first line of a block that says something, without its list or heading mark."""
    for line in raw.split("\n"):
        text = re.sub(r"^(?:[-+*>#]+|\d+[.)])[ \t]+|\s\^[\w-]+$", "", line.strip()).strip()
        if text and not re.match(r"[\w-]+::\s|:[\w-]+:", text):
            return text[:120]
    return ""


_CITATIONS = _selecting(
    "SELECT n.full, n.file_id, f.path, f.title, f.properties FROM name n JOIN file f ON f.id = n.file_id "
    "WHERE n.source = 'citation'"
)


def _citations(connection: sqlite3.Connection, rows: Rows) -> Iterable[Named]:
    for full, file_id, path, title, properties in rows:
        key = _as_written(full[1:], properties)
        shown = title or split_suffix(path)[0].rpartition("/")[2]
        yield Named(path, file_id, (key, shown), key, key)


def _as_written(key: str, properties: str | None) -> str:
    """A citation key, which names hold in lower case, as the note has it."""
    for name, value in json.loads(properties or "[]"):
        if name.lower().startswith("roam_refs") and (found := re.search(re.escape(key), str(value), re.IGNORECASE)):
            return found[0]
    return key


READERS: MappingProxyType[Section, Reader] = MappingProxyType(
    {
        "notes": Reader(_NOTES, _notes),
        "tags": Reader(_TAGS, _tags),
        "ids": Reader(_IDS, _ids),
        "citations": Reader(_CITATIONS, _citations),
        "blocks": Reader(_BLOCKS, _blocks),
    }
)
