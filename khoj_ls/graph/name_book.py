"""The names of a vault as one may begin to write them: of notes, tags, ids and citation keys.

Reading all names of ten thousand notes costs some hundredths of a second, too much for every key that is pressed. A `Shelf`
keeps them; they are never resolved from here, only proposed.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Literal

from khoj_ls.graph.name_list import Named, NameList
from khoj_ls.links.text import split_suffix
from khoj_ls.store.database import get_meta
from khoj_ls.store.links import string_list

Section = Literal["notes", "tags", "ids", "citations", "blocks"]

_FRESH_SECONDS = 1.0
"""Names older than this are read again, once notes are known to have changed."""
_READ_UNASKED: tuple[Section, ...] = ("notes", "tags")
"""What is asked for most."""
_OLD_SECONDS = 15.0
"""Older ones are read again once anything was written: where another process writes the index nobody tells of changes."""


class Shelf:
    """The names of one vault, kept between questions. Thread-safe."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._guard = threading.Lock()
        self._kept: dict[Section, tuple[str, float, NameList]] = {}
        self._rows: dict[Section, object] = {}
        self._changed = 0.0
        self._begun = False

    def begin(self) -> bool:
        """Whether nothing was ever asked of it: from now on `refresh` reads the names of notes and tags unasked."""
        with self._guard:
            first = not self._begun
            self._begun = True
            return first

    def names(self, connection: sqlite3.Connection, section: Section) -> NameList:
        """The names of a section, perhaps as they were some seconds ago: see `stale`."""
        with self._guard:
            known = self._kept.get(section)
            return known[2] if known else self._read(connection, section)

    def changed(self) -> None:
        """Take note that notes are other than they were."""
        self._changed = time.monotonic()

    def stale(self, connection: sqlite3.Connection) -> list[Section]:
        """The sections that something may have changed in since they were read."""
        revision, now = get_meta(connection, "revision"), time.monotonic()
        found: list[Section] = [section for section in _READ_UNASKED if self._begun and section not in self._kept]
        for section, (seen, at, _) in list(self._kept.items()):
            fresh = _FRESH_SECONDS if self._changed >= at else _OLD_SECONDS
            if seen != revision and now - at > fresh:
                found.append(section)
        return found

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Read what is stale again."""
        for section in self.stale(connection):
            with self._guard:
                self._read(connection, section)

    def _read(self, connection: sqlite3.Connection, section: Section) -> NameList:
        revision, at = get_meta(connection, "revision"), time.monotonic()
        known = self._kept.get(section)
        rows = (
            sorted(connection.execute("SELECT id, path, title, aliases FROM file").fetchall()) if section == "notes" else None
        )
        # Most edits change no name: then what was made of the names stays.
        found = known[2] if known and rows and rows == self._rows.get(section) else NameList(_READERS[section](connection))
        self._rows[section] = rows
        self._kept[section] = (revision, at, found)
        return found


def _notes(connection: sqlite3.Connection) -> Iterable[Named]:
    rows = connection.execute(
        "SELECT id, path, title, aliases FROM file WHERE status = 'indexed' ORDER BY mtime_ns DESC, path"
    ).fetchall()
    # Only Org links by the id of a note.
    ids = dict(
        connection.execute(
            "SELECT a.file_id, a.name FROM anchor a JOIN file f ON f.id = a.file_id "
            "WHERE a.kind = 'id' AND a.entry = 0 AND a.line = 1 AND f.type = 'org'"
        ).fetchall()
    )
    for number, (file_id, path, title, aliases) in enumerate(rows):
        base = split_suffix(path)[0].rpartition("/")[2]
        names = dict.fromkeys(name for name in (title, *string_list(aliases), base) if name)
        weight = 1.0 - number / max(1, len(rows))
        yield Named(path, file_id, tuple(names), title or base, ids.get(file_id, ""), 1, weight)


def _tags(connection: sqlite3.Connection) -> Iterable[Named]:
    counts: Counter[str] = Counter()
    for name, count in connection.execute("SELECT target, count(*) FROM link WHERE kind = 'tag' GROUP BY target"):
        counts[name] += count
    for sql in (
        "SELECT tags FROM file WHERE tags IS NOT NULL AND tags <> '[]'",
        "SELECT e.tags FROM entry e JOIN file f ON f.id = e.file_id "
        "WHERE f.type = 'org' AND e.tags IS NOT NULL AND e.tags <> '[]'",
    ):
        for (tags,) in connection.execute(sql):
            counts.update(string_list(tags))
    most = max(counts.values(), default=1)
    for name, count in counts.items():
        yield Named("", 0, (name,), name, weight=count / most)


def _ids(connection: sqlite3.Connection) -> Iterable[Named]:
    """Notes and headings that have an id."""
    rows = connection.execute(
        "SELECT a.name, a.file_id, f.path, f.title, e.heading, e.level, a.line FROM anchor a "
        "JOIN file f ON f.id = a.file_id JOIN entry e ON e.file_id = a.file_id AND e.ordinal = a.entry WHERE a.kind = 'id'"
    )
    for name, file_id, path, title, heading, level, line in rows.fetchall():
        shown = heading if level and heading else title or split_suffix(path)[0].rpartition("/")[2]
        yield Named(path, file_id, (shown, name), shown, name, line)


def _blocks(connection: sqlite3.Connection) -> Iterable[Named]:
    """Logseq's blocks that have an id, by their first line."""
    rows = connection.execute(
        "SELECT a.name, a.file_id, f.path, substr(CAST(e.raw AS BLOB), a.start_byte - e.start_byte + 1, 240), a.line "
        "FROM anchor a JOIN file f ON f.id = a.file_id "
        "JOIN entry e ON e.file_id = a.file_id AND e.ordinal = a.entry WHERE a.kind = 'id' AND length(a.name) = 36"
    )
    for name, file_id, path, raw, line in rows.fetchall():
        text = first_words(bytes(raw).decode(errors="ignore"))
        yield Named(path, file_id, (text or name,), text or name, name, line)


def first_words(raw: str) -> str:
    """The first line of a block that says something, without its list or heading mark."""
    for line in raw.split("\n"):
        text = re.sub(r"^(?:[-+*>#]+|\d+[.)])[ \t]+|\s\^[\w-]+$", "", line.strip()).strip()
        if text and not re.match(r"[\w-]+::\s|:[\w-]+:", text):
            return text[:120]
    return ""


def _citations(connection: sqlite3.Connection) -> Iterable[Named]:
    rows = connection.execute(
        "SELECT n.full, n.file_id, f.path, f.title, f.properties FROM name n JOIN file f ON f.id = n.file_id "
        "WHERE n.source = 'citation'"
    )
    for full, file_id, path, title, properties in rows.fetchall():
        key = _as_written(full[1:], properties)
        shown = title or split_suffix(path)[0].rpartition("/")[2]
        yield Named(path, file_id, (key, shown), key, key)


def _as_written(key: str, properties: str | None) -> str:
    """A citation key, which names hold in lower case, as the note has it."""
    for name, value in json.loads(properties or "[]"):
        if name.lower().startswith("roam_refs") and (found := re.search(re.escape(key), str(value), re.IGNORECASE)):
            return found[0]
    return key


_READERS: MappingProxyType[Section, Callable[[sqlite3.Connection], Iterable[Named]]] = MappingProxyType(
    {"notes": _notes, "tags": _tags, "ids": _ids, "citations": _citations, "blocks": _blocks}
)
