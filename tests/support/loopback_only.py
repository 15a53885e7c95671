"""Lets no test reach another machine, neither itself nor by a process that it starts, and tells of those that tried."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from this_machine import REPORT, elsewhere

CHILDREN = Path(__file__).with_name("children")
"""On the PYTHONPATH of every process that a test starts."""


@contextlib.contextmanager
def loopback_only() -> Iterator[list[str]]:
    """While this holds, reaching elsewhere fails in this process; yields what was tried, as `host:port`.

    A list, because the code under test may hold a failed connection for the network's fault. Of several that hold, the one
    that was made last is told.
    """
    held = _held()
    tried: list[str] = []
    held.append(tried)
    try:
        yield tried
    finally:
        held.pop()


class Children:
    """What processes started with `environment` have tried."""

    def __init__(self, environment: MutableMapping[str, str], report: Path) -> None:
        """Guard those that are started from now on; `report` is a file for them to write into."""
        environment[REPORT] = str(report)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(CHILDREN), environment.get("PYTHONPATH"))))
        self._report = report
        self._told = 0

    def tried(self) -> list[str]:
        """`host:port by COMMAND` of what was tried since the last call."""
        lines = self._report.read_text().splitlines() if self._report.exists() else []
        new, self._told = lines[self._told :], len(lines)
        return new


@functools.cache
def _held() -> list[list[str]]:
    """The lists of those who guard this process, which is made to ask them: a hook stays for as long as the process."""
    held: list[list[str]] = []

    def guard(event: str, arguments: tuple[object, ...]) -> None:
        if held and event.startswith("socket.") and (place := elsewhere(event, arguments)):
            held[-1].append(place)
            raise AssertionError(f"a test connects to {place}: tests stay on this machine")

    sys.addaudithook(guard)
    return held
