"""Waiting for a condition: how long it takes is no part of a test, so only a failing one waits to the end."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], what: str = "it", seconds: float = 60.0) -> None:
    """Return when `condition()` holds; a failure when it does not for so long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} never came true"
        time.sleep(0.005)  # between two looks: nothing calls back
