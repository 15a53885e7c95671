"""Whether a graph of near neighbours finds what is near: some of its vectors, compared with every query, tell.

A graph leads from neighbour to neighbour. Where a vault holds thousands of passages of one kind beside few of another (a table
of records beside a diary), no step may lead from the many to the few, and a search that begins among the many ends there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from khoj_ls.core.types import Vector
from khoj_ls.store.exact_vectors import cosines

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 4096
"""So many are compared in less than half a millisecond."""
_GROWN = 1.25
"""Where there are so much more vectors than when witnesses were chosen, others are."""
_ALIKE = 1e-4
"""The rounding of a cosine."""
_LEAST_MISSED, _SHARE_MISSED = 2, 0.5
_SHARE_SHARED = 0.25
"""Of a wider answer, what the first one has in common with it at least, unless it was somewhere else."""


def spread(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `MOST` of `ids`, at even distances: a few of everything that was indexed."""
    return ids[np.linspace(0, len(ids) - 1, min(MOST, len(ids))).astype(np.int64)] if len(ids) else ids


class Witnesses:
    """Vectors by id that stand for all of a graph's. Not thread-safe."""

    def __init__(self, ids: NDArray[np.int64], vectors: NDArray[np.float32], of: int) -> None:
        """Vectors under their ids, chosen from `of` of them."""
        self._ids = ids
        self._vectors = vectors
        self._of = of

    def few_for(self, count: int) -> bool:
        """Whether a graph of `count` vectors wants new ones."""
        return count > _GROWN * self._of + MOST or not len(self._ids)

    def forget(self, gone: NDArray[np.int64]) -> None:
        """Leave out what is no longer to be found."""
        stays = np.isin(self._ids, gone, invert=True)
        self._ids, self._vectors = self._ids[stays], self._vectors[stays]

    def doubt(self, query: Vector, found: Sequence[tuple[int, float]], again: Sequence[tuple[int, float]]) -> bool:
        """Whether `again`, which was looked for widely after `found` was contradicted, shows that a region was missed.

        It lacks some that are nearer, too, or has hardly anything in common with the first answer. A sound graph, which misses
        a few now and then, is right on the second look and was half right on the first.
        """
        shared = len({number for number, _ in found} & {number for number, _ in again})
        return shared < _SHARE_SHARED * len(again) or self.contradict(query, again, share=0)

    def contradict(self, query: Vector, found: Sequence[tuple[int, float]], share: float = _SHARE_MISSED) -> bool:
        """Whether more than a `share` of what is nearer than the last of `found`, nearest first, is not among them."""
        farthest = found[-1][1] if found else -1.0
        nearer = self._ids[cosines(self._vectors, query) > farthest + _ALIKE]
        missed = len(np.setdiff1d(nearer, [number for number, _ in found]))
        return missed >= _LEAST_MISSED and missed > share * len(nearer)
