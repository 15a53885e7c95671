"""The vector index: nearest embeddings by cosine, exact or HNSW, kept in step with the `embedding` table.

SQLite is the truth. Rows are only ever added there under growing ids, or leave; so an index that remembers the highest id and
how often some left knows what to add, and when to look what is gone.

HNSW answers as long as it finds what is there. Where it is caught again and again missing most of what is near, all vectors are
compared from then on: some milliseconds for 100,000.
"""

from __future__ import annotations

import base64
import json
import logging
import math
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from khoj_ls.core.types import Vector
from khoj_ls.store.chunks import ActiveModel
from khoj_ls.store.database import Database, get_meta
from khoj_ls.store.trust import Trust

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from khoj_ls.store.exact_vectors import ExactVectors
    from khoj_ls.store.hnsw_vectors import HnswVectors
    from khoj_ls.store.witnesses import Witnesses

log = logging.getLogger("khoj_ls.store")

_LOAD_ROWS, _RENEW_ROWS = 4096, 256
_TRIED_AGAIN = 2
"""With so many times the vectors a graph is made again that missed some."""
_FLOAT_BYTES = 4
_NAME_BYTES = 8
"""So much of a text's hash tells in the saved index which text an id stood for."""


class Glance(NamedTuple):
    """What a question found that did not catch up with the database first."""

    state: tuple[int, int]
    """Of the index."""
    k: int
    found: list[tuple[int, float]]


