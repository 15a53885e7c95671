"""Cancellation and progress of long work, free of any event loop."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from khoj_ls.core.errors import Cancelled


class CancelToken:
    """A flag that long work looks at between small steps; may be set from any thread."""

    def __init__(self) -> None:
        """Make a token that is not cancelled."""
        self._event = threading.Event()

    def cancel(self) -> None:
        """Call the work off."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work was called off."""
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` when the work was called off."""
        if self._event.is_set():
            raise Cancelled("cancelled")

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; True as soon as the work is called off."""
        return self._event.wait(seconds)


@dataclass(frozen=True)
class Progress:
    """How far a long job has come."""

    phase: str
    """What is being done: `scan`, `words`, `chunk`, `embed`, `model`."""
    done: int
    total: int
    """0 while the total is not known."""
    message: str = ""
    eta_seconds: float | None = None

    @property
    def percentage(self) -> int | None:
        """0..100, or None while the total is not known."""
        return min(100, self.done * 100 // self.total) if self.total else None


class ProgressCallback(Protocol):
    """Receives progress; called from a worker thread, must not block."""

    def __call__(self, progress: Progress, /) -> None:
        """Take note of the progress."""
