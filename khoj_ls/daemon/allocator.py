"""What the C library keeps of freed memory: less of it, and given back to the system now and then.

Only glibc has these calls; elsewhere they do nothing, and nothing is lost by it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

_ARENA_MAX = -8
"""M_ARENA_MAX of mallopt(3)."""
_ARENAS = 2
_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of mallopt(3)."""
_LARGE_BYTES = 128 * 1024
"""glibc's own limit at its start."""
_TRIM_THRESHOLD = -1
"""M_TRIM_THRESHOLD of mallopt(3)."""
_KEPT_BYTES = 64 * 1024 * 1024
"""So much may be free at the end of the heap until `NowAndThen`: what a search needs is not asked of the system each time."""
_REST_SECONDS = 60.0
"""Between one time and the next: to go through all that is free takes some milliseconds, in which nobody gets memory."""
_WORK_SECONDS = 1.0
"""Whoever has worked less has freed little."""


def few_arenas() -> bool:
    """Have all threads to come share a few places to take memory from; whether the C library knows of such.

    By itself glibc gives each of the first threads one of its own, up to eight for each core, and what one thread has freed
    there no other gets. Ours take turns at the interpreter: they do not wait for each other here.
    """
    return _called("mallopt", _ARENA_MAX, _ARENAS)


def large_blocks_apart() -> bool:
    """Have large blocks always come from the system and go back to it; whether the C library knows of such.

    By itself glibc raises the limit to the size of each large block that is given back, up to 32 MB: from the first long note
    on, all blocks lie between each other, and the holes stay. Ten editors' daemon has 38 MB of them, with this 10.
    """
    # With the one limit set glibc does not raise the other any more, either.
    return _called("mallopt", _MMAP_THRESHOLD, _LARGE_BYTES) and _called("mallopt", _TRIM_THRESHOLD, _KEPT_BYTES)


def trim() -> bool:
    """Give back what is free; whether there was any. See malloc_trim(3)."""
    return _called("malloc_trim", 0)


def _called(name: str, *arguments: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        return bool(getattr(ctypes.CDLL(None), name)(*arguments))
    except (ImportError, OSError, AttributeError):  # another C library: musl has neither
        return False


class NowAndThen:
    """Has memory given back once a minute, if anything was done in it."""

    def __init__(
        self,
        give_back: Callable[[], object] = trim,
        clock: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.process_time,
    ) -> None:
        """Call `give_back`; `worked` tells the seconds of CPU time that this process has had."""
        self._give_back, self._clock, self._worked = give_back, clock, worked
        self._at, self._after = clock(), worked()

    def look(self) -> None:
        """To be called every few seconds."""
        now, worked = self._clock(), self._worked()
        if now - self._at >= _REST_SECONDS and worked - self._after >= _WORK_SECONDS:
            self._at, self._after = now, worked
            self._give_back()
