"""The word index as arrays: of every word the rows that hold it, and how often.

FTS5 counts each word of a question anew before it ranks one row, and looks up the length of every row that it ranks; in arrays
both are there. FTS5 stays the truth: arrays are read from it (through fts5vocab), and thrown away when in doubt.
https://www.sqlite.org/fts5.html#the_fts5vocab_virtual_table_module
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from khoj_ls.store.columns import read_pairs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNIT = 0.5
"""Hits are counted in halves: weights are multiples of it."""
_MOST_HITS = 65535
_LETTERS_AT_ONCE = 1 << 19
_WORDS_AT_ONCE = 1 << 12
"""So much text is made numbers at once: some milliseconds, in which no other thread of Python runs."""


@dataclass(frozen=True)
class WordTable:
    """A word index, and what a hit in each of its columns is worth, in one way or more."""

    name: str
    columns: tuple[str, ...]
    weightings: tuple[tuple[float, ...], ...]
    """One weight per column, each."""
    owners: str
    """SQL: the ids of all its rows, each with the id of its file, as `id` and `file`."""


class Column(Protocol):
    """Hits that are had slice by slice, from memory or from a file."""

    def __getitem__(self, where: slice, /) -> NDArray[Any]:
        """Some of them."""


def hit_type(table: WordTable) -> np.dtype[Any]:
    """The hits of a word in one row: the place of the row, and by weighting what they are worth together, in units."""
    import numpy as np

    return np.dtype([("row", np.int32), ("worth", np.uint16, (len(table.weightings),))])


@dataclass(frozen=True)
class Postings:
    """Which rows hold a word; a row is told by its place in `ids`."""

    letters: NDArray[np.uint8]
    """All words in UTF-8, ascending, one behind the other."""
    words: NDArray[np.int64]
    """Where in `letters` each word begins, and where the last one ends."""
    starts: NDArray[np.int64]
    """Where in `hits` those of each word begin, and where those of the last one end."""
    hits: Column
    """Where each word stands, row by row: see `hit_type`."""
    ids: NDArray[np.int64]
    """Row ids, ascending."""
    files: NDArray[np.int64]
    """The file of each row."""
    sizes: NDArray[np.int32]
    """How many words each row has."""

    def of(self, word: str) -> slice:
        """Where in `hits` those of a word are, as the index cuts it; an empty slice where no row holds it."""
        wanted = word.encode()
        at = bisect_left(range(len(self.words) - 1), wanted, key=self._word)
        if at == len(self.words) - 1 or self._word(at) != wanted:
            return slice(0, 0)
        return slice(int(self.starts[at]), int(self.starts[at + 1]))

    def _word(self, at: int) -> bytes:
        return bytes(self.letters[self.words[at] : self.words[at + 1]])


def read_postings(
    connection: sqlite3.Connection,
    table: WordTable,
    check: Callable[[], None] = lambda: None,
    keep: Callable[[NDArray[Any]], object] | None = None,
) -> Postings:
    """The postings of a word index in the state that `connection` reads; about a second for 50,000 entries.

    Calls `check` every few milliseconds; what it raises ends the reading. With `keep` hits are handed over piece by piece, in
    order, and the postings have none.
    """
    import numpy as np

    units = (np.array(table.weightings) / UNIT).astype(np.int64)
    ids, files = _owners(connection, table)
    place: NDArray[np.int32] = np.full(int(ids.max(initial=0)) + 1, -1, np.int32)
    place[ids] = np.arange(len(ids), dtype=np.int32)
    sizes: NDArray[np.int64] = np.zeros(len(ids), np.int64)
    letters: list[bytes] = []
    lengths: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    counts: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    held: list[NDArray[Any]] = [np.zeros(0, hit_type(table))]
    for words, texts in _batches(connection, table):
        check()
        encoded = [word.encode() for word in words]
        letters.append(b"".join(encoded))
        lengths.append(np.array([len(word) for word in encoded], np.int64))
        # Each number is one place at which a word stands: its row and its column. Those of a row are neighbours.
        word_of: NDArray[np.int64] = np.repeat(np.arange(len(words)), [text.count(",") + 1 for text in texts])
        doc, column = np.divmod(np.fromstring(",".join(texts), np.int64, sep=","), len(table.columns))
        there = doc < len(place)
        there[there] = place[doc[there]] >= 0
        if not there.all():  # words of a row that is gone are of no use
            word_of, doc, column = word_of[there], doc[there], column[there]
        row = place[doc]
        first = np.flatnonzero((np.diff(row, prepend=-1) != 0) | (np.diff(word_of, prepend=-1) != 0))
        counts.append(np.bincount(word_of[first], minlength=len(words)))
        sizes += np.bincount(row, minlength=len(ids))
        hits = np.empty(len(first), hit_type(table))
        hits["row"] = row[first]
        for number, weights in enumerate(units):
            worth = np.add.reduceat(weights[column], first) if len(first) else weights[:0]
            hits["worth"][:, number] = np.minimum(worth, _MOST_HITS)
        (keep or held.append)(hits)
    return Postings(
        np.frombuffer(b"".join(letters), np.uint8),
        _bounds(np.concatenate(lengths)),
        _bounds(np.concatenate(counts)),
        np.concatenate(held),
        ids,
        files,
        sizes.astype(np.int32),
    )


def _batches(connection: sqlite3.Connection, table: WordTable) -> Iterator[tuple[list[str], list[str]]]:
    """Some words at a time, each with the places at which it stands, as numbers with commas between."""
    column = " ".join(f"WHEN '{name}' THEN {number}" for number, name in enumerate(table.columns))
    words: list[str] = []
    texts: list[str] = []
    letters = 0
    for word, text in connection.execute(
        f"SELECT term, group_concat(doc * {len(table.columns)} + CASE col {column} END) FROM {table.name}_hit GROUP BY term"
    ):
        words.append(word)
        texts.append(text)
        letters += len(text)
        if letters > _LETTERS_AT_ONCE or len(words) == _WORDS_AT_ONCE:
            yield words, texts
            words, texts, letters = [], [], 0
    if words:
        yield words, texts


def _owners(connection: sqlite3.Connection, table: WordTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All row ids, ascending, and the file of each."""
    import numpy as np

    ids, files = read_pairs(connection, "id", "file", f"({table.owners})")
    order = np.argsort(ids, kind="stable")
    return ids[order], files[order]


def _bounds(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    import numpy as np

    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
