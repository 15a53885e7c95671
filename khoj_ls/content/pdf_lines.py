"""Lines of a printed page in the order they are read, from where they stand on it. Knows nothing of PDF."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

_MOST_BLOCKS = 150
_GAP = 1.45
"""How much farther apart than usual two lines of different paragraphs stand."""
_STEP = 1.6
"""How many line heights lie between two lines of one block at most."""


class Line(NamedTuple):
    """A line of text and its place: x grows to the right, y upwards, in any unit."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    broken: bool = False
    """Whether it ends in a part of a word, its hyphen taken away."""

    @property
    def height(self) -> float:
        """Of its letters."""
        return max(self.top - self.bottom, 0.1)


class _Block(NamedTuple):
    lines: list[Line]
    left: float
    bottom: float
    right: float
    top: float


def in_reading_order(lines: Sequence[Line]) -> list[list[Line]]:
    """`lines`, in the order in which they were drawn, as blocks in the order in which they are read.

    What was drawn from top to bottom stays together; such blocks are ordered by what stands above and to the left of what, as
    in T. M. Breuel, "High performance document layout analysis" (2003), and where that says nothing as they were drawn.
    """
    return ordered_blocks(_runs(lines))


def ordered_blocks(groups: Sequence[list[Line]]) -> list[list[Line]]:
    """Blocks of lines in the order in which they are read."""
    blocks = [_block(group) for group in groups]
    if len(blocks) < 2 or len(blocks) > _MOST_BLOCKS:
        return [block.lines for block in blocks]
    ahead = [
        {at for at, other in enumerate(blocks) if other is not block and _before(other, block, blocks)} for block in blocks
    ]
    order: list[int] = []
    left = list(range(len(blocks)))
    while left:
        # Among blocks that each wait for the other, the one that waits for the fewest.
        free = next((at for at in left if not ahead[at]), None)
        chosen = min(left, key=lambda at: len(ahead[at])) if free is None else free
        order.append(chosen)
        left.remove(chosen)
        for waiting in ahead:
            waiting.discard(chosen)
    return [blocks[at].lines for at in order]


def paragraphs(block: Sequence[Line]) -> list[list[Line]]:
    """The lines of a block by paragraph: a wider gap, letters of another size, or an indented line begin one."""
    pitches = [above.top - below.top for above, below in pairwise(block) if above.top > below.top]
    usual = median(pitches) if pitches else 0.0
    found: list[list[Line]] = []
    for at, line in enumerate(block):
        behind = block[at + 1] if at + 1 < len(block) else None
        if not at or _begins(block[at - 1], line, behind, usual):
            found.append([])
        found[-1].append(line)
    return found


def _begins(above: Line, line: Line, behind: Line | None, usual: float) -> bool:
    if above.broken:
        return False
    if above.top - line.top > _GAP * usual or not 0.8 < line.height / above.height < 1.25:
        return True
    em = 0.8 * line.height
    return behind is not None and em < line.left - above.left < 5 * em and em < line.left - behind.left < 5 * em


def _runs(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines that were drawn one under the other."""
    runs: list[list[Line]] = []
    for line in lines:
        if runs and follows(runs[-1][-1], line):
            runs[-1].append(line)
        else:
            runs.append([line])
    return runs


def follows(above: Line, line: Line) -> bool:
    """Whether `line` stands directly below `above`."""
    height = max(above.height, line.height)
    is_below = above.bottom - _STEP * height < line.top < above.top
    return is_below and line.left < above.right and above.left < line.right


def _block(lines: list[Line]) -> _Block:
    return _Block(
        lines,
        min(line.left for line in lines),
        min(line.bottom for line in lines),
        max(line.right for line in lines),
        max(line.top for line in lines),
    )


def _before(first: _Block, second: _Block, blocks: Sequence[_Block]) -> bool:
    """Whether `first` is read before `second`."""
    if _side_by_side(first, second):
        return _middle(first) > _middle(second)
    is_beside = first.bottom < second.top and second.bottom < first.top
    if not is_beside or first.right > second.left + _slack(first):
        return False
    low, high = min(first.bottom, second.bottom), max(first.top, second.top)
    between = (each for each in blocks if each is not first and each is not second and low < _middle(each) < high)
    return not any(_side_by_side(each, first) and _side_by_side(each, second) for each in between)


def _side_by_side(first: _Block, second: _Block) -> bool:
    """Whether one stands above the other, at least in part."""
    return first.left < second.right - _slack(first) and second.left < first.right - _slack(first)


def _slack(block: _Block) -> float:
    return 0.3 * block.lines[0].height


def _middle(block: _Block) -> float:
    return (block.top + block.bottom) / 2
