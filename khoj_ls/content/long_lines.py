"""Lines so long that a line says nothing about where something stands: they are cut into pieces, each an entry of its own.

A page, a text or data without line breaks is one line of any length. A cut is chosen by the text around it, as those of chunks
are (see `chunk_units`): after an edit most pieces stay what they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from zlib import crc32

from khoj_ls.core.places import Column, Place
from khoj_ls.core.text import LineIndex
from khoj_ls.core.types import Span

LONG_LINE = 2_000
"""Characters; paragraphs that people write are shorter."""
LEAST_PIECE, MOST_PIECE = 500, 1_500
"""Characters of a piece, where there is anywhere to cut."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]”’»]{0,2}\s+|[。！？][」』”’）]{0,2}")
_BLANK = re.compile(r"\s+")
_LOOKED_AT = 48


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """Ranges of `text`, together all of it, cut behind sentences, else blanks, else anywhere."""
    start = 0
    while len(text) - start > MOST_PIECE:
        low, high = start + LEAST_PIECE, start + MOST_PIECE
        for ends in (_SENTENCE_END, _BLANK):
            found = [match.end() for match in ends.finditer(text, low, high)]
            if found:
                end = min(found, key=lambda at: crc32(text[at : at + _LOOKED_AT].encode(errors="surrogatepass")))
                break
        else:
            end = high
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


class LinePieces:
    """Where pieces of the lines of a text stand. They are asked for in order: so each line is counted through but once."""

    def __init__(self, text: str, index: LineIndex) -> None:
        """Look into `text`, whose lines are in `index`."""
        self._text = text
        self._index = index
        self._line = self._at = 0
        self._column = Column()

    def piece(self, line: int, start: int, end: int) -> tuple[Span, Place]:
        """The characters [start, end), which are in 1-based `line`; its break is not among the columns of the place."""
        if line != self._line:
            self._line, self._at, self._column = line, self._index.char_starts[line - 1], Column()
        begins = self._column.behind(self._text[self._at : start])
        ends = begins.behind(self._text[start:end].rstrip("\r\n"))
        self._at, self._column = start, begins
        span = Span(self._index.byte_of_char(start), self._index.byte_of_char(end), line, line)
        return span, Place("piece", begins.utf32 + 1, max(begins.utf32 + 1, ends.utf32), lined=True, columns=(begins, ends))
