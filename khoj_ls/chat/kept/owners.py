"""Which process is at a turn, and whether it still is."""

from __future__ import annotations

import os

import psutil

_CLOCK_SECONDS = 2.0
"""Times of start are told by the system's clock, which may have been set meanwhile by a little."""


def this_process() -> str:
    """Names this process: its number and when it began, as numbers are given again."""
    return f"{os.getpid()} {psutil.Process().create_time():.2f}"


def is_alive(owner: str) -> bool:
    """Whether the process that `owner` names still runs."""
    number, _, began = owner.partition(" ")
    try:
        process = psutil.Process(int(number))
        same = abs(process.create_time() - float(began)) < _CLOCK_SECONDS
        # One that was killed stays a zombie until its parent looks.
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except (psutil.Error, ValueError, OverflowError):
        return False
