"""One word index in one state, as arrays: how many rows hold a word, and the best rows for some words by BM25.

The same scores as FTS5's, to single precision: Robertson & Zaragoza 2009, and
https://www.sqlite.org/fts5.html#the_bm25_function
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from khoj_ls.search.bm25 import K1, PARTLY, B, idf
from khoj_ls.store.postings import UNIT, Postings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Hits(NamedTuple):
    """Where one word stands."""

    rows: NDArray[np.int32]
    """Ascending."""
    worth: NDArray[np.uint16]
    """For each of `rows`, by weighting, in units."""

    def at(self, rows: NDArray[Any], weighting: int = 0) -> NDArray[np.float32]:
        """The worth of its hits in some rows; 0 where there are none."""
        import numpy as np

        if not len(self.rows):
            return np.zeros(len(rows), np.float32)
        places = np.searchsorted(self.rows, rows).clip(max=len(self.rows) - 1)
        return np.where(self.rows[places] == rows, self.worth[places, weighting], 0) * np.float32(UNIT)


@dataclass(frozen=True)
class WordRows:
    """The rows of a word index: those of the postings that were kept, then those of what was written since."""

    parts: tuple[Postings, ...]
    alive: NDArray[np.bool_]
    """Of all rows, part by part: whether what their part says of them still holds."""

    @cached_property
    def total(self) -> int:
        """How many rows there are."""
        return int(self.alive.sum())

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """The id of each row."""
        import numpy as np

        return np.concatenate([part.ids for part in self.parts])

    @cached_property
    def length(self) -> NDArray[np.float32]:
        """What BM25 makes of each row's length."""
        import numpy as np

        sizes = np.concatenate([part.sizes for part in self.parts])
        mean = sizes.sum(where=self.alive) / max(1, self.total)
        return (K1 * (1 - B + B * sizes / max(1.0, mean))).astype(np.float32)

    def look_up(self, stem: str) -> Hits:
        """Where a word stands, as the index cuts it."""
        import numpy as np

        found, first = [], 0
        for part in self.parts:
            hits = part.hits[part.of(stem)]
            rows, worth = np.ascontiguousarray(hits["row"]), hits["worth"]
            if len(rows) and self.total < len(self.alive):
                there = self.alive[rows + first]
                rows, worth = rows[there], worth[there]
            found.append(Hits(rows + np.int32(first) if first else rows, worth))
            first += len(part.ids)
        held = [hits for hits in found if len(hits.rows)] or found[:1]
        return held[0] if len(held) == 1 else Hits(*(np.concatenate(each) for each in zip(*held, strict=True)))


def ranked(
    words: WordRows, asked: Sequence[Hits], pool: int, allowed: bytes | None = None, weightings: int = 1
) -> dict[int, tuple[float, ...]]:
    """The best `pool` rows for some words, best first: their scores by the first `weightings`, by row id.

    With `allowed` (a mask, see `filters.rows`) only those rows. The first weighting decides; there a row that lacks some of
    the words counts for less.
    """
    import numpy as np

    asked = [hits for hits in asked if len(hits.rows)]
    most = [np.float32((K1 + 1) * idf(words.total, len(hits.rows))) for hits in asked]
    scores: NDArray[np.float32] = np.zeros(len(words.alive), np.float32)
    for hits, weight in zip(asked, most, strict=True):
        worth = hits.worth[:, 0] * np.float32(UNIT)
        scores[hits.rows] += weight * (worth / (worth + words.length[hits.rows]))
    rows = np.flatnonzero(scores >= _least(words, asked, scores, pool, allowed))
    rows = rows[_passing(words, rows, allowed)]
    if len(rows) > pool:
        rows = rows[scores[rows] >= PARTLY * np.partition(scores[rows], -pool)[-pool]]
    first = np.where(_held(asked, rows) == len(asked), scores[rows], np.float32(PARTLY) * scores[rows])
    order = np.lexsort((words.ids[rows], -first))[:pool]
    rows, length = rows[order], words.length[rows[order]]
    every = [first[order]]
    for weighting in range(1, weightings):
        worths = (hits.at(rows, weighting) for hits in asked)
        every.append(sum((weight * (worth / (worth + length)) for weight, worth in zip(most, worths, strict=True)), 0 * length))
    return dict(zip(words.ids[rows].tolist(), zip(*(each.tolist() for each in every), strict=True), strict=True))


def everywhere(words: WordRows, asked: Sequence[Hits], weighting: int) -> list[int]:
    """Ids of the rows in which each of some words has a hit that a weighting counts."""
    import numpy as np

    seldom, *others = sorted(asked, key=lambda hits: len(hits.rows))
    rows = seldom.rows[seldom.worth[:, weighting] > 0]
    for hits in others:
        rows = rows[hits.at(rows, weighting) > 0]
    return [int(row) for row in np.sort(words.ids[rows])]


def _least(words: WordRows, asked: Sequence[Hits], scores: NDArray[np.float32], pool: int, allowed: bytes | None) -> float:
    """A score that `pool` rows have at least, however many words they lack: to look at those below it would be in vain."""
    import numpy as np

    for hits in sorted(asked, key=lambda hits: len(hits.rows)):
        if len(hits.rows) >= pool:
            some = scores[hits.rows[_passing(words, hits.rows, allowed)]]
            if len(some) >= pool:
                return float(np.float32(PARTLY) * np.partition(some, -pool)[-pool])
    return float(np.finfo(np.float32).tiny)


def _passing(words: WordRows, rows: NDArray[Any], allowed: bytes | None) -> NDArray[np.bool_] | slice:
    """Which of some rows are allowed."""
    import numpy as np

    if allowed is None:
        return slice(None)
    mask, ids = np.frombuffer(allowed, np.uint8), words.ids[rows]
    passing: NDArray[np.bool_] = np.zeros(len(ids), bool)
    passing[ids < len(mask)] = mask[ids[ids < len(mask)]] == 1
    return passing


def _held(asked: Sequence[Hits], rows: NDArray[Any]) -> NDArray[np.int64]:
    """How many of the words each of some rows holds."""
    import numpy as np

    held: NDArray[np.int64] = np.zeros(len(rows), np.int64)
    for hits in asked:
        held += hits.at(rows) > 0
    return held
