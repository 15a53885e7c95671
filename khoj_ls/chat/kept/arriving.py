"""Answers that are arriving, written down about once a second so that whatever ends the process costs no more than that."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from khoj_ls.core.errors import StoreError

log = logging.getLogger(__name__)

_SECONDS = 1.0


class Arriving:
    """The latest text of each answer that is under way. Thread-safe; never waits for the disk."""

    def __init__(self, write: Callable[[Mapping[str, str]], object], seconds: float = _SECONDS) -> None:
        """Write with `write`, from a thread of its own that is there only while something arrives."""
        self._write = write
        self._seconds = seconds
        self._lock = threading.Lock()
        self._latest: dict[str, str] = {}
        self._thread: threading.Thread | None = None

    def put(self, turn: str, text: str) -> None:
        """Take note of all that has arrived of an answer."""
        with self._lock:
            self._latest[turn] = text
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="khoj-arriving", daemon=True)
                self._thread.start()

    def drop(self, turn: str) -> None:
        """Forget an answer, whose end is being written."""
        with self._lock:
            self._latest.pop(turn, None)

    def flush(self) -> None:
        """Write what has arrived now."""
        with self._lock:
            latest, self._latest = self._latest, {}
        if latest:
            self._save(latest)

    def _run(self) -> None:
        rest = threading.Event()
        while not rest.wait(self._seconds):
            with self._lock:
                latest, self._latest = self._latest, {}
                if not latest:
                    self._thread = None
                    return
            self._save(latest)

    def _save(self, latest: Mapping[str, str]) -> None:
        try:
            self._write(latest)
        except StoreError as error:  # the end of the answer is written too, and tells the user where that fails as well
            log.warning("what has arrived of an answer could not be saved: %s", error)
