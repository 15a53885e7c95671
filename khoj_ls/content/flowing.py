"""Documents that flow: paragraphs, lists and tables under headings become entries, counted in paragraphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from khoj_ls.content.rendering import Piece
from khoj_ls.core.places import Place

CHARS_PER_ENTRY = 1500
"""A longer section is cut between paragraphs: its entries say where in it a hit is."""


@dataclass(frozen=True)
class Block:
    """A paragraph, a list item or a row of a table."""

    text: str
    level: int = 0
    """Depth of the heading that it is, from 1."""
    close: bool = False
    """Whether it stands close to another of its kind before it: list items, rows."""
    notes: tuple[str, ...] = ()
    """Footnotes and comments that hang on it, each a line."""


def pieces_of(blocks: Iterable[Block]) -> Iterator[Piece]:
    """A piece for each section, or for a part of a long one. Headings, items and rows count as paragraphs."""
    section = _Section(1)
    count = 0
    for block in blocks:
        if not block.text.strip():
            section.notes += block.notes
            continue
        count += 1
        if block.level or (section.chars and section.chars + len(block.text) > CHARS_PER_ENTRY):
            yield from section.pieces(count - 1)
            section = _Section(count, block.text if block.level else "", block.level)
            section.notes += block.notes
            if block.level:
                continue
        else:
            section.notes += block.notes
        section.add(block)
    yield from section.pieces(max(count, 1))


class _Section:
    def __init__(self, first: int, heading: str = "", level: int = 0) -> None:
        self.first, self.heading, self.level = first, heading, level
        self.notes: list[str] = []
        self.chars = 0
        self._lines: list[str] = []
        self._was_close = False

    def add(self, block: Block) -> None:
        if self._lines and not (block.close and self._was_close):
            self._lines.append("")
        self._lines.append(block.text)
        self._was_close = block.close
        self.chars += len(block.text)

    def pieces(self, last: int) -> Iterator[Piece]:
        lines = [*self._lines, *([""] if self._lines and self.notes else []), *self.notes]
        if self.heading or lines:
            place = Place("paragraph", self.first, max(self.first, last))
            yield Piece("\n".join(lines), place, self.heading, self.level)
