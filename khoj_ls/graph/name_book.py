"""The names of a vault as one may begin to write them: of notes, tags, ids and citation keys.

Reading all names of ten thousand notes costs some hundredths of a second, too much for every key that is pressed. A `Shelf`
keeps them; they are never resolved from here, only proposed.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass

import msgspec

from khoj_ls.graph.name_list import NameList
from khoj_ls.graph.name_rows import READERS, Section
from khoj_ls.store.database import get_meta
from khoj_ls.store.files import content_hash

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
        self._reading = threading.Lock()
        self._asking = threading.Lock()
        self._kept: dict[Section, _Kept] = {}
        self._changed = 0.0
        self._begun = False

    def begin(self) -> bool:
        """Whether nothing was ever asked of it: from now on `refresh` reads the names of notes and tags unasked.

        Waits for no reading: the event loop asks at every key.
        """
        with self._asking:
            first = not self._begun
            self._begun = True
            return first

    def names(self, connection: sqlite3.Connection, section: Section) -> NameList:
        """The names of a section, perhaps as they were some seconds ago: see `stale`. Known ones wait for no reading."""
        if known := self._kept.get(section):
            return known.names
        with self._reading:
            known = self._kept.get(section)
            return known.names if known else self._read(connection, section)

    def changed(self) -> None:
        """Take note that notes are other than they were."""
        self._changed = time.monotonic()

    def stale(self, connection: sqlite3.Connection) -> list[Section]:
        """The sections that something may have changed in since they were read."""
        revision, now = get_meta(connection, "notes_revision"), time.monotonic()
        found: list[Section] = [section for section in _READ_UNASKED if self._begun and section not in self._kept]
        for section, known in list(self._kept.items()):
            fresh = _FRESH_SECONDS if self._changed >= known.at else _OLD_SECONDS
            if known.revision != revision and now - known.at > fresh:
                found.append(section)
        return found

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Read what is stale again."""
        with self._reading:
            for section in self.stale(connection):
                self._read(connection, section)

    def _read(self, connection: sqlite3.Connection, section: Section) -> NameList:
        revision, at = get_meta(connection, "notes_revision"), time.monotonic()
        rows_of, named = READERS[section]
        rows = rows_of(connection)
        state = content_hash(msgspec.json.encode(rows))
        known = self._kept.get(section)
        # Most edits change no name: then what was made of the names stays.
        names = known.names if known and known.state == state else NameList(named(connection, rows))
        names.get_ready()
        self._kept[section] = _Kept(revision, at, state, names)
        return names


@dataclass(frozen=True, slots=True)
class _Kept:
    """The names of a section, and what they were made of."""

    revision: str
    """That of the notes when they were read. It stays while vectors are stored."""
    at: float
    state: bytes
    """A digest of the rows."""
    names: NameList
