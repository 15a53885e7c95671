"""The word index as arrays, in the state that a search reads.

Most of it was read some time ago and is kept in a file beside the database. Each file of the vault has a number there that is
drawn anew whenever its words change: what was kept of a file with another number is left out, and its words are read now.
Where those are many the arrays are not asked, and are to be read anew (`WordStates.renew`) by somebody who has the time.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from khoj_ls.search.bm25 import ENTRIES, HEADINGS, NAMES, NOTES
from khoj_ls.search.fresh_words import FreshWords
from khoj_ls.search.stems import Stems
from khoj_ls.search.word_rows import WordRows
from khoj_ls.store.columns import read_pairs
from khoj_ls.store.database import Database, get_meta
from khoj_ls.store.postings import Postings, WordTable, read_postings
from khoj_ls.store.postings_file import load_postings, save_postings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

ENTRY_WORDS = WordTable(
    ENTRIES.name, ("title", "heading", "body"), (ENTRIES.weights, HEADINGS), "SELECT id, file_id AS file FROM entry"
)
NOTE_WORDS = WordTable(NOTES.name, ("name", "title", "tags", "body"), (NOTES.weights, NAMES), "SELECT id, id AS file FROM file")
TABLES = (ENTRY_WORDS, NOTE_WORDS)
NAMING = 1
"""The weighting of both that counts what an entry or a note is called, alone."""
_MOST_FRESH = 1000
"""Entries: to read the words of so many takes some 20 ms, once after each change. Of a few hundred it takes a few."""
_RENEWED_AFTER = 300
"""Entries: so many are worth reading all."""
_SHARE_OF_TIME = 20
"""While notes change, arrays are read anew after so many times as long as reading them takes."""


@dataclass(frozen=True)
class WordState:
    """All words of one state."""

    entries: WordRows
    notes: WordRows
    stems: Stems


@dataclass(frozen=True)
class _Kept:
    postings: Mapping[WordTable, Postings]
    files: NDArray[np.int64]
    """Ids of the files, ascending."""
    drawn: NDArray[np.int64]
    """The number of each."""


class WordStates:
    """The newest state seen. Thread-safe. Lives as long as its vault is open."""

    def __init__(self, path: Path | None = None) -> None:
        """Know nothing yet; with a `path` what is kept is kept there."""
        self._path = path
        self._lock = threading.Lock()
        self._stems = Stems()
        self._fresh = FreshWords(TABLES)
        self._kept: _Kept | None = None
        self._looked = path is None
        self._state = ""
        self._held: WordState | None = None
        self._many = False
        self._renewed_at, self._took = 0.0, 0.0

    def of(self, connection: sqlite3.Connection) -> WordState | None:
        """The words of the state that `connection` reads; None while too many of them were written since they were read."""
        state = get_meta(connection, "notes_revision")
        with self._lock:
            if state != self._state:
                self._held, self._state = self._read(connection), state
            return self._held

    @property
    def worn(self) -> bool:
        """Whether it is time to read them anew: so much was written since."""
        return self._many and time.monotonic() - self._renewed_at >= _SHARE_OF_TIME * self._took

    def renew(self, database: Database, check: Callable[[], None] = lambda: None) -> None:
        """Read all words, which takes seconds for 100,000 entries, and keep them; searches go on meanwhile.

        Calls `check` every few milliseconds: what it raises ends it. Raises StoreError.
        """
        began = time.monotonic()
        with database.read() as connection:
            files, drawn = _files(connection)
            kept = self._saved(connection, files, drawn, check) if not database.read_only else None
            if kept is None:
                kept = _Kept({table: read_postings(connection, table, check) for table in TABLES}, files, drawn)
        with self._lock:
            self._kept, self._looked, self._state, self._many = kept, True, "", False
            self._renewed_at = time.monotonic()
            self._took = self._renewed_at - began

    def _read(self, connection: sqlite3.Connection) -> WordState | None:
        import numpy as np

        if not self._looked:
            self._kept, self._looked = self._load(), True
        files, drawn = _files(connection)
        new: NDArray[np.bool_] = np.ones(len(files), bool)
        if self._kept is not None and len(self._kept.files):
            places = np.searchsorted(self._kept.files, files).clip(max=len(self._kept.files) - 1)
            new = (self._kept.files[places] != files) | (self._kept.drawn[places] != drawn)
        count = _entries(connection, files[new].tolist())
        self._many = count > _RENEWED_AFTER
        if count > _MOST_FRESH:
            self._fresh.clear()
            return None
        fresh = self._fresh.of(connection, dict(zip(files[new].tolist(), drawn[new].tolist(), strict=True)))
        entries, notes = (self._rows(table, fresh[table], files[~new]) for table in TABLES)
        return WordState(entries, notes, self._stems)

    def _rows(self, table: WordTable, fresh: Postings, files: NDArray[np.int64]) -> WordRows:
        """The rows of a table: what was kept of these `files`, and what is fresh."""
        import numpy as np

        if self._kept is None:
            return WordRows((fresh,), np.ones(len(fresh.ids), bool))
        kept = self._kept.postings[table]
        still: NDArray[np.bool_] = np.zeros(int(kept.files.max(initial=0)) + 1, bool)
        still[files[files < len(still)]] = True
        return WordRows((kept, fresh), np.concatenate([still[kept.files], np.ones(len(fresh.ids), bool)]))

    def _saved(
        self, connection: sqlite3.Connection, files: NDArray[np.int64], drawn: NDArray[np.int64], check: Callable[[], None]
    ) -> _Kept | None:
        """The words of a state, written to the file piece by piece; None where they cannot be kept there."""
        if self._path is None:
            return None
        try:
            save_postings(self._path, connection, TABLES, {"files": files, "drawn": drawn}, check)
        except OSError as error:
            log.info("the arrays of the word index are not kept in %s: %s", self._path, error)
            return None
        return self._load()

    def _load(self) -> _Kept | None:
        found = load_postings(self._path, TABLES) if self._path is not None else None
        return _Kept(found[0], found[1]["files"], found[1]["drawn"]) if found else None


def _entries(connection: sqlite3.Connection, files: list[int]) -> int:
    """How many entries some files have; at least as many as there are files, where those are many."""
    if len(files) > _MOST_FRESH:
        return len(files)
    (count,) = connection.execute(
        "SELECT count(*) FROM entry WHERE file_id IN (SELECT value FROM json_each(?))", (json.dumps(files),)
    ).fetchone()
    return max(len(files), int(count))


def _files(connection: sqlite3.Connection) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The ids of all files, ascending, and the number that each has drawn."""
    import numpy as np

    files, drawn = read_pairs(connection, "id", "words", "file INDEXED BY idx_file_words")
    order = np.argsort(files)
    return files[order], drawn[order]
