"""Where words stand in a text, found by the word index's own tokenizer, so that what is marked is what was matched."""

from __future__ import annotations

import re
import sqlite3
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from types import MappingProxyType

from khoj_ls.core.text import apart, spaced

TOKENIZER = "porter unicode61 remove_diacritics 2"
"""As in the database (store.migrations)."""

_BLANK = re.compile(" ")
_OPEN, _CLOSE = "\x01", "\x02"
_BETWEEN = " \ue000 "
"""A word of no language (the tokenizer takes characters for private use for letters): no phrase reaches over it."""
_NO_MARKS = MappingProxyType({ord(_OPEN): " ", ord(_CLOSE): " ", 0: " "})
"""FTS5 gives back nothing that stands behind a NUL."""


class WordFinder:
    """A word index for a few texts at a time. Thread-safe; making one takes as long as using it, so it is kept."""

    def __init__(self) -> None:
        """Make an empty index."""
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        # columnsize=0: nothing is ranked here.
        self._connection.execute(f"CREATE VIRTUAL TABLE t USING fts5(text, tokenize = '{TOKENIZER}', columnsize = 0)")

    def find(self, texts: Sequence[str], expression: str) -> list[list[tuple[int, int]]]:
        """Character ranges in each of `texts` of the phrases of an FTS5 `expression` (joined by OR), ascending and apart."""
        found: list[list[tuple[int, int]]] = [[] for _ in texts]
        if not texts or not expression:
            return found
        texts = [text.translate(_NO_MARKS) if _OPEN in text or _CLOSE in text or "\0" in text else text for text in texts]
        written = [spaced(text) for text in texts]
        # A compound word is found by its parts too: those texts are looked through a second time, with the parts apart.
        parted = ((row, apart(text)) for row, text in enumerate(written))
        seen = [*enumerate(written), *((row, text) for row, text in parted if text != written[row])]
        starts = [0, *accumulate(len(text) + len(_BETWEEN) for _, text in seen)]
        marked: dict[int, list[tuple[int, int]]] = {}
        for start, end in _ranges(self._marked(_BETWEEN.join(text for _, text in seen), expression)):
            at = bisect_right(starts, start) - 1
            marked.setdefault(at, []).append((start - starts[at], end - starts[at]))
        for at, ranges in marked.items():
            row, text = seen[at]
            found[row] += _in_text(texts[row], text, ranges)
        return [_joined(sorted(ranges)) for ranges in found]

    def _marked(self, text: str, expression: str) -> str:
        """The text with marks around what is found in it; empty where nothing is."""
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                # One row for all takes less time than one for each of forty texts.
                self._connection.execute("INSERT INTO t (text) VALUES (?)", (text,))
                row = self._connection.execute(
                    "SELECT highlight(t, 0, ?, ?) FROM t WHERE t MATCH ?", (_OPEN, _CLOSE, expression)
                ).fetchone()
            finally:
                self._connection.execute("ROLLBACK")
        return str(row[0]) if row else ""


def _ranges(marked: str) -> list[tuple[int, int]]:
    """Ranges that `highlight` marked, in characters of the unmarked text."""
    ranges = []
    position = 0
    for piece in marked.split(_OPEN):
        inside, closed, after = piece.partition(_CLOSE)
        if closed:
            ranges.append((position, position + len(inside)))
        position += len(inside) + len(after)
    return ranges


def _in_text(text: str, written: str, ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in the spaced-out text as ranges in the text itself; none begins or ends with a blank."""
    if len(text) == len(written) or not ranges:
        return ranges
    put_in: list[int] = []
    for blank in _BLANK.finditer(written):
        if not text.startswith(" ", blank.start() - len(put_in)):
            put_in.append(blank.start())
    return [(start - bisect_left(put_in, start), end - bisect_left(put_in, end)) for start, end in ranges]


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges with those that touch or overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
