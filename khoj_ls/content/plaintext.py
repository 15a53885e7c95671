"""Plain text as entries without headings, small enough that a hit is a place and no file, nor a line that holds all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from khoj_ls.content.long_lines import LONG_LINE, LinePieces, pieces
from khoj_ls.core.text import LineIndex, decode_source
from khoj_ls.core.types import Entry, ParsedFile

LINES_PER_ENTRY = 200
"""A longer text is cut at the next blank line, and at twice this many lines if there is none."""


class PlainTextProcessor:
    """Reads text files: entries of level 0, blocks between blank lines, no title."""

    name = "text"
    extensions: tuple[str, ...] = (".txt", ".text")  # no .log: logs are large, repeat themselves and are not notes
    priority = 0
    version = 2

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Never raises on content."""
        text, problems = decode_source(data)
        index = LineIndex(text)
        lines = [line.rstrip("\r\n") for line in index.lines]
        entries: list[Entry] = []
        for start, end in _pieces(lines):
            if end - start == 1 and len(lines[start]) > LONG_LINE:
                entries.extend(_parts(text, index, start))
            else:
                entries.append(_entry(text, index, lines, start, end))
        return ParsedFile(self.name, None, tuple(entries), problems=problems)


def _pieces(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Ranges of lines, together all of them; a cut stands before the first line after a blank one. Long lines are alone."""
    if not any(line.strip() for line in lines):
        return
    start = 0
    for at in range(1, len(lines)):
        length = at - start
        if max(len(lines[at]), len(lines[at - 1])) > LONG_LINE:
            yield start, at
            start = at
            continue
        is_break = not lines[at - 1].strip() and lines[at].strip()
        if (length >= LINES_PER_ENTRY and is_break) or length >= 2 * LINES_PER_ENTRY:
            yield start, at
            start = at
    yield start, len(lines)


def _parts(text: str, index: LineIndex, at: int) -> Iterator[Entry]:
    """The pieces of the long line behind line `at`."""
    line, first, places = index.lines[at], index.char_starts[at], LinePieces(text, index)
    for start, end in pieces(line):
        span, place = places.piece(at + 1, first + start, first + end)
        yield Entry(span, 0, "", (), None, line[start:end], line[start:end].rstrip(), (0,), place=place)


def _entry(text: str, index: LineIndex, lines: Sequence[str], start: int, end: int) -> Entry:
    raw = text[index.char_starts[start] : index.char_starts[end]]
    blocks = tuple(at - start for at in range(start, end) if lines[at].strip() and (at == start or not lines[at - 1].strip()))
    shown = "\n".join(line.rstrip() for line in lines[start:end]) + ("\n" if raw.endswith(("\n", "\r")) else "")
    return Entry(index.span_of_lines(start + 1, end), 0, "", (), None, raw, shown, blocks)
