"""An entry cut into its blocks - heading line, paragraphs, list items, fences - each with a readable form on one line."""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import itemgetter

from khoj_ls.core.text import text_lines
from khoj_ls.core.types import CODED_TYPES
from khoj_ls.store.entries import EntryRow, said_rows

_MARKER = re.compile(r"(?:[-+*>|#]+|\d+[.)]|\[[ xX-]\])(?:\s+|$)")
_FENCE = re.compile(r"(?:`{3,}|~{3,}|#\+(?:begin|end)_)", re.IGNORECASE)
_RULE = re.compile(r"[\s|:=+*_-]*$")
_START, _LINE = itemgetter(0), itemgetter(1)


class Block:
    """Neighbouring lines of a note that belong together; read only when looked at, and once."""

    __slots__ = ("_held", "as_written", "first", "is_heading", "last", "reading")

    def __init__(self, reading: Reading, first: int, last: int, *, is_heading: bool = False, as_written: bool = False) -> None:
        """The lines `first` to `last` of the file, 1-based, both inclusive; neither is blank."""
        self.reading = reading
        self.first = first
        self.last = last
        self.is_heading = is_heading
        self.as_written = as_written
        """Whether it is read in its source form: for words that only the markup holds."""
        self._held: tuple[str, list[tuple[int, int]]] | None = None

    def in_source(self) -> Block:
        """The same, read in its source form."""
        return Block(self.reading, self.first, self.last, is_heading=self.is_heading, as_written=True)

    @property
    def raw(self) -> str:
        """The lines as they stand in the source, where people read that."""
        return "".join(self.reading.said_lines[self.first - self.reading.first : self.last - self.reading.first + 1])

    @property
    def is_silent(self) -> bool:
        """Whether it says nothing to a reader: drawers, front matter, planning."""
        lines = slice(self.first - self.reading.first, self.last - self.reading.first + 1)
        return not self.is_heading and not any(map(str.strip, self.reading.text_lines[lines]))

    @property
    def text(self) -> str:
        """The lines in readable form, joined by blanks."""
        return self._read[0]

    def line_at(self, offset: int) -> int:
        """Line of the character at `offset` of `text`."""
        at = bisect_right(self._read[1], offset, key=_START)
        return self._read[1][at - 1][1] if at else self.first

    def offset_of(self, line: int) -> int:
        """Where in `text` the lines from `line` on begin."""
        at = bisect_left(self._read[1], line, key=_LINE)
        return self._read[1][at][0] if at < len(self._read[1]) else len(self.text)

    @property
    def _read(self) -> tuple[str, list[tuple[int, int]]]:
        """The text, and (offset in it, line) of each line that has something to read."""
        if self._held is None:
            self._held = self._lines_read()
        return self._held

    def _lines_read(self) -> tuple[str, list[tuple[int, int]]]:
        reading = self.reading
        if self.is_heading and reading.row.heading:
            heading = " ".join(reading.row.heading.split())
            # A title in HTML, or a name in code, may share its line with what is not the heading.
            beside = _readable(reading.text_lines[0]) if reading.text_lines else ""
            return _joined([f"{heading}: {beside}" if beside else heading], self.first)
        lines = slice(self.first - reading.first, self.last - reading.first + 1)
        said = reading.said_lines[lines]
        if self.as_written:
            return _joined((" ".join(line.split()) for line in said), self.first)
        compiled = _joined(map(_readable, reading.text_lines[lines]), self.first)
        return compiled if compiled[0] else _joined(map(_readable, said), self.first)


@dataclass(frozen=True)
class Reading:
    """An entry with all that is needed to show a passage of it."""

    row: EntryRow
    compiled: str
    """Compiled text, line-aligned with the source."""
    block_lines: tuple[int, ...]
    """0-based line offsets at which blocks begin, as the content processor saw them."""

    @property
    def first(self) -> int:
        """First line of the entry in its file."""
        return self.row.span.line

    @property
    def last(self) -> int:
        """Last line of the entry in its file."""
        return self.first + max(0, len(self.raw_lines) - 1)

    @cached_property
    def raw_lines(self) -> list[str]:
        """Lines of the source, with their breaks."""
        return text_lines(self.row.raw)

    @cached_property
    def text_lines(self) -> list[str]:
        """Lines of the compiled text, as many as the source has."""
        lines = text_lines(self.compiled)[: len(self.raw_lines)]
        return lines + [""] * (len(self.raw_lines) - len(lines))

    @property
    def said_lines(self) -> list[str]:
        """The lines of the source where people read that, else those of the compiled text."""
        return self.text_lines if self.row.type in CODED_TYPES else self.raw_lines

    @cached_property
    def blocks(self) -> list[Block]:
        """The entry's blocks in order; blank lines belong to none, but for that of a heading."""
        filled = [at for at, line in enumerate(self.said_lines) if line.strip() or (at == 0 and self.row.level > 0)]
        cuts = {0, len(self.raw_lines), *(self.block_lines or _paragraphs(filled))}
        if self.row.level > 0:
            cuts.add(1)
        found = []
        for start, end in pairwise(sorted(cuts)):
            low, high = bisect_left(filled, start), bisect_left(filled, end) - 1
            if low <= high:
                is_heading = start == 0 and self.row.level > 0
                found.append(Block(self, self.first + filled[low], self.first + filled[high], is_heading=is_heading))
        return found

    def byte_at(self, line: int) -> int:
        """Where `line` of the file begins, in bytes of the file; `line` is one of the entry's, or the one after it."""
        return self.row.span.start + len("".join(self.raw_lines[: line - self.first]).encode())


def readings(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, Reading]:
    """Entries by id, ready to be shown; ids that are gone are left out."""
    return {row.id: Reading(row, text, blocks) for row, text, blocks in said_rows(connection, ids)}


def _paragraphs(filled: Sequence[int]) -> list[int]:
    """The lines that begin a paragraph, of those that are not blank."""
    return [line for before, line in pairwise([-2, *filled]) if line > before + 1]


def _joined(lines: Iterable[str], first: int) -> tuple[str, list[tuple[int, int]]]:
    text = ""
    starts = []
    for number, line in enumerate(lines, first):
        if line:
            text += " " if text else ""
            starts.append((len(text), number))
            text += line
    return text, starts


def _readable(line: str) -> str:
    """A line without list, quote and table markers, fences and rules, its blanks made single."""
    content = " ".join(line.split())
    if content[:1].isalpha():  # as most lines do: none of the others begins so
        return content
    if not content or _FENCE.match(content) or _RULE.match(content):
        return ""
    while marker := _MARKER.match(content):
        content = content[marker.end() :]
    return content
