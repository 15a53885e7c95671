"""When the backlog makes room: while somebody types, and on a battery that runs low.

What is being written is embedded all the same, and so is everything once somebody waits for it (`khoj-ls index`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psutil

from khoj_ls.config.settings import EmbeddingSettings

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 5.0
"""Who types without a rest gets no more than this between two batches, or a day of writing would embed nothing."""
_LOOK_AGAIN = 30.0
"""Seconds between two looks at the battery."""


class Battery(NamedTuple):
    """The battery of this machine."""

    percent: float
    plugged: bool
    """Whether it is on power; also where that is not known."""


def battery() -> Battery | None:
    """The battery as it is now; None where there is none, or the system does not tell."""
    try:
        sensed = psutil.sensors_battery()
    except (AttributeError, NotImplementedError, OSError, ValueError) as error:  # each system has its own way not to know
        log.debug("nothing is known of a battery: %s", error)
        return None
    return None if sensed is None else Battery(sensed.percent, sensed.power_plugged is not False)


class Courtesy:
    """Whether the backlog may take the processor now. Thread-safe."""

    def __init__(
        self,
        settings: EmbeddingSettings,
        *,
        sense: Callable[[], Battery | None] = battery,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make room as `settings` say; `now` counts seconds."""
        self._settings = settings
        self._sense = sense
        self._now = now
        self._lock = threading.Lock()
        self._typed = self._paused_since = self._looked = float("-inf")
        self._low: Battery | None = None
        self._insisting = 0

    def typed(self) -> None:
        """A buffer was changed."""
        self._typed = self._now()

    @contextmanager
    def insisting(self) -> Iterator[None]:
        """While somebody waits for the index, nothing else does."""
        with self._lock:
            self._insisting += 1
        try:
            yield
        finally:
            with self._lock:
                self._insisting -= 1

    def wait_seconds(self) -> float:
        """How long the backlog should wait from now; 0: it may go on."""
        if self._insisting:
            return 0.0
        if self._is_low():
            return _LOOK_AGAIN
        now = self._now()
        left = self._typed + self._settings.typing_pause_seconds - now
        if left <= 0:
            self._paused_since = float("-inf")
            return 0.0
        if self._paused_since == float("-inf"):
            self._paused_since = now
        if now - self._paused_since >= _LONGEST_PAUSE:
            self._paused_since = now  # one batch
            return 0.0
        return left

    @property
    def reason(self) -> str:
        """Why the backlog waits for longer than a moment; empty when it does not."""
        low = self._low
        if low is None or self._insisting:
            return ""
        return (
            f"the battery is at {low.percent:.0f}%: what you write is found by meaning, other new notes once there is power or "
            "after khoj-ls index (embedding.battery_percent)"
        )

    def _is_low(self) -> bool:
        least = self._settings.battery_percent
        if least and self._now() - self._looked >= _LOOK_AGAIN:
            self._looked = self._now()
            sensed = self._sense()
            self._low = sensed if sensed and not sensed.plugged and sensed.percent < least else None
        return self._low is not None
