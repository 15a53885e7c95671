"""How the writer's work looks from outside: events, progress and the time it may still take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from khoj_ls.core.jobs import Progress
from khoj_ls.indexing.types import IndexEvent, IndexState, Tally

_FIRST_AFTER = 0.5
"""Work that is through sooner, like the indexing of one edit, shows no progress."""
_EVERY_SECONDS = 0.2


class Reporter:
    """Turns what the writer has done into events. For the writer thread only, but for `at_rest`."""

    def __init__(self, emit: Callable[[IndexEvent], None], tally: Tally, in_hand: Callable[[], int]) -> None:
        """Tell `emit` about the work counted in `tally`; `in_hand` counts files looked at but not stored yet."""
        self._emit = emit
        self._tally = tally
        self._in_hand = in_hand
        self._changed: dict[str, None] = {}
        self._moved: list[tuple[str, str]] = []
        self._began = time.monotonic()
        self._reported = 0.0
        self._resting = False
        self._told_rest = False
        self._trouble = ""
        self.at_rest = replace(tally)
        """The counts when all was indexed the last time."""

    def changed(self, paths: Iterable[str]) -> None:
        """The words of these paths are new."""
        self._changed.update(dict.fromkeys(paths))

    def moved(self, old: str, new: str) -> None:
        """A file was found at another path."""
        self._moved.append((old, new))

    def round(self, state: IndexState, trouble: str, *, complete: bool) -> None:
        """The writer has come round; `complete` when all is indexed that can be, `trouble` tells what cannot, and why."""
        if self._changed:
            paths, self._changed = tuple(self._changed), {}
            moved, self._moved = tuple(self._moved), []
            self._emit(IndexEvent("changed", paths, moved))
        if trouble and trouble != self._trouble:
            self._emit(IndexEvent("problem", message=trouble))
        self._trouble = trouble
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
        wrote = replace(self._tally, looked=0, read=0) != replace(self.at_rest, looked=0, read=0)
        self.at_rest = replace(self._tally)
        self._resting = True
        if wrote or not self._told_rest:
            self._told_rest = True
            self._emit(IndexEvent("idle"))

    def _progress(self, state: IndexState) -> None:
        now = time.monotonic()
        if self._resting:
            self._resting, self._began = False, now
        if now - self._began >= _FIRST_AFTER and now - self._reported >= _EVERY_SECONDS:
            self._reported = now
            self._told_rest = False
            self._emit(IndexEvent("progress", progress=self.progress(state)))
