"""Vectors in a graph of near neighbours: approximate, for as many as fit into memory.

HNSW: Malkov & Yashunin 2016, https://arxiv.org/abs/1603.09320
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from khoj_ls.core.types import Vector
from khoj_ls.store.checksum import checksum
from khoj_ls.store.vector_rows import ReadVectors, VectorRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_M, _EF_CONSTRUCTION, _EF, _EF_WIDE = 16, 100, 300, 800
"""In a manual of 57,000 passages, many of them alike, 96 candidates hold 90% of the 50 nearest; 300 hold 97%."""
_GROWTH, _ROOM = 1.25, 1024
_MOST_DEAD = 0.3
"""So large a share of the graph may stand for nothing before it is worth to be built anew."""


def hnsw_available() -> bool:
    """Whether an hnswlib with the known interface is installed; without it every search is exact."""
    try:
        import hnswlib
    except ImportError:
        return False
    return hasattr(hnswlib, "Index")


class HnswVectors:
    """Vectors by id, in an HNSW graph. Not thread-safe but for `cosines`."""

    kind: Literal["hnsw"] = "hnsw"

    def __init__(self, dimensions: int, capacity: int = 0, *, graph: Any = None) -> None:
        """Hold none yet, with room for `capacity`; or those of a `graph` that was loaded."""
        import hnswlib

        self._graph = graph
        if graph is None:
            self._graph = hnswlib.Index(space="ip", dim=dimensions)
            self._graph.init_index(max_elements=int(capacity * _GROWTH) + _ROOM, M=_M, ef_construction=_EF_CONSTRUCTION)
        self._dead: NDArray[np.int64] = np.empty(0, np.int64)
        self._dimensions = dimensions
        self._rows = VectorRows(dimensions, capacity or len(self))

    def __len__(self) -> int:
        """How many there are."""
        return int(self._graph.get_current_count()) - len(self._dead)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Their ids, ascending."""
        return np.setdiff1d(np.array(self._graph.get_ids_list(), np.int64), self._dead)

    @property
    def worn(self) -> bool:
        """Whether much of the graph stands for vectors that were removed: they cost time and memory."""
        return len(self._dead) > _ROOM + _MOST_DEAD * len(self)

    def reserve(self, more: int) -> None:
        """Make room for so many more."""
        capacity = int(self._graph.get_current_count()) + more
        if self._graph.get_max_elements() < capacity:
            self._graph.resize_index(int(capacity * _GROWTH) + _ROOM)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32], *, threads: int = -1) -> None:
        """Add vectors for which there is room, under ids that none had before; on all processors unless said otherwise."""
        self._graph.add_items(vectors, ids, num_threads=threads)

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Have vectors found no more; in the graph they stay as steps to others."""
        for number in ids.tolist():
            # One that was removed before the graph was saved is so marked in the file, which does not tell.
            with contextlib.suppress(RuntimeError):
                self._graph.mark_deleted(number)
        self._dead = np.union1d(self._dead, ids)
        self._rows = VectorRows(self._dimensions, len(self))

    def nearest(self, vector: Vector, k: int, *, widely: bool = False) -> list[tuple[int, float]]:
        """About the `k` nearest as (id, cosine), nearest first; looked for `widely`, which takes two milliseconds."""
        self._graph.set_ef(max(_EF_WIDE if widely else _EF, k + k // 4))
        labels, distances = self._graph.knn_query(np.frombuffer(vector, np.float32), k=k, num_threads=1)
        return [(int(label), 1.0 - float(distance)) for label, distance in zip(labels[0], distances[0], strict=True)]

    def cosines(self, vector: Vector, ids: NDArray[np.int64], read: ReadVectors) -> NDArray[np.float32]:
        """Cosine with each of `ids`; not a number where `read` does not find that, off by some 1e-5."""
        # hnswlib gives vectors back as lists of numbers: what reads them from the database is faster.
        return self._rows.cosines(vector, ids, read)

    def save(self, path: Path) -> int:
        """Write the graph to a file, all or nothing; returns its checksum. Raises OSError, RuntimeError."""
        scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        self._graph.save_index(str(scratch))
        value = checksum(scratch)
        scratch.replace(path)
        return value


def load_graph(path: Path, dimensions: int, saved: int) -> HnswVectors | None:
    """What was saved; None where the file is not the one with this checksum. Raises OSError, RuntimeError."""
    import hnswlib

    # hnswlib believes what it reads: a damaged file must not reach it.
    if saved != checksum(path):
        return None
    graph = hnswlib.Index(space="ip", dim=dimensions)
    graph.load_index(str(path), max_elements=0)
    return HnswVectors(dimensions, graph=graph)
