"""What a text recogniser saw on a page, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from khoj_ls.content.pdf_lines import Line, follows, ordered_blocks

_WIDE = 0.25
"""A line that takes such a share of the page's text is of a column, not a cell of a table."""
_SPACE = 1.2
"""Line heights between two pieces of one line at most."""
_NEAR_ROWS = 6


def read_blocks(seen: Sequence[Line]) -> list[list[Line]]:
    """Lines in blocks, in reading order: columns one after the other, the cells of a row beside each other on one line."""
    if not seen:
        return []
    width = _WIDE * (max(line.right for line in seen) - min(line.left for line in seen))
    blocks: list[list[Line]] = []
    for line in _rows(seen, width):
        above = next((block for block in reversed(blocks) if _goes_on(block[-1], line, width, block is blocks[-1])), None)
        if above:
            above.append(line)
        else:
            blocks.append([line])
    return ordered_blocks(blocks)


def _goes_on(above: Line, line: Line, width: float, is_last: bool) -> bool:
    if not follows(above, line):
        return False
    return is_last or (above.right - above.left > width and line.right - line.left > width)


def _rows(seen: Sequence[Line], width: float) -> list[Line]:
    """Lines from the top down; pieces of one line are joined, and the cells of a row."""
    rows: list[list[Line]] = []
    for line in sorted(seen, key=lambda line: (-line.top, line.left)):
        row = next((row for row in reversed(rows[-_NEAR_ROWS:]) if _is_beside(row, line, width)), None)
        if row:
            row.append(line)
        else:
            rows.append([line])
    return [_joined(sorted(row, key=lambda line: line.left)) for row in rows]


def _is_beside(row: Sequence[Line], line: Line, width: float) -> bool:
    overlap = min(row[0].top, line.top) - max(row[0].bottom, line.bottom)
    apart = min(max(cell.left, line.left) - min(cell.right, line.right) for cell in row)
    if overlap <= 0.5 * min(row[0].height, line.height) or apart < -0.5 * line.height:
        return False
    return apart < _SPACE * line.height or all(cell.right - cell.left <= width for cell in (*row, line))


def _joined(row: Sequence[Line]) -> Line:
    text = row[0].text
    for before, cell in pairwise(row):
        text += (" " if cell.left - before.right < _SPACE * cell.height else "  ") + cell.text
    return Line(
        text, row[0].left, min(cell.bottom for cell in row), max(cell.right for cell in row), max(cell.top for cell in row)
    )
