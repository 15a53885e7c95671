"""Byte offsets as LSP positions and back, in the encoding the client chose (LSP 3.17, PositionEncodingKind).

Core counts bytes of UTF-8; clients count bytes, UTF-16 units or characters within a line. A position that a client makes up
(behind a line's end, below the last line, within a character) means the nearest real one.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from types import MappingProxyType

from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument

from khoj_ls.core.text import text_lines

_UNITS = MappingProxyType(
    {
        types.PositionEncodingKind.Utf8: ("utf-8", 1),
        types.PositionEncodingKind.Utf16: ("utf-16-le", 2),
        types.PositionEncodingKind.Utf32: ("utf-32-le", 4),
    }
)
"""Codec and bytes a unit of each encoding."""


class Positions:
    """The places of one text."""

    def __init__(self, text: str, codec: PositionCodec) -> None:
        """Look up places of `text` in the client's `codec`."""
        self._lines = text_lines(text)
        self._units = _UNITS[types.PositionEncodingKind(codec.encoding or "utf-16")]
        sizes = (len(line.encode(errors="replace")) for line in self._lines)
        self._starts = [0, *accumulate(sizes)]
        """Byte offset of each line, and of the end."""

    @classmethod
    def of(cls, document: TextDocument, codec: PositionCodec) -> Positions:
        """The places of an open document."""
        return cls(document.source, codec)

    def offset(self, position: types.Position) -> int:
        """Byte offset of a position."""
        if position.line >= len(self._lines):
            return self._starts[-1]
        line = self._lines[position.line].rstrip("\r\n")
        codec, width = self._units
        before = line.encode(codec, "replace")[: position.character * width].decode(codec, "ignore")
        return self._starts[position.line] + len(before.encode(errors="replace"))

    def position(self, offset: int) -> types.Position:
        """Position of a byte offset; one inside a character is that character's beginning."""
        offset = max(0, min(offset, self._starts[-1]))
        line = max(0, bisect_right(self._starts, offset, hi=len(self._lines)) - 1) if self._lines else 0
        if not self._lines or (offset == self._starts[-1] and self._ended()):
            return types.Position(line=len(self._lines), character=0)
        before = self._lines[line].encode(errors="replace")[: offset - self._starts[line]].decode(errors="ignore")
        codec, width = self._units
        return types.Position(line=line, character=len(before.encode(codec)) // width)

    def range(self, start: int, end: int) -> types.Range:
        """Range of the bytes [start, end)."""
        return types.Range(start=self.position(start), end=self.position(end))

    def _ended(self) -> bool:
        """Whether the last line has a line break, so that an empty one follows."""
        return self._lines[-1].endswith(("\n", "\r"))
