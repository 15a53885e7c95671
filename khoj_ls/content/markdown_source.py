"""A source text as the Markdown reader walks it: LF line breaks, its lines, and the way back to bytes of the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from khoj_ls.core.text import LineIndex
from khoj_ls.core.types import Span


class Source:
    """One text with its line breaks made LF. Offsets are characters of `text`; lines are 0-based."""

    def __init__(self, original: str) -> None:
        """Take in a decoded file; costs one pass."""
        self.original = original
        self.index = LineIndex(original)
        has_cr = "\r" in original
        self.text = original.replace("\r\n", "\n").replace("\r", "\n") if has_cr else original
        self.lines = [line.rstrip("\r\n") for line in self.index.lines]
        self._is_ascii = not has_cr and original.isascii()
        self.starts = list(accumulate((len(line) + 1 for line in self.lines), initial=0)) if has_cr else self.index.char_starts

    def line_at(self, offset: int) -> int:
        """The line that holds the character at `offset`."""
        return max(0, min(bisect_right(self.starts, offset), len(self.lines)) - 1)

    def range_of_lines(self, line: int, end_line: int) -> tuple[int, int]:
        """Offsets of the lines [line, end_line), without the last one's line break."""
        return self.starts[line], self.starts[end_line - 1] + len(self.lines[end_line - 1])

    def raw(self, line: int, end_line: int) -> str:
        """The lines [line, end_line) as they stand in the file."""
        return self.original[self.index.char_starts[line] : self.index.char_starts[end_line]]

    def span_of_lines(self, line: int, end_line: int) -> Span:
        """Span of the lines [line, end_line), line breaks included."""
        return self.index.span_of_lines(line + 1, end_line)

    def spans(self, ranges: Sequence[tuple[int, int]]) -> list[Span]:
        """Spans of ranges of offsets; linear in the text, however many lie in one line."""
        to_byte = self._bytes_of(offset for pair in ranges for offset in pair)
        return [
            Span(to_byte[start], to_byte[end], self.line_at(start) + 1, self.line_at(max(start, end - 1)) + 1)
            for start, end in ranges
        ]

    def _bytes_of(self, offsets: Iterable[int]) -> dict[int, int]:
        if self._is_ascii:
            return {offset: offset for offset in offsets}
        found: dict[int, int] = {}
        at_line, at_column, at_byte = -1, 0, 0
        for offset in sorted(set(offsets)):
            line = self.line_at(offset)
            if line != at_line:
                at_line, at_column, at_byte = line, 0, self.index.byte_starts[line]
            column = offset - self.starts[line]
            at_byte += len(self.index.lines[line][at_column:column].encode())
            at_column = column
            found[offset] = at_byte
        return found