class VectorIndex:
    """Nearest neighbours among the vectors of one model. Thread-safe; catches up with the database at each search."""

    def __init__(self, database: Database, model: ActiveModel, cache: Path, *, exact_below: int) -> None:
        """Index the vectors of `model`; `cache` is the HNSW file, used from `exact_below` vectors on. Loads nothing yet."""
        self._database = database
        self.model = model
        self._cache = cache
        self._exact_below = exact_below
        self._lock = threading.RLock()
        self._held: ExactVectors | HnswVectors | None = None
        self._last_id = 0
        self._left = -1
        """How often rows had left the table when the index last looked."""
        self._unsaved = 0
        """How many vectors came or went since the file on disk was written."""
        self._witnesses: Witnesses | None = None
        self._trust = Trust()
        self._given_up = 0
        """How many vectors there were when HNSW was caught missing some; 0 where it never was."""

    @property
    def kind(self) -> str:
        """`empty`, `exact` or `hnsw`: what answers now."""
        return self._held.kind if self._held else "empty"

    def __len__(self) -> int:
        """How many vectors are searched."""
        return len(self._held) if self._held else 0

    @property
    def state(self) -> tuple[int, int]:
        """Differs whenever other vectors are searched."""
        return self._left, self._last_id

    def search(self, query: Vector, k: int, glance: Glance | None = None) -> list[tuple[int, float]]:
        """The `k` nearest embeddings as (id, cosine), nearest first; those of a `glance` where nothing has changed since."""
        with self._lock:
            self.catch_up()
            if glance is not None and (glance.state, glance.k) == (self.state, k):
                return glance.found
            held = self._held
            k = min(k, len(held)) if held else 0
            if held is None or k < 1:
                return []
            if held.kind == "exact":
                return held.nearest(query, k)
            try:
                if (found := self._by_graph(held, query, k)) is not None:
                    return found
            except RuntimeError:  # hnswlib: fewer than `k` are linked with each other
                log.info("the graph of near vectors is not linked together")
            held = None  # the memory of the graph is wanted
            return self._without_graph().nearest(query, k)

    def glance(self, query: Vector, k: int) -> Glance | None:
        """What `search` finds among loaded vectors; None where that cannot be told at once, as of another model."""
        if len(query) != self.model.dimensions * _FLOAT_BYTES or not self._lock.acquire(blocking=False):
            return None
        try:
            held, witnesses = self._held, self._witnesses
            if held is None or k > len(held):
                return None
            if held.kind == "exact":
                return Glance(self.state, k, held.nearest(query, k))
            if witnesses is None or witnesses.few_for(len(held)):
                return None
            found = self._by_graph(held, query, k)
            return Glance(self.state, k, found) if found is not None else None
        except RuntimeError:  # hnswlib: whoever asks again hears what is wrong
            return None
        finally:
            self._lock.release()

    def search_among(self, query: Vector, ids: Sequence[int], k: int) -> list[tuple[int, float]]:
        """The `k` nearest among the given embeddings, all of them compared: for narrow filters. Ids not there are left out."""
        import numpy as np

        from khoj_ls.store.exact_vectors import best

        self.catch_up()
        found = self.cosines(query, ids)
        count = len(found)
        return best(np.fromiter(found.values(), np.float32, count), np.fromiter(found, np.int64, count), min(k, count))

    def cosines(self, query: Vector, ids: Sequence[int]) -> dict[int, float]:
        """Cosine with `query` by id, of those of the given embeddings that were there when the index last caught up."""
        found = zip(ids, self.scores(query, ids).tolist(), strict=True)
        return {number: cosine for number, cosine in found if not math.isnan(cosine)}

    def scores(self, query: Vector, ids: Sequence[int]) -> NDArray[np.float32]:
        """The same for each of them in order, not a number for those that were not there; beside HNSW off by some 1e-5."""
        import numpy as np

        wanted: NDArray[np.int64] = np.array(ids, np.int64)
        with self._lock:
            held = self._held
            if held is None:
                return np.full(len(wanted), np.nan, np.float32)
            if held.kind == "exact":
                return held.cosines(query, wanted)
        return held.cosines(query, wanted, self._read)

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
        """Take in vectors stored since the last call and forget those that left; returns how many were taken in."""
        with self._lock, self._database.read() as connection:
            left = int(get_meta(connection, "vector_purges", "0"))
            if self._left < 0:
                self._load(connection)
            elif left != self._left and self._held is not None:
                self._forget(connection, self._held)
            self._left = left
            total = self._newer(connection)
            if total:
                self._take_in(connection, total)
                self._unsaved += total
            return total

    def renew(self, over: Callable[[], bool]) -> bool:
        """Build HNSW anew where much of its graph stands for what is gone, while the old one answers; True when it was.

        Takes a while, of one processor: for a thread in the background, which stops when it is `over`. Raises StoreError.
        """
        from khoj_ls.store.hnsw_vectors import HnswVectors

        with self._lock:
            old, last_id = self._held, self._last_id
        if old is None or old.kind != "hnsw" or not old.worn:
            return False
        fresh = HnswVectors(self.model.dimensions, len(old))
        with self._database.read() as connection:
            for ids, vectors in self._rows(connection, "id <= ?", last_id, _RENEW_ROWS):
                if over():
                    return False
                fresh.reserve(len(ids))
                fresh.add(ids, vectors, threads=1)
        with self._lock, self._database.read() as connection:
            if self._held is not old:
                return False
            self._forget(connection, fresh)
            self._witnesses = None
            self._held, self._last_id, self._left = fresh, last_id, int(get_meta(connection, "vector_purges", "0"))
            self._unsaved += len(fresh)
            self.catch_up()
        return True

    def save(self, *, at_least: int = 1) -> None:
        """Write the HNSW file, if HNSW is in use or was given up, and `at_least` so many vectors came or went since.

        What it stands for is written to a side file; what is missing from it is caught up from the database.
        """
        with self._lock:
            if self._held is None or self._unsaved < at_least:
                return
            if self._held.kind == "exact" and not self._given_up:
                return
            # The old description goes first: a crash in between leaves a file without one, which is not trusted.
            self._state_path.unlink(missing_ok=True)
            state: dict[str, object] = {"model": self.model.key}
            if self._held.kind == "exact":
                self._cache.unlink(missing_ok=True)
                state["given_up"] = self._given_up
            else:
                state |= {"last_id": self._last_id, "checksum": self._held.save(self._cache)}
                with self._database.read() as connection:
                    names = self._names(connection, self._last_id)
                state["names"] = base64.b64encode(b"".join(part.tobytes() for part in names)).decode()
            side = self._state_path.with_name(self._state_path.name + ".tmp")
            side.write_text(json.dumps(state))
            side.replace(self._state_path)
            self._unsaved = 0

    @property
    def _state_path(self) -> Path:
        return self._cache.with_name(self._cache.name + ".json")

    def _newer(self, connection: sqlite3.Connection) -> int:
        # The plus keeps SQLite on the newest rows: by the model's index it would walk all of them.
        row = connection.execute(
            "SELECT count(*) FROM embedding WHERE +model_id = ? AND id > ?", (self.model.id, self._last_id)
        ).fetchone()
        return int(row[0])

    def _forget(self, connection: sqlite3.Connection, held: ExactVectors | HnswVectors) -> None:
        """Have `held` forget what left the table."""
        import numpy as np

        rows = connection.execute("SELECT id FROM embedding WHERE model_id = ?", (self.model.id,)).fetchall()
        gone = np.setdiff1d(held.ids, np.fromiter((row[0] for row in rows), np.int64, len(rows)))
        if len(gone):
            held.remove(gone)
            if self._witnesses is not None:
                self._witnesses.forget(gone)
            self._unsaved += len(gone)

    def _by_graph(self, graph: HnswVectors, query: Vector, k: int) -> list[tuple[int, float]] | None:
        """What the graph finds, on a second look where it seems to miss some; None where it was caught too often."""
        found, witnesses = graph.nearest(query, k), self._witnesses_of(graph)
        doubted = False
        if witnesses.contradict(query, found):
            found, first = graph.nearest(query, k, widely=True), found
            doubted = witnesses.doubt(query, first, found)
        return found if self._trust.holds(doubted=doubted) else None

    def _witnesses_of(self, graph: HnswVectors) -> Witnesses:
        from khoj_ls.store.witnesses import Witnesses, spread

        if self._witnesses is None or self._witnesses.few_for(len(graph)):
            read = sorted(self._read(spread(graph.ids).tolist()))
            ids, vectors = self._block(read)
            self._witnesses = Witnesses(ids, vectors, len(graph))
        return self._witnesses

    def _without_graph(self) -> ExactVectors:
        """Compare all vectors from now on, until there are many more."""
        from khoj_ls.store.exact_vectors import ExactVectors

        with self._database.read() as connection:
            self._given_up, self._last_id = len(self), 0
            self._held = self._witnesses = None
            self._trust = Trust()
            log.info("the vector index missed passages: all %d vectors are compared from now on", self._given_up)
            exact = self._held = ExactVectors(self.model.dimensions)
            self._take_in(connection, self._newer(connection))
            self._unsaved += len(exact)
        return exact

    def _take_in(self, connection: sqlite3.Connection, total: int) -> None:
        from khoj_ls.store.exact_vectors import ExactVectors
        from khoj_ls.store.hnsw_vectors import HnswVectors, hnsw_available

        held = self._held
        if held is None:
            held = ExactVectors(self.model.dimensions)
        enough = max(self._exact_below, _TRIED_AGAIN * self._given_up)
        if held.kind == "exact" and len(held) + total >= enough and hnsw_available():
            graph = HnswVectors(self.model.dimensions, len(held) + total)
            if len(held):
                graph.add(held.ids, held.matrix)
            held = graph
            self._witnesses = None
        held.reserve(total)
        self._held = held
        for ids, vectors in self._rows(connection, "id > ?", self._last_id):
            held.add(ids, vectors)
            self._last_id = int(ids[-1])

    def _rows(
        self, connection: sqlite3.Connection, which: str, bound: int, rows_at_once: int = _LOAD_ROWS
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Ids and vectors of the table in the order of the ids, block by block."""
        cursor = connection.execute(
            f"SELECT id, vector FROM embedding WHERE +model_id = ? AND {which} ORDER BY id", (self.model.id, bound)
        )
        while rows := cursor.fetchmany(rows_at_once):
            yield self._block(rows)

    def _block(self, rows: Sequence[tuple[int, Vector]]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        import numpy as np

        vectors = np.frombuffer(b"".join(row[1] for row in rows), np.float32)
        return np.array([row[0] for row in rows], np.int64), vectors.reshape(len(rows), self.model.dimensions)

    def _load(self, connection: sqlite3.Connection) -> None:
        """Load the HNSW file when it stands for what the database holds; else leave it, and everything is taken in anew."""
        import numpy as np

        from khoj_ls.store.hnsw_vectors import hnsw_available, load_graph

        if not hnsw_available() or not self._state_path.exists():
            return
        try:
            state = json.loads(self._state_path.read_text())
            if "given_up" in state:
                self._given_up = int(state["given_up"]) if state["model"] == self.model.key else 0
                return
            ids, names = self._names(connection, state["last_id"])
            known_ids, known_names = np.frombuffer(base64.b64decode(state["names"]), np.int64).reshape(2, -1)
            places = np.searchsorted(known_ids, ids).clip(max=len(known_ids) - 1)
            # A database that was built anew may have other texts under the same ids, and an older copy of one gives them again.
            same = np.array_equal(known_ids[places], ids) and np.array_equal(known_names[places], names)
            (highest,) = connection.execute("SELECT max(id) FROM embedding").fetchone()
            same = same and highest is not None and highest >= state["last_id"]
            if state["model"] != self.model.key or not same or len(ids) < self._exact_below:
                return
            held = load_graph(self._cache, self.model.dimensions, state["checksum"])
            if held is None or len(np.setdiff1d(ids, held.ids)):
                return
        except (OSError, ValueError, IndexError, KeyError, TypeError, OverflowError, RuntimeError):
            return  # a torn or foreign file: the database has everything
        self._held, self._last_id = held, state["last_id"]
        self._forget(connection, held)

    def _names(self, connection: sqlite3.Connection, last_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The embeddings up to `last_id`: ids, ascending, and which text each stands for."""
        import numpy as np

        # In the order of the hashes: the index by them holds all that is read here.
        rows = connection.execute(
            "SELECT id, hash FROM embedding WHERE model_id = ? AND id <= ? ORDER BY hash", (self.model.id, last_id)
        ).fetchall()
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        names = np.frombuffer(b"".join(row[1][:_NAME_BYTES] for row in rows), np.int64)
        order = np.argsort(ids)
        return ids[order], names[order]
