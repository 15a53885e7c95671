"""How much an index holds: what every search needs to know and only a write can change."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass

from khoj_ls.store.chunks import ActiveModel, coverage
from khoj_ls.store.database import get_meta


@dataclass(frozen=True)
class Statistics:
    """Counts of one state of the database."""

    entries: int
    notes: int
    coverage: float
    """Share of the notes' passages that have their vector, 0..1."""


class StatisticsCache:
    """The statistics of the newest state seen. Counting 100,000 rows takes milliseconds; asking for the revision takes none.

    Thread-safe. Lives as long as its vault is open.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._known: tuple[object, Statistics] | None = None

    def of(self, connection: sqlite3.Connection, model: ActiveModel | None) -> Statistics:
        """The statistics of the state that `connection` reads."""
        state = (get_meta(connection, "revision"), model)
        with self._lock:
            if self._known and self._known[0] == state:
                return self._known[1]
        (entries,) = connection.execute("SELECT count(*) FROM entry").fetchone()
        (notes,) = connection.execute("SELECT count(*) FROM file WHERE status = 'indexed'").fetchone()
        embedded, total = coverage(connection, model) if model else (0, notes)
        counted = Statistics(entries, notes, embedded / total if total else 1.0)
        with self._lock:
            self._known = (state, counted)
        return counted
