"""How long the stages of an answer took."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType


class Stopwatch:
    """Milliseconds by stage; a stage that runs twice is summed."""

    def __init__(self) -> None:
        """Start."""
        self._started = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Book the time since the last lap on `stage`."""
        now = time.perf_counter()
        self._laps[stage] = self._laps.get(stage, 0.0) + (now - self._last) * 1000
        self._last = now

    def stop(self) -> Mapping[str, float]:
        """All stages, and `total`."""
        return MappingProxyType({**self._laps, "total": (time.perf_counter() - self._started) * 1000})
