"""Pieces of the long lines of a page: a page without line breaks has headings and paragraphs as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from khoj_ls.content.html_text import Block
from khoj_ls.content.long_lines import LEAST_PIECE, LONG_LINE, MOST_PIECE
from khoj_ls.content.outlined import Head, with_pieces
from khoj_ls.content.rendering import clean
from khoj_ls.core.text import LineIndex
from khoj_ls.core.types import Anchor

BETWEEN = " · "
"""Stands between blocks that share a line."""


@dataclass(frozen=True)
class Fragment:
    """A heading, a short block, or a part of a long one."""

    at: int
    """The character of the source where it begins."""
    text: str
    joint: str
    """What stands between it and the text before it."""
    level: int = 0
    anchor: Anchor | None = None


class LongLines:
    """The long lines of one page, and what is found on them."""

    def __init__(self, index: LineIndex) -> None:
        """Find the long lines of a page."""
        self._index = index
        self._lines = frozenset(at for at, line in enumerate(index.lines, 1) if len(line) > LONG_LINE)
        self._found: defaultdict[int, list[Fragment]] = defaultdict(list)

    def __contains__(self, line: int) -> bool:
        """Whether `line` is a long one."""
        return line in self._lines

    def heading(self, line: int, block: Block, said: str) -> None:
        """Take in a heading."""
        end = max((at + len(text) for at, text in block.parts), default=block.start)
        anchor = Anchor("heading", said, self._index.span_of_chars(block.start, end))
        self._found[line].append(Fragment(block.start, said, "", block.level, anchor))

    def text(self, line: int, block: Block) -> None:
        """Take in what a block says on the line."""
        joint = " " if block.soft else BETWEEN
        for at, text in _parts(self._on(line, block)):
            shown = clean(text.rstrip()) if block.literal else " ".join(clean(text).split())
            if shown.strip():
                self._found[line].append(Fragment(at, shown, joint))
                joint = " "

    def _on(self, line: int, block: Block) -> Iterator[tuple[int, str]]:
        first, behind = self._index.char_starts[line - 1 : line + 1]
        return ((max(first, min(at, behind - 1)), text) for at, text in block.parts if self._index.line_of_char(at) == line)

    def woven(self, heads: Sequence[Head]) -> list[Head]:
        """The heads of the other lines, and the pieces of the long ones among them."""
        return with_pieces(heads, {line: list(self._pieces(line)) for line in self._found}, len(self._index))

    def _pieces(self, line: int) -> Iterator[Head]:
        """The pieces of a line, together all of it: at each heading, and before too much text."""
        start = self._index.char_starts[line - 1]
        fragments = sorted(self._found[line], key=lambda fragment: fragment.at)
        if fragments[0].at > start:
            yield Head(line, at=start)  # what comes before is no text
        piece: Head | None = None
        for fragment in fragments:
            if fragment.level or piece is None or _is_full(piece, fragment):
                if piece:
                    yield piece
                piece = Head(line, at=fragment.at, lines=0)
                if fragment.anchor:
                    piece = replace(piece, heading=fragment.text, level=fragment.level, anchors=(fragment.anchor,))
                    continue
            piece = replace(piece, said=f"{piece.said}{fragment.joint}{fragment.text}" if piece.said else fragment.text)
        if piece:
            yield piece


def _is_full(piece: Head, fragment: Fragment) -> bool:
    """Whether another piece should begin with `fragment`: between blocks soon, within one where it must."""
    size = len(piece.said)
    return size >= LEAST_PIECE if fragment.joint == BETWEEN else size + len(fragment.text) > MOST_PIECE


def _parts(parts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """What a block says, in parts of no more than a piece; most blocks are one."""
    begun, said = -1, ""
    for at, text in parts:
        if said and len(said) + len(text) > MOST_PIECE:
            yield begun, said
            begun, said = -1, ""
        begun, said = at if begun < 0 else begun, said + text
    if said:
        yield begun, said
