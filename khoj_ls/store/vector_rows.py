"""Vectors that were compared before, beside an HNSW index, which does not give its own back as they are.

As 16-bit parts of one: a cosine of unit vectors is off by some 1e-5 then, which is less than HNSW leaves out, in half the
memory. NumPy makes such numbers wide ten times as fast as those of half precision, which are no less off.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from khoj_ls.core.types import Vector
from khoj_ls.store.exact_vectors import cosines

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GROWTH = 1.25
_ONE = 32767
"""The number that stands for 1."""
_LEAST_ROWS = 1024

ReadVectors = Callable[[Sequence[int]], Sequence[tuple[int, Vector]]]
"""Reads those of some vectors that are there, by their ids."""


class VectorRows:
    """Rows by id, read as they are asked for. Thread-safe. Ids stand for the same vector as long as it lives."""

    def __init__(self, dimensions: int, expected: int) -> None:
        """Hold none yet; pages of memory for the `expected` ones are taken as rows are written."""
        self._dimensions = dimensions
        self._lock = threading.Lock()
        self._rows: NDArray[np.int16] = np.empty((max(_LEAST_ROWS, expected), dimensions), np.int16)
        self._places: NDArray[np.int32] = np.full(_LEAST_ROWS, -1, np.int32)
        """Row by id; -1 for those not read."""
        self._used = 0

    def cosines(self, query: Vector, ids: NDArray[np.int64], read: ReadVectors) -> NDArray[np.float32]:
        """Cosine with each of `ids`; not a number where that is not there."""
        with self._lock:
            if len(ids) and (highest := int(ids.max())) >= len(self._places):
                longer: NDArray[np.int32] = np.full(int(_GROWTH * highest) + 1, -1, np.int32)
                longer[: len(self._places)] = self._places
                self._places = longer
            new = np.unique(ids[self._places[ids] < 0])
            if len(new):
                self._add(read(new.tolist()))
            places = self._places[ids]
            there = places >= 0
            rows = self._rows[places[there]]
        scores: NDArray[np.float32] = np.full(len(ids), np.nan, np.float32)
        scores[there] = cosines(rows.astype(np.float32), query) / _ONE
        return scores

    def _add(self, vectors: Sequence[tuple[int, Vector]]) -> None:
        end = self._used + len(vectors)
        if end > len(self._rows):
            larger: NDArray[np.int16] = np.empty((int(_GROWTH * end), self._dimensions), np.int16)
            larger[: self._used] = self._rows[: self._used]
            self._rows = larger
        block = np.frombuffer(b"".join(vector for _, vector in vectors), np.float32)
        self._rows[self._used : end] = np.rint(block * _ONE).reshape(len(vectors), self._dimensions)
        self._places[[number for number, _ in vectors]] = np.arange(self._used, end, dtype=np.int32)
        self._used = end
