"""A few requests at a time, until all are answered or who asked has no use for them any more."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from khoj_ls.core.jobs import CancelToken

MOST = 4
"""Requests that are under way at once; size a pool by it."""
_POLL_SECONDS = 0.1

R = TypeVar("R")


def side_by_side(
    pool: ThreadPoolExecutor,
    ask: Callable[[range, CancelToken], R],
    count: int,
    size: int,
    token: CancelToken | None,
    arrived: Callable[[range, R], None],
) -> None:
    """Ask for the places 0 to `count` in ranges of `size`; `arrived` hears of each answer, on the calling thread.

    `ask` runs in `pool` and ends when the token it is given is cancelled. Raises what `ask` raises, and Cancelled.
    """
    over = CancelToken()
    running: dict[Future[R], range] = {}
    starts = iter(range(0, count, size))
    try:
        while True:
            if token:
                token.raise_if_cancelled()
            while len(running) < MOST and (start := next(starts, None)) is not None:
                places = range(start, min(start + size, count))
                running[pool.submit(ask, places, over)] = places
            if not running:
                return
            for done in wait(running, _POLL_SECONDS, FIRST_COMPLETED).done:
                arrived(running.pop(done), done.result())
    finally:
        over.cancel()  # what is on its way comes to nothing
        for future in running:
            future.cancel()
