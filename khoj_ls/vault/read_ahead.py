"""What every search of a vault asks for, read on threads of its own so that no search has to: the chunks, and all words."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from khoj_ls.core.errors import Cancelled, StoreError
from khoj_ls.search.chunk_cache import ChunkCache
from khoj_ls.search.word_states import WordStates
from khoj_ls.store.chunks import ActiveModel
from khoj_ls.store.database import Database

log = logging.getLogger(__name__)


class ReadAhead:
    """One thread that fills a cache once, and one that reads the words whenever that is due. Thread-safe."""

    def __init__(self) -> None:
        """Begin nothing yet."""
        self._lock = threading.Lock()
        self._chunks: threading.Thread | None = None
        self._words: threading.Thread | None = None
        self._over = False

    def begin(self, chunks: ChunkCache, database: Database, model: ActiveModel) -> None:
        """Fill `chunks`, unless that was begun before."""
        with self._lock:
            if self._chunks is None and not self._over:
                self._chunks = _started(lambda: chunks.fill(database, model, lambda: self._over), database)

    def renew(self, words: WordStates, database: Database) -> None:
        """Read `words` anew, where so much was written since that it is time."""
        if not words.worn:
            return
        with self._lock:
            if not (self._over or (self._words and self._words.is_alive())):
                self._words = _started(lambda: words.renew(database, self._check), database)

    def close(self) -> None:
        """End it; returns when nothing is read any more."""
        with self._lock:
            self._over = True
        for thread in (self._chunks, self._words):
            if thread:
                thread.join()

    def _check(self) -> None:
        if self._over:
            raise Cancelled


def _started(read: Callable[[], object], database: Database) -> threading.Thread:
    def run() -> None:
        try:
            read()
        except (Cancelled, StoreError) as error:  # the next question meets it too, and does what is to be done
            log.debug("nothing more is read ahead of %s: %s", database.path, error)

    thread = threading.Thread(target=run, name="khoj-ahead", daemon=True)
    thread.start()
    return thread
