"""Python imports this at the start of every process that a test starts: they stay on this machine, as the test itself does.

PYTHONPATH leads here, which the daemon and the workers inherit (see `loopback_only`). Python run with -E, -I or -S does not
look here; the tests run none so.
"""

from __future__ import annotations

import os
import sys

from this_machine import REPORT, elsewhere


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    place = elsewhere(event, arguments) if event.startswith("socket.") else None
    if place is None:
        return
    report = os.open(os.environ[REPORT], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(report, f"{place} by {' '.join(sys.orig_argv)[:300]}\n".encode(errors="replace"))
    os.close(report)
    raise AssertionError(f"a process of a test connects to {place}: tests stay on this machine")


if REPORT in os.environ:
    sys.addaudithook(_guard)
