"""Lines that were seen on a page, put in the order in which they are read."""

from __future__ import annotations

import pytest

from khoj_ls.content.ocr_lines import read_blocks
from khoj_ls.content.pdf_lines import Line


def seen(*lines):
    """(text, left, right, how many lines of 10 below the top)"""
    return [Line(text, left, -10 * down - 8, right, -10 * down) for text, left, right, down in lines]


@pytest.mark.parametrize(
    ("lines", "blocks"),
    [
        ([("one", 0, 90, 0), ("two", 0, 90, 1)], [["one", "two"]]),
        (
            [("left one", 0, 45, 0), ("right one", 55, 100, 0.1), ("left two", 0, 45, 1), ("right two", 55, 100, 1.1)],
            [["left one", "left two"], ["right one", "right two"]],
        ),
        (
            [("item", 0, 15, 0), ("price", 80, 95, 0), ("nails", 0, 15, 1), ("3", 80, 83, 1)],
            [["item  price", "nails  3"]],
        ),
        ([("split", 0, 40, 0), ("line", 44, 60, 0.2), ("below it", 0, 60, 1)], [["split line", "below it"]]),
        ([("top", 0, 90, 0), ("far below", 0, 90, 9)], [["top"], ["far below"]]),
        ([("below", 0, 90, 1), ("above", 0, 90, 0)], [["above", "below"]]),
        ([], []),
    ],
    ids=["lines", "columns", "table", "pieces of a line", "gap", "any order", "nothing"],
)
def test_reading_order(lines, blocks):
    assert [[line.text for line in block] for block in read_blocks(seen(*lines))] == blocks
