"""A short excerpt of a passage, cut at words, with the ranges to highlight."""

from __future__ import annotations

import re
from collections.abc import Sequence

SNIPPET_CHARS = 240
_ELLIPSIS = "…"
_REACH = 30
"""How far a cut may move to fall between words; scripts without blanks are cut where the room ends."""
_LEAD = 4
"""A quarter of the room may show what stands before the first match."""


def excerpt(
    text: str, matches: Sequence[tuple[int, int]], room: int = SNIPPET_CHARS
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """At most about `room` characters of `text` around most of `matches`, and where those are in it."""
    start = _best_start(text, matches, room)
    end = _cut_back(text, min(len(text), start + room))
    lead = _ELLIPSIS if start > 0 else ""
    tail = _ELLIPSIS if end < len(text) else ""
    shown = text[start:end].rstrip()
    shift = len(lead) - start
    marked = [(first + shift, min(last + shift, len(lead) + len(shown))) for first, last in matches if start <= first < end]
    return lead + shown + tail, tuple((first, last) for first, last in marked if first < last)


def _best_start(text: str, matches: Sequence[tuple[int, int]], room: int) -> int:
    """Where to begin so that the excerpt shows the most matches, the earliest such place."""
    if len(text) <= room or not matches or matches[-1][1] <= room:
        return 0

    def shown(start: int) -> int:
        return sum(1 for first, last in matches if start <= first and last <= start + room)

    starts = [_cut_forward(text, max(0, first - room // _LEAD), first) for first, _ in matches]
    return max([0, *starts], key=lambda start: (shown(start), -start))


def _cut_forward(text: str, position: int, last: int) -> int:
    """The next beginning of a word at or after `position`, if one is near and not after `last`."""
    if position <= 0 or text[position - 1].isspace():
        return position
    blank = re.compile(r"\s+").search(text, position, min(position + _REACH, last))
    return blank.end() if blank else position


def _cut_back(text: str, position: int) -> int:
    """The last end of a word at or before `position`, if one is near."""
    if position >= len(text) or text[position].isspace():
        return position
    blank = max(text.rfind(" ", position - _REACH, position), 0)
    return blank or position
