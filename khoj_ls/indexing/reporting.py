"""How the writer's work looks from outside: events, progress and the time it may still take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from khoj_ls.core.jobs import Progress
from khoj_ls.indexing.types import IndexEvent, IndexState
from khoj_ls.indexing.words import Tally

_EVERY_SECONDS = 0.2


class Reporter:
    """Turns what the writer has done into events. For the writer thread only, but for `at_rest`."""

    def __init__(self, emit: Callable[[IndexEvent], None], tally: Tally, in_hand: Callable[[], int]) -> None:
        """Tell `emit` about the work counted in `tally`; `in_hand` counts files looked at but not stored yet."""
        self._emit = emit
        self._tally = tally
        self._in_hand = in_hand
        self._changed: dict[str, None] = {}
        self._began = time.monotonic()
        self._reported = 0.0
        self._resting = False
        self._first = True
        self._message = ""
        self.at_rest = replace(tally)
        """The counts when all was indexed the last time."""

    def changed(self, paths: Iterable[str]) -> None:
        """The words of these paths are new."""
        self._changed.update(dict.fromkeys(paths))

    def round(self, state: IndexState, *, complete: bool) -> None:
        """The writer has come round; `complete` when all is indexed that can be."""
        if self._changed:
            paths, self._changed = tuple(self._changed), {}
            self._emit(IndexEvent("changed", paths))
        if state.message and state.message != self._message:
            self._emit(IndexEvent("problem", message=state.message))
        self._message = state.message
        if complete:
            self._rest()
        elif not state.paused:
            self._progress(state)

    def eta(self, waiting: int) -> float | None:
        """Seconds until the files that wait are through, by the pace since the last rest."""
        done = self._files_done()
        return waiting * (time.monotonic() - self._began) / done if done and waiting else None

    def progress(self, state: IndexState) -> Progress:
        """How far the phase that runs has come since the last rest."""
        if state.phase in ("embed", "chunk", "model"):
            done, waiting = self._tally.embedded - self.at_rest.embedded, state.pending
        else:
            done, waiting = self._files_done(), state.queue
        return Progress(state.phase, done, done + waiting, state.message, state.eta_seconds)

    def _files_done(self) -> int:
        return max(0, self._tally.looked - self.at_rest.looked - self._in_hand())

    def _rest(self) -> None:
        worked = self._tally != self.at_rest
        self.at_rest = replace(self._tally)
        if worked or self._first or not self._resting:
            self._emit(IndexEvent("idle"))
        self._first, self._resting = False, True

    def _progress(self, state: IndexState) -> None:
        now = time.monotonic()
        if self._resting:
            self._resting, self._began = False, now
        if now - self._reported >= _EVERY_SECONDS:
            self._reported = now
            self._emit(IndexEvent("progress", progress=self.progress(state)))
