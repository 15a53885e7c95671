"""The vector index: nearest embeddings by cosine, exact or HNSW, kept in step with the `embedding` table.

SQLite is the truth. Rows are only ever appended under growing ids, or purged; so an index that remembers the highest id and the
number of purges it has seen knows what to add and when to begin anew.
HNSW: Malkov & Yashunin 2016, https://arxiv.org/abs/1603.09320
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khoj_ls.core.types import Vector
from khoj_ls.store.chunks import ActiveModel
from khoj_ls.store.database import Database, get_meta

if TYPE_CHECKING:
    import numpy as np

    from khoj_ls.store.vector_rows import VectorRows

_HNSW_M, _HNSW_EF_CONSTRUCTION, _HNSW_EF = 16, 100, 96
_LOAD_ROWS = 4096


def hnsw_available() -> bool:
    """Whether an hnswlib with the known interface is installed; without it every search is exact."""
    try:
        import hnswlib
    except ImportError:
        return False
    return hasattr(hnswlib, "Index")


class VectorIndex:
    """Nearest neighbours among the vectors of one model. Thread-safe; catches up with the database at each search."""

    def __init__(self, database: Database, model: ActiveModel, cache: Path, *, exact_below: int) -> None:
        """Index the vectors of `model`; `cache` is the HNSW file, used from `exact_below` vectors on. Loads nothing yet."""
        self._database = database
        self.model = model
        self._cache = cache
        self._exact_below = exact_below
        self._lock = threading.RLock()
        self._reset()

    def _reset(self) -> None:
        self._last_id = 0
        self._purges = -1
        self._count = 0
        self._saved = 0
        """How many vectors the file on disk holds."""
        self._ids: Any = None
        self._matrix: Any = None
        self._hnsw: Any = None
        self._rows: VectorRows | None = None
        """Beside HNSW, the vectors that were compared before."""

    @property
    def kind(self) -> str:
        """`empty`, `exact` or `hnsw`: what answers now."""
        return "hnsw" if self._hnsw is not None else "exact" if self._count else "empty"

    def __len__(self) -> int:
        """How many vectors are searched."""
        return self._count

    @property
    def state(self) -> tuple[int, int]:
        """Differs whenever other vectors are searched."""
        return self._purges, self._last_id

    def search(self, query: Vector, k: int) -> list[tuple[int, float]]:
        """The `k` nearest embeddings as (id, cosine), nearest first."""
        import numpy as np

        with self._lock:
            self.catch_up()
            if not self._count:
                return []
            vector = np.frombuffer(query, np.float32)
            k = min(k, self._count)
            if self._hnsw is not None:
                self._hnsw.set_ef(max(_HNSW_EF, k + k // 4))
                labels, distances = self._hnsw.knn_query(vector, k=k, num_threads=1)
                return [(int(label), 1.0 - float(distance)) for label, distance in zip(labels[0], distances[0], strict=True)]
            return _nearest(self._matrix[: self._count] @ vector, self._ids[: self._count], k)

    def search_among(self, query: Vector, ids: Sequence[int], k: int) -> list[tuple[int, float]]:
        """The `k` nearest among the given embeddings, all of them compared: for narrow filters. Ids not there are left out."""
        import numpy as np

        found = self.cosines(query, ids)
        scores = np.fromiter(found.values(), np.float32, len(found))
        return _nearest(scores, np.fromiter(found, np.int64, len(found)), min(k, len(found)))

    def cosines(self, query: Vector, ids: Sequence[int]) -> dict[int, float]:
        """Cosine with `query` by id, of those of the given embeddings that are there; beside HNSW off by some 1e-5."""
        import numpy as np

        wanted = np.unique(np.fromiter(ids, np.int64, len(ids)))
        with self._lock:
            self.catch_up()
            if self._matrix is not None and self._count:
                # Ids only grow, so that the rows are sorted by them.
                places = np.searchsorted(self._ids[: self._count], wanted).clip(max=self._count - 1)
                there = self._ids[places] == wanted
                scores = self._matrix[places[there]] @ np.frombuffer(query, np.float32)
                return dict(zip(wanted[there].tolist(), scores.tolist(), strict=True))
            # hnswlib gives vectors back as lists of numbers: the database is faster.
            if self._rows is None:
                from khoj_ls.store.vector_rows import VectorRows

                self._rows = VectorRows(self.model.dimensions, self._count)
            rows = self._rows
        return rows.cosines(query, wanted, self._read)

    def vectors(self, hashes: Sequence[bytes]) -> dict[bytes, Vector]:
        """Stored vectors by chunk hash; those not embedded yet are left out."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT hash, vector FROM embedding WHERE model_id = ? AND hash IN ({', '.join('?' * len(hashes))})",
                (self.model.id, *hashes),
            )
            return dict(rows.fetchall())

    def _read(self, ids: Sequence[int]) -> list[tuple[int, Vector]]:
        with self._database.read() as connection:
            return connection.execute(
                "SELECT id, vector FROM embedding WHERE +model_id = ? AND id IN (SELECT value FROM json_each(?))",
                (self.model.id, json.dumps(ids)),
            ).fetchall()

    def catch_up(self) -> int:
        """Take in vectors stored since the last call; returns how many. After a purge everything is loaded anew."""
        with self._lock, self._database.read() as connection:
            purges = int(get_meta(connection, "vector_purges", "0"))
            if purges != self._purges:
                self._reset()
                self._purges = purges
                self._load_cache(connection)
            total = self._newer(connection)
            if not total:
                return 0
            if self._hnsw is None and self._count + total >= self._exact_below and hnsw_available():
                self._to_hnsw(self._count + total)
            self._take_in(connection, total)
            return total

    def save(self, *, at_least: int = 1) -> None:
        """Write the HNSW file, if HNSW is in use and `at_least` so many vectors are new to it.

        Atomically, with what it stands for in a side file; what is missing from it is caught up from the database.
        """
        with self._lock:
            if self._hnsw is None or self._count - self._saved < at_least:
                return
            scratch = self._cache.with_name(f"{self._cache.name}.{os.getpid()}.tmp")
            self._hnsw.save_index(str(scratch))
            state = {"last_id": self._last_id, "purges": self._purges, "model": self.model.key, "count": self._count}
            state["checksum"] = _checksum(scratch)
            with self._database.read() as connection:
                state["names"] = self._held(connection, self._last_id)[1]
            # The old description goes first: a crash in between leaves a file without one, which is not trusted.
            self._state_path.unlink(missing_ok=True)
            scratch.replace(self._cache)
            side = self._state_path.with_name(self._state_path.name + ".tmp")
            side.write_text(json.dumps(state))
            side.replace(self._state_path)
            self._saved = self._count

    @property
    def _state_path(self) -> Path:
        return self._cache.with_name(self._cache.name + ".json")

    def _newer(self, connection: sqlite3.Connection) -> int:
        # The plus keeps SQLite on the newest rows: by the model's index it would walk all of them.
        row = connection.execute(
            "SELECT count(*) FROM embedding WHERE +model_id = ? AND id > ?", (self.model.id, self._last_id)
        ).fetchone()
        return int(row[0])

    def _take_in(self, connection: sqlite3.Connection, total: int) -> None:
        import numpy as np

        dimensions = self.model.dimensions
        if self._hnsw is None:
            self._reserve(self._count + total)
        elif self._hnsw.get_max_elements() < self._count + total:
            self._hnsw.resize_index(int((self._count + total) * 1.25) + 1024)
        cursor = connection.execute(
            "SELECT id, vector FROM embedding WHERE +model_id = ? AND id > ? ORDER BY id", (self.model.id, self._last_id)
        )
        while rows := cursor.fetchmany(_LOAD_ROWS):
            ids = np.array([row[0] for row in rows], np.int64)
            block = np.frombuffer(b"".join(row[1] for row in rows), np.float32).reshape(len(rows), dimensions)
            if self._hnsw is not None:
                self._hnsw.add_items(block, ids)
            else:
                self._matrix[self._count : self._count + len(rows)] = block
                self._ids[self._count : self._count + len(rows)] = ids
            self._count += len(rows)
            self._last_id = int(ids[-1])

    def _reserve(self, capacity: int) -> None:
        import numpy as np

        if self._matrix is not None and len(self._matrix) >= capacity:
            return
        # A first load takes what it needs; growth after that is by a quarter, so that appending stays cheap.
        capacity = capacity if self._matrix is None else int(capacity * 1.25) + 256
        matrix: np.ndarray = np.empty((capacity, self.model.dimensions), np.float32)
        ids: np.ndarray = np.empty(capacity, np.int64)
        if self._matrix is not None:
            matrix[: self._count] = self._matrix[: self._count]
            ids[: self._count] = self._ids[: self._count]
        self._matrix, self._ids = matrix, ids

    def _to_hnsw(self, capacity: int) -> None:
        import hnswlib

        index = hnswlib.Index(space="ip", dim=self.model.dimensions)
        index.init_index(max_elements=int(capacity * 1.1) + 1024, M=_HNSW_M, ef_construction=_HNSW_EF_CONSTRUCTION)
        if self._count:
            index.add_items(self._matrix[: self._count], self._ids[: self._count])
        self._hnsw, self._matrix, self._ids = index, None, None

    def _load_cache(self, connection: sqlite3.Connection) -> None:
        """Load the HNSW file when it is a true part of what the database holds; else leave it and build anew."""
        if not hnsw_available() or not self._state_path.exists():
            return
        import hnswlib

        try:
            state = json.loads(self._state_path.read_text())
            trusted = (
                state["model"] == self.model.key
                and state["purges"] == self._purges
                and (state["count"], state["names"]) == self._held(connection, state["last_id"])
                # hnswlib believes what it reads: a damaged file must not reach it.
                and state["checksum"] == _checksum(self._cache)
            )
            if not trusted or state["count"] < self._exact_below:
                return
            index = hnswlib.Index(space="ip", dim=self.model.dimensions)
            index.load_index(str(self._cache), max_elements=int(state["count"] * 1.1) + 1024)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError):
            return  # a torn or foreign file: the database has everything
        if index.get_current_count() == state["count"]:
            self._hnsw, self._count, self._last_id = index, state["count"], state["last_id"]
            self._saved = self._count

    def _held(self, connection: sqlite3.Connection, last_id: int) -> tuple[int, int]:
        """How many embeddings there are up to `last_id`, and a checksum of which id stands for which text.

        A database that was built anew may have as many, under other ids. The index by hash holds all that is read here.
        """
        rows = connection.execute(
            "SELECT id, hash FROM embedding WHERE model_id = ? AND id <= ? ORDER BY hash", (self.model.id, last_id)
        )
        count, names = 0, 0
        for number, digest in rows:
            count, names = count + 1, zlib.crc32(b"%d %s" % (number, digest), names)
        return count, names


def _checksum(path: Path) -> int:
    value = 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            value = zlib.crc32(block, value)
    return value


def _nearest(scores: np.ndarray, ids: np.ndarray, k: int) -> list[tuple[int, float]]:
    import numpy as np

    top = np.argpartition(-scores, k - 1)[:k] if k < len(scores) else np.arange(len(scores))
    top = top[np.lexsort((ids[top], -scores[top]))]
    return [(int(ids[i]), float(scores[i])) for i in top]
