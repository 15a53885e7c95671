"""Vectors that are all compared with a query: exact, and fast enough for a hundred thousand.

The cosines of the last query are kept: a search asks for the nearest, perhaps for more of them, and for those of what words
found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from khoj_ls.core.types import Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GROWTH = 1.25
_ROOM = 256


class ExactVectors:
    """Vectors by id, in ascending order of their ids. Not thread-safe."""

    kind: Literal["exact"] = "exact"

    def __init__(self, dimensions: int) -> None:
        """Hold none yet."""
        self._count = 0
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._matrix: NDArray[np.float32] = np.empty((0, dimensions), np.float32)
        self._query: Vector = b""
        self._scores: NDArray[np.float32] = np.empty(0, np.float32)
        """The cosine of each vector with `_query`; of none where that is empty."""

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    @property
    def ids(self) -> NDArray[np.int64]:
        """Their ids, ascending."""
        return self._ids[: self._count]

    @property
    def matrix(self) -> NDArray[np.float32]:
        """Their vectors, in the order of the ids."""
        return self._matrix[: self._count]

    def reserve(self, more: int) -> None:
        """Make room for so many more."""
        capacity = self._count + more
        if len(self._ids) >= capacity:
            return
        # A first load takes what it needs; growth after that is by a quarter, so that appending stays cheap.
        self._move(self.ids, self.matrix, int(capacity * _GROWTH) + _ROOM if self._count else capacity)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Append vectors for which there is room, under `ids` that are larger than all before."""
        end = self._count + len(ids)
        self._ids[self._count : end] = ids
        self._matrix[self._count : end] = vectors
        self._count = end
        self._query = b""

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Forget vectors, and give the memory back."""
        stays = np.isin(self.ids, ids, invert=True)
        kept, vectors = self.ids[stays], self.matrix[stays]
        self._count = len(kept)
        self._move(kept, vectors, self._count + _ROOM)

    def nearest(self, vector: Vector, k: int) -> list[tuple[int, float]]:
        """The `k` nearest as (id, cosine), nearest first."""
        if vector != self._query:
            self._scores = cosines(self.matrix, vector)
            self._query = vector
        return best(self._scores, self.ids, k)

    def cosines(self, vector: Vector, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Cosine with each of `ids`; not a number where that is not there."""
        if not self._count:
            return np.full(len(ids), np.nan, np.float32)
        places = self.ids.searchsorted(ids)
        places[places == self._count] = 0
        scores = self._scores[places] if vector == self._query else cosines(self._matrix[places], vector)
        scores[self._ids[places] != ids] = np.nan
        return scores

    def _move(self, ids: NDArray[np.int64], matrix: NDArray[np.float32], capacity: int) -> None:
        self._ids = np.empty(capacity, np.int64)
        self._matrix = np.empty((capacity, matrix.shape[1]), np.float32)
        self._ids[: self._count], self._matrix[: self._count] = ids, matrix
        self._query = b""


def cosines(matrix: NDArray[np.float32], vector: Vector) -> NDArray[np.float32]:
    """Cosine of each row with the vector; all of length 1."""
    # Row by row. A product of matrix and vector by OpenBLAS takes twice as long where the matrix is not in a cache.
    scores: NDArray[np.float32] = np.vecdot(matrix, np.frombuffer(vector, np.float32))
    return scores


def best(scores: NDArray[np.float32], ids: NDArray[np.int64], k: int) -> list[tuple[int, float]]:
    """The `k` largest scores as (id, score), largest first; of equal ones the smaller id."""
    top = np.argpartition(-scores, k - 1)[:k] if k < len(scores) else np.arange(len(scores))
    top = top[np.lexsort((ids[top], -scores[top]))]
    return list(zip(ids[top].tolist(), scores[top].tolist(), strict=True))
