"""The records of a CSV file with the lines they take, whatever separates and quotes them.

Quoting: RFC 4180, 2. What separates fields is not told by the file (but for Excel's first line `sep=;`), and guessed.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

_SEPARATORS = "\t;|,"
"""Among equals the first: commas also stand within numbers and sentences."""
_LOOKED_AT = 100
_MOST_LINES = 1000
"""Of one record. A quote that is open for longer was never meant to be one."""
_TOLD = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """A record: its fields, and the lines of the file it takes."""

    cells: tuple[str, ...]
    line: int
    """1-based."""
    lines: int = 1
    is_broken: bool = False
    """Whether a quote that begins in it is never closed."""


def told_separator(lines: Sequence[str]) -> str | None:
    """What Excel's first line `sep=;` says; None where there is none."""
    found = _TOLD.fullmatch(lines[0]) if lines else None
    return found[1] if found else None


def separator_of(lines: Sequence[str], usual: str) -> str:
    """What separates the fields: what gives most records the same number of them; `usual` where nothing does."""
    shares: dict[str, float] = {}
    for separator in _SEPARATORS:
        counts = Counter(len(row.cells) for row in islice(rows_of(lines, separator), _LOOKED_AT) if any(row.cells))
        wide = [(many, fields) for fields, many in counts.items() if fields > 1]
        shares[separator] = round(max(wide)[0] / counts.total(), 1) if wide else 0.0
    best = max(shares, key=lambda separator: shares[separator])
    return best if shares[best] else usual


def rows_of(lines: Sequence[str], separator: str, start: int = 0) -> Iterator[Row]:
    """The records in `lines` (with their line breaks) from index `start`. Never raises."""
    at = start
    while at < len(lines):
        rest = _Lines(lines, at)
        reader = csv.reader(rest, delimiter=separator)
        while (row := _next_row(reader, rest, lines, separator)) is not None:
            yield row
            at = row.line - 1 + row.lines
            if row.is_broken:
                break  # the reader has read on: begin behind this line
        else:
            return


class _Lines:
    """Lines for one reader, who gets no more than a record may have."""

    def __init__(self, lines: Sequence[str], at: int) -> None:
        self._lines = lines
        self.at = at
        self.end = len(lines)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.at >= self.end:
            raise StopIteration
        self.at += 1
        return self._lines[self.at - 1]


def _next_row(reader: Iterator[list[str]], rest: _Lines, lines: Sequence[str], separator: str) -> Row | None:
    first = rest.at
    rest.end = min(len(lines), first + _MOST_LINES)
    try:
        cells = next(reader, None)
    except csv.Error:  # a field longer than the module takes
        cells = []
        rest.at = max(rest.at, first + 1)
    else:
        if cells is None:
            return None
        many = rest.at - first
        # What the reader was given to the end may end within quotes.
        is_open = rest.at >= rest.end and (many > 1 or "\n" in "".join(cells[-1:]))
        if not is_open or sum(line.count('"') for line in lines[first : rest.at]) % 2 == 0:
            return Row(tuple(cells), first + 1, many)
    return Row(tuple(lines[first].rstrip("\r\n").split(separator)), first + 1, 1, is_broken=True)
