"""What a process has done, in numbers: how often each request was answered, how it ended, and how long it took."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

_KEPT = 512
"""Latest times that are kept of each request: its percentiles are of now, and its memory is bounded."""


@dataclass(frozen=True)
class Timing:
    """One kind of request since the process began; times in milliseconds, of the latest few hundred."""

    count: int
    failed: int
    """Those of them that ended in an error, called off ones included."""
    running: int
    p50_ms: float
    p95_ms: float
    max_ms: float


class Metrics:
    """Counts what is told by any thread; cheap enough for every request."""

    def __init__(self) -> None:
        """Nothing was counted yet."""
        self._lock = threading.Lock()
        self._counts: dict[str, list[int]] = {}
        self._times: dict[str, deque[float]] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count what is done in the block as one `name`; an error counts, and goes on."""
        began, failed = perf_counter(), 1
        with self._lock:
            counts = self._counts.setdefault(name, [0, 0, 0])
            times = self._times.setdefault(name, deque(maxlen=_KEPT))
            counts[2] += 1
        try:
            yield
            failed = 0
        finally:
            with self._lock:
                counts[0] += 1
                counts[1] += failed
                counts[2] -= 1
                times.append((perf_counter() - began) * 1000)

    def timings(self) -> dict[str, Timing]:
        """By name, in the order of the names."""
        with self._lock:
            held = [(name, tuple(self._counts[name]), sorted(self._times[name])) for name in sorted(self._counts)]
        return {
            name: Timing(counts[0], counts[1], counts[2], _rank(times, 0.5), _rank(times, 0.95), _rank(times, 1))
            for name, counts, times in held
        }


def _rank(times: list[float], share: float) -> float:
    """The nearest rank; 0 where nothing has ended yet."""
    return round(times[max(0, min(len(times) - 1, int(share * len(times) + 0.999999) - 1))], 3) if times else 0.0
