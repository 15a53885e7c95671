"""What filters have kept, remembered while the index is as it was: typing on in a query with filters asks them once."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from khoj_ls.search.filters.layout import Layout, read_layout
from khoj_ls.store.database import get_meta

Answer = TypeVar("Answer")

_MOST_KEPT = 128
"""Answers: of 100,000 entries each takes about as many bytes. A filter has two or three: entries, notes, vectors."""


class ScopeCache:
    """The answers of filters for the newest state seen. Thread-safe. Lives as long as its vault is open."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._state: str | None = None
        self._layout: Layout | None = None
        self._kept: OrderedDict[Hashable, object] = OrderedDict()

    def layout(self, connection: sqlite3.Connection) -> Layout:
        """Which entries belong to which note, in the state that `connection` reads."""
        state = get_meta(connection, "notes_revision")
        with self._lock:
            if self._state == state and self._layout is not None:
                return self._layout
        layout = read_layout(connection)
        with self._lock:
            self._begin(state)
            self._layout = layout
        return layout

    def remembered(self, connection: sqlite3.Connection, asked: Hashable, answer: Callable[[], Answer]) -> Answer:
        """What was answered before to what is `asked`, in the state that `connection` reads, or what `answer` answers now.

        Whoever asks must ask the same of `answer` each time.
        """
        state = get_meta(connection, "notes_revision")
        with self._lock:
            if self._state == state and asked in self._kept:
                self._kept.move_to_end(asked)
                return cast(Answer, self._kept[asked])
        found = answer()
        with self._lock:
            self._begin(state)
            self._kept[asked] = found
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found

    def _begin(self, state: str) -> None:
        """Forget what another state of the index answered."""
        if self._state != state:
            self._state, self._layout = state, None
            self._kept.clear()
