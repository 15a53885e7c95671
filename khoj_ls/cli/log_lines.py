"""The daemon's log as records, whichever way it was written: its last ones, and those that come."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from khoj_ls.cli.output import printable

LEVELS = ("debug", "info", "warning", "error", "critical")
_TEXT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) ([A-Z]+) ([\w.]+): (.*)")
"""`khoj_ls.daemon.log.LAYOUT`; that room is not imported for it."""
_LONGEST_TRACE = 1024
"""More lines than this are not taken for one record: what was no line of ours came in between."""


@dataclass(frozen=True)
class Record:
    """One entry of the log."""

    time: str | None
    """ISO 8601 with the offset; None where the lines were written by no logger, such as the last words of a library."""
    level: str | None
    logger: str | None
    message: str
    trace: tuple[str, ...] = ()
    """The lines that follow it."""

    def json(self) -> dict[str, object]:
        """As `daemon logs --json` prints it."""
        return {**vars(self), "trace": list(self.trace)}

    def lines(self) -> Iterator[str]:
        """As people read it, in local time."""
        if self.time is None:
            yield printable(self.message)
        else:
            local = datetime.fromisoformat(self.time).astimezone()
            when = f"{local:%Y-%m-%d %H:%M:%S},{local.microsecond // 1000:03}"
            yield printable(f"{when} {str(self.level).upper()} {self.logger}: {self.message}")
        yield from map(printable, self.trace)

    def reaches(self, level: str) -> bool:
        """Whether it is as grave as `level`; what no logger wrote always is."""
        return self.level not in LEVELS or LEVELS.index(self.level) >= LEVELS.index(level)


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The records of some lines of the log; lines that begin none follow the one before."""
    begun: Record | None = None
    trace: list[str] = []
    for line in lines:
        found = _read(line)
        if begun is not None and found is None and begun.time is not None and len(trace) < _LONGEST_TRACE:
            trace.append(line)
            continue
        if begun is not None:
            yield _with(begun, trace)
        begun, trace = found or Record(None, None, None, line), []
    if begun is not None:
        yield _with(begun, trace)


class LogFile:
    """A log that is being written and turned over by another process."""

    def __init__(self, path: Path) -> None:
        """Of the log at `path`, which need not be there yet."""
        self._path = path
        self._open: BinaryIO | None = None

    def last(self, count: int) -> list[str]:
        """The last `count` lines, also where they lie in files that were turned over. Raises OSError."""
        kept: deque[str] = deque(maxlen=count)
        numbered = sorted(self._path.parent.glob(f"{self._path.name}.*"), key=lambda path: path.name, reverse=True)
        for path in numbered:
            with contextlib.suppress(FileNotFoundError), path.open("rb") as older:
                kept.extend(map(_line, older))
        kept.extend(self.new())
        return list(kept)

    def new(self) -> list[str]:
        """Whole lines that came since the last call; also the rest of a file that was turned over meanwhile. Raises OSError."""
        lines = self._rest()
        if self._turned_over():
            lines += self._rest()
            if self._open is not None:
                self._open.close()
            self._open = None
            with contextlib.suppress(FileNotFoundError):
                self._open = self._path.open("rb")
            lines += self._rest()
        return lines

    def _rest(self) -> list[str]:
        if self._open is None:
            return []
        lines = []
        while line := self._open.readline():
            if not line.endswith(b"\n"):  # still being written
                self._open.seek(-len(line), os.SEEK_CUR)
                break
            lines.append(_line(line))
        return lines

    def _turned_over(self) -> bool:
        """Whether another file stands under the name now, or this one begins anew."""
        if self._open is None:
            return True
        try:
            found = self._path.stat()
        except FileNotFoundError:  # the next one is not there yet
            return False
        held = os.fstat(self._open.fileno())
        if (found.st_dev, found.st_ino) != (held.st_dev, held.st_ino):
            return True
        return found.st_size < self._open.tell()


def _read(line: str) -> Record | None:
    if line.startswith("{"):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            datetime.fromisoformat(told["time"])
            trace = told.get("trace", "").splitlines()
            return Record(told["time"], str(told["level"]), str(told["logger"]), str(told["message"]), tuple(trace))
    if found := _TEXT.fullmatch(line):
        when = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f").astimezone()
        return Record(when.isoformat(timespec="milliseconds"), found[2].lower(), found[3], found[4])
    return None


def _with(record: Record, trace: list[str]) -> Record:
    return Record(record.time, record.level, record.logger, record.message, (*record.trace, *trace))


def _line(data: bytes) -> str:
    return data.decode(errors="replace").rstrip("\r\n")
