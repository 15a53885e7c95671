"""Reading what searches will ask for before they do: begun with the first, so that a vault nobody searches costs nothing."""

from __future__ import annotations

import logging
import threading

from khoj_ls.core.errors import StoreError
from khoj_ls.search.chunk_cache import ChunkCache
from khoj_ls.store.chunks import ActiveModel
from khoj_ls.store.database import Database

log = logging.getLogger(__name__)


class ReadAhead:
    """One thread that fills a cache once. Thread-safe."""

    def __init__(self) -> None:
        """Begin nothing yet."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._over = False

    def begin(self, chunks: ChunkCache, database: Database, model: ActiveModel) -> None:
        """Fill `chunks`, unless that was begun before."""
        with self._lock:
            if self._thread is None and not self._over:
                self._thread = threading.Thread(
                    target=self._fill, args=(chunks, database, model), name="khoj-ahead", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """End it; returns when nothing is read any more."""
        with self._lock:
            self._over = True
        if self._thread:
            self._thread.join()

    def _fill(self, chunks: ChunkCache, database: Database, model: ActiveModel) -> None:
        try:
            chunks.fill(database, model, lambda: self._over)
        except StoreError as error:  # the next question meets it too, and does what is to be done
            log.debug("nothing more is read ahead of %s: %s", database.path, error)
