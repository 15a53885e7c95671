"""Words as the word index holds them: folded and cut to their stems by the index's own tokenizer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence

from khoj_ls.search.matching import TOKENIZER

_MOST_KEPT = 10_000


class Stems:
    """Stems of words, remembered. Thread-safe; making one takes longer than asking it, so it is kept."""

    def __init__(self) -> None:
        """Know none yet."""
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, ...]] = {}
        self._cutter = cutter()

    def of(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """The tokens of each text, in order: mostly one; none where it holds no letter."""
        with self._lock:
            if len(self._known) > _MOST_KEPT:
                self._known.clear()
            if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
                self._known |= cut(self._cutter, new)
            return [self._known[text] for text in texts]


def cutter() -> sqlite3.Connection:
    """An empty word index in memory, to `cut` words with."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute(f"CREATE VIRTUAL TABLE t USING fts5(text, tokenize = '{TOKENIZER}')")
    connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'instance')")
    return connection


def cut(cutter: sqlite3.Connection, texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The tokens of each text, in order."""
    found: dict[str, list[str]] = {text: [] for text in texts}
    cutter.execute("BEGIN")
    try:
        cutter.executemany("INSERT INTO t (rowid, text) VALUES (?, ?)", enumerate(found))
        by_row = list(found.values())
        for row, stem in cutter.execute("SELECT doc, term FROM v ORDER BY doc, offset"):
            by_row[row].append(stem)
    finally:
        cutter.execute("ROLLBACK")
    return {text: tuple(stems) for text, stems in found.items()}
