"""How much an index holds: what every search needs to know and only a write can change."""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass, field

from khoj_ls.search.vocabulary import Vocabulary
from khoj_ls.store.chunks import ActiveModel, anything_pending, coverage
from khoj_ls.store.database import get_meta

_COUNTED_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Statistics:
    """Counts of one state of the database."""

    entries: int
    notes: int
    coverage: float
    """Share of the notes' passages that have their vector, 0..1."""
    vocabulary: Vocabulary = field(default_factory=Vocabulary, compare=False)
    """All words of it; nothing is read before they are asked for."""


class StatisticsCache:
    """The statistics of the newest state seen. Counting 100,000 rows takes milliseconds; asking for the revision takes none.

    While vectors are being made, each batch of them is a new state: what they cover is counted again about once a second.
    Thread-safe. Lives as long as its vault is open.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._held: tuple[str, int, int] | None = None
        self._vocabulary = Vocabulary()
        self._covered: tuple[tuple[str, ActiveModel], float, float] | None = None

    def of(self, connection: sqlite3.Connection, model: ActiveModel | None) -> Statistics:
        """The statistics of the state that `connection` reads."""
        entries, notes = self._counts(connection)
        return Statistics(entries, notes, self._coverage(connection, model, notes), self._vocabulary)

    def _counts(self, connection: sqlite3.Connection) -> tuple[int, int]:
        state = get_meta(connection, "notes_revision")
        with self._lock:
            if self._held and self._held[0] == state:
                return self._held[1:]
        (entries,) = connection.execute("SELECT count(*) FROM entry").fetchone()
        (notes,) = connection.execute("SELECT count(*) FROM file WHERE status = 'indexed'").fetchone()
        with self._lock:
            self._held = (state, entries, notes)
        return entries, notes

    def _coverage(self, connection: sqlite3.Connection, model: ActiveModel | None, notes: int) -> float:
        if model is None:
            return 0.0 if notes else 1.0
        state = (get_meta(connection, "revision"), model)
        with self._lock:
            known = self._covered
        if known and known[0][1] == model:
            recent = known[1] < 1.0 and time.monotonic() - known[2] < _COUNTED_AGAIN_SECONDS
            if known[0] == state or (recent and anything_pending(connection, model)):
                return known[1]
        embedded, total = coverage(connection, model)
        share = embedded / total if total else 1.0
        with self._lock:
            self._covered = (state, share, time.monotonic())
        return share
