"""What the daemons of a test session have logged as errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_RECORD = re.compile(r'^\d{4}-\d\d-\d\d [\d:,]+ [A-Z]+ \S+: |^\{"time": ')
_ERROR = re.compile(r'^\S+ \S+ (ERROR|CRITICAL) |"level": "(error|critical)"')
_MOST_LINES = 40


def stray_errors(homes: Iterable[Path], expected: Iterable[str]) -> list[str]:
    """The errors in the logs of the daemons of some homes, but for those in which an `expected` pattern is found.

    Each with the path of its log and with the lines below it, which tell where it happened.
    """
    patterns = [re.compile(pattern) for pattern in expected]
    return [
        f"{log}:\n{record}"
        for home in homes
        for log in sorted(home.glob("state/daemon.log*"))
        for record in _records(log.read_text(errors="replace"))
        if _ERROR.search(record.partition("\n")[0]) and not any(pattern.search(record) for pattern in patterns)
    ]


def _records(text: str) -> Iterator[str]:
    """Each line that begins a record with those that belong to it, of which there are as many as one wants to read."""
    lines: list[str] = []
    for line in text.splitlines():
        if _RECORD.match(line) and lines:
            yield "\n".join(lines)
            lines = []
        if len(lines) < _MOST_LINES:
            lines.append(line)
    if lines:
        yield "\n".join(lines)
