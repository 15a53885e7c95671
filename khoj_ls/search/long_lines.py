"""Where in a very long line a hit stands: a paragraph, or a whole transcript, that is written without a line break."""

from __future__ import annotations

from collections.abc import Sequence

from khoj_ls.content.long_lines import LONG_LINE, LinePieces, pieces
from khoj_ls.core.places import Place
from khoj_ls.core.text import LineIndex
from khoj_ls.core.types import CODED_TYPES
from khoj_ls.search.passage import Found, Passage, Wanted


def pieces_found(found: Sequence[Found], passages: Sequence[Passage], wanted: Wanted) -> list[Place | None]:
    """For each passage that is but one very long line: the piece of it that holds most of the words; None for others.

    Only of what people read as it stands in the file: of other formats such lines are cut when they are read.
    """
    lines = [_long_line(item, passage) for item, passage in zip(found, passages, strict=True)]
    matches = iter(wanted.finder.find([line for line in lines if line], wanted.expression) if any(lines) else ())
    return [_best(line, next(matches)) if line else None for line in lines]


def _long_line(item: Found, passage: Passage) -> str:
    """The line that a passage is, where it is long; else nothing."""
    reading = next((each for each in item.readings if each.first <= passage.span.line <= each.last), None)
    if reading is None or passage.span.line != passage.span.end_line or reading.row.place or reading.row.type in CODED_TYPES:
        return ""
    line = reading.raw_lines[passage.span.line - reading.first]
    return line if len(line) > LONG_LINE else ""


def _best(line: str, ranges: Sequence[tuple[int, int]]) -> Place | None:
    """The piece with the most different words, and of equal ones the first; None where none holds any."""
    index = LineIndex(line)
    places = LinePieces(line, index)
    best: tuple[int, int, int] | None = None
    for start, end in pieces(line):
        words = {line[low:high].lower() for low, high in ranges if start <= low < end}
        if words and (best is None or len(words) > best[0]):
            best = len(words), start, end
    return places.piece(1, best[1], best[2])[1] if best else None
