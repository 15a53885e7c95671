"""The vectors nearest to a query, looked for while words still are: by the thread that brings the query's vector.

In a graph of 100,000 vectors that takes as long as a quarter of the words, where all of them are compared as long as the words.
"""

from __future__ import annotations

import threading

from khoj_ls.core.types import Vector
from khoj_ls.store.vectors import Glance, VectorIndex


class NearestAhead:
    """One question to an index. `arrived` is for the thread that brings the vector, all else for the one that searches."""

    def __init__(self, index: VectorIndex) -> None:
        """Ask nothing yet."""
        self._index = index
        self._count = 0
        self._first = threading.Lock()
        """Held by whoever asks first, for good."""
        self._looked = threading.Event()
        self._glance: Glance | None = None

    def expect(self, count: int) -> None:
        """Have so many looked for once the vector is there; 0: none."""
        self._count = count

    def arrived(self, vector: Vector) -> None:
        """Look, unless nothing is expected or the search has begun to."""
        if not self._count or not self._first.acquire(blocking=False):
            return
        try:
            self._glance = self._index.glance(vector, self._count)
        finally:
            self._looked.set()

    def search(self, vector: Vector, count: int) -> list[tuple[int, float]]:
        """As `VectorIndex.search`, for the vector that arrived."""
        if self._first.acquire(blocking=False):
            self._looked.set()
        self._looked.wait()
        return self._index.search(vector, count, self._glance)
