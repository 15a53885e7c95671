"""How much an index holds: what every search needs to know and only a write can change."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from khoj_ls.search.bm25 import ENTRIES, FEW_ROWS, counted
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
    _frequent: dict[str, int] = field(default_factory=dict, compare=False)
    """How many entries hold what many hold, as far as it was asked before."""

    def holding(self, connection: sqlite3.Connection, expressions: Sequence[str]) -> dict[str, int]:
        """How many entries each FTS5 expression finds in this state, as `bm25.counted` does.

        What was asked once of an expression that finds many is remembered: to count those takes longest, and they are few.
        """
        known = {each: rows for each in expressions if (rows := self._frequent.get(each))}
        new = [each for each in expressions if each not in known]
        found = counted(connection, ENTRIES, new, self.entries) if new else {}
        self._frequent.update((each, rows) for each, rows in found.items() if rows > FEW_ROWS)
        return {each: found[each] if each in found else known[each] for each in expressions}


class StatisticsCache:
    """The statistics of the newest state seen. Counting 100,000 rows takes milliseconds; asking for the revision takes none.

    While vectors are being made, each batch of them is a new state: what they cover is counted again about once a second.
    Thread-safe. Lives as long as its vault is open.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._held: tuple[str, int, int, dict[str, int]] | None = None
        self._vocabulary = Vocabulary()
        self._covered: tuple[tuple[str, ActiveModel], float, float] | None = None

    def of(self, connection: sqlite3.Connection, model: ActiveModel | None) -> Statistics:
        """The statistics of the state that `connection` reads."""
        entries, notes, frequent = self._counts(connection)
        return Statistics(entries, notes, self._coverage(connection, model, notes), self._vocabulary, frequent)

    def _counts(self, connection: sqlite3.Connection) -> tuple[int, int, dict[str, int]]:
        state = get_meta(connection, "notes_revision")
        with self._lock:
            if self._held and self._held[0] == state:
                return self._held[1:]
        (entries,) = connection.execute("SELECT count(*) FROM entry").fetchone()
        (notes,) = connection.execute("SELECT count(*) FROM file WHERE status = 'indexed'").fetchone()
        with self._lock:
            self._held = (state, entries, notes, {})
            return self._held[1:]

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
