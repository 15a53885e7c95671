"""On which processor a thread of another process wakes. Linux only: elsewhere the system decides alone.

Linux likes to wake a thread on the processor of the one that wakes it, as if that were about to sleep. Where that works on, the
woken one waits behind it though another processor has nothing to do, until the kernel next looks at the balance: some 4 ms, in
which a query would have had its vector. So it is bound to the other processors (sched_setaffinity(2)) until it has woken.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Collection


def usable() -> frozenset[int]:
    """The processors that the calling thread may run on; none where the system does not tell."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


def roam(processors: Collection[int]) -> None:
    """Let the calling thread run on all of `processors`, as it may before it was made to wake on some of them."""
    _bind(0, processors)


class Elsewhere:
    """Has threads of another process wake on processors other than that of the one who wakes them."""

    def __init__(self, threads: Collection[int], processors: Collection[int]) -> None:
        """For threads by their native ids, which may run on `processors`."""
        self._threads = tuple(threads)
        self._processors = frozenset(processors)
        self._here = _current_processor()

    def arrange(self) -> None:
        """Call this right before they are woken; each is to `roam` once it runs."""
        if self._here is not None and (others := self._processors - {self._here()}):
            for thread in self._threads:
                _bind(thread, others)


def _bind(thread: int, processors: Collection[int]) -> None:
    """Have a thread run on these only; where that cannot be, or the thread is gone, all stays as it is."""
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(thread, processors)


def _current_processor() -> Callable[[], int] | None:
    """What tells the number of the processor that the calling thread runs on; None where nothing does."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        import ctypes

        # It takes less than to let go of the interpreter and to get it back.
        tells: Callable[[], int] = ctypes.PyDLL(None).sched_getcpu
    except (ImportError, OSError, AttributeError):  # another C library
        return None
    return tells if tells() >= 0 else None
