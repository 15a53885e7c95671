"""The words of an index by the pairs of letters in them, so that those spelled nearly like one are found without reading all.

An edit of a word changes few of its pairs (of q-grams in general: Ukkonen 1992, "Approximate string-matching with q-grams and
maximal matches", TCS 92(1)), so words within some edits share all others; with both ends counted as letters, a word of n
letters has n + 1 pairs, and an edit changes three at most, where it swaps two letters. Triples would be fewer to look through,
but two letters swapped in a word of four leave none of them.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from khoj_ls.store.database import get_meta

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SHORTEST, _LONGEST = 3, 32
"""Letters: what is longer is no word that a person writes; of CJK text the index holds single signs."""
_END = "\x01"
"""Between words, and as the letter before and after each; no token holds a control character."""
_KEYS = 1 << 16
"""Pairs are told apart by so many numbers. Two pairs of one number only bring more words to compare."""
_CHANGED_PAIRS = 3
_SHARE_OF_TIME = 20
"""While notes change, words are read again after so many times as long as reading them takes."""


class Near(NamedTuple):
    """A word of the index that is spelled nearly like one."""

    stem: str
    edits: int
    """Letters too many, too few or wrong, and neighbours that are swapped."""
    entries: int
    """How many entries hold it."""


@dataclass(frozen=True)
class _Words:
    """The words of one state of the index."""

    text: str
    """All of them, `_END` between them and around."""
    starts: NDArray[np.int64]
    """Where in `text` each word begins, and one more: where the next would."""
    entries: NDArray[np.int32]
    """How many entries hold each."""
    with_pair: NDArray[np.int32]
    """Numbers of the words with each pair, one pair's behind the other's."""
    pairs: NDArray[np.int64]
    """Where in `with_pair` those of each pair begin, and one more."""

    def near(self, stem: str, most: int) -> list[Near]:
        import numpy as np
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        keys = set(_keys(np.frombuffer(f"{_END}{stem}{_END}".encode("utf-32-le"), np.uint32)).tolist())
        shared = np.bincount(
            np.concatenate([self.with_pair[self.pairs[key] : self.pairs[key + 1]] for key in keys]),
            minlength=len(self.entries),
        )
        alike = np.abs(np.diff(self.starts) - 1 - len(stem)) <= most
        likely = np.flatnonzero(alike & (shared >= max(1, len(keys) - _CHANGED_PAIRS * most)))
        words = [self.text[self.starts[at] : self.starts[at + 1] - 1] for at in likely]
        found = process.extract(stem, words, scorer=OSA.distance, score_cutoff=most, limit=None)
        return [Near(word, int(edits), int(self.entries[likely[at]])) for word, edits, at in found]


class Vocabulary:
    """The words of a vault's index, read when somebody first asks and again when notes have changed. Thread-safe."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._words: _Words | None = None
        self._state = ""
        self._read_at = self._took = 0.0

    def near(self, connection: sqlite3.Connection, stem: str, most: int) -> list[Near]:
        """The words with at most `most` edits between them and `stem`, in no order.

        What was written in the last seconds may not be among them: 200,000 words take half a second to read, so they are not
        read again at once. Looking something up in them takes a millisecond or two.
        """
        words = self._now(connection)
        return words.near(stem, most) if words else []

    def _now(self, connection: sqlite3.Connection) -> _Words | None:
        state = get_meta(connection, "notes_revision")
        with self._lock:
            began = time.monotonic()
            if state != self._state and began - self._read_at >= _SHARE_OF_TIME * self._took:
                self._words, self._state = _read(connection), state
                self._read_at = time.monotonic()
                self._took = self._read_at - began
            return self._words


def _read(connection: sqlite3.Connection) -> _Words | None:
    import numpy as np

    # One row, made without Python: other requests go on meanwhile.
    terms, held = connection.execute(
        "SELECT group_concat(term, char(1)), group_concat(doc, ' ') FROM entry_vocab WHERE length(term) BETWEEN ? AND ?",
        (_SHORTEST, _LONGEST),
    ).fetchone()
    if terms is None:
        return None
    text = f"{_END}{terms}{_END}"
    letters = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    ends = letters == ord(_END)
    number = np.cumsum(ends, dtype=np.int32)[:-1] - 1
    keys = _keys(letters)
    # Sixteen bits are sorted by their value (radix), which takes no longer than to look at them.
    order = np.argsort(keys, kind="stable")
    pairs: NDArray[np.int64] = np.zeros(_KEYS + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=_KEYS), out=pairs[1:])
    return _Words(text, np.flatnonzero(ends) + 1, np.array(held.split(), np.int32), number[order], pairs)


def _keys(letters: NDArray[np.uint32]) -> NDArray[Any]:
    """The number of each pair of neighbours."""
    import numpy as np

    return (letters[:-1] * np.uint32(31) + letters[1:] * np.uint32(1009)).astype(np.uint16)
