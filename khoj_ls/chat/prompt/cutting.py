"""The part of a long section that a model is given: whole lines around what was found, as many as fit."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from khoj_ls.core.text import text_lines
from khoj_ls.search.words import query_terms

Count = Callable[[str], int]

_SHRINK = 0.85
_EDGE = 4
"""A cut moves to the edge of a paragraph where that costs at most one part in so many."""


@dataclass(frozen=True)
class Part:
    """Lines `line`..`end_line` of a note; of a single line that is too long, a part of it."""

    text: str
    line: int
    end_line: int


def cut(
    text: str, line: int, budget: int, count: Count, *, focus: tuple[int, int] | None, sought: Collection[str]
) -> Part | None:
    """What of `text`, whose first line is `line`, has at most `budget` tokens: around the lines `focus`, or what is `sought`.

    None where nothing fits.
    """
    lines = text_lines(text)
    if not lines:
        return None
    total = count(text)
    if total <= budget:
        return Part(text, line, line + len(lines) - 1)
    first, last = _focus(lines, line, focus, sought)
    room = len(text) * budget / max(1, total)
    while room >= 1:
        start, end = _window(lines, first, last, room, sought)
        found = "".join(lines[start:end])
        if len(found) > room and end - start == 1:
            return _within(lines[start], line + start, room, budget, count, sought)
        if count(found) <= budget:
            return Part(found, line + start, line + end - 1)
        room *= _SHRINK
    return None


def _focus(lines: list[str], line: int, focus: tuple[int, int] | None, sought: Collection[str]) -> tuple[int, int]:
    """First and last index of the lines to keep before all others."""
    if focus is not None and focus[0] <= line + len(lines) - 1 and focus[1] >= line:
        return max(0, focus[0] - line), min(len(lines) - 1, focus[1] - line)
    best = _richest(lines, 0, len(lines) - 1, sought)
    return best, best


def _richest(lines: list[str], first: int, last: int, sought: Collection[str]) -> int:
    """The first line with the most of what is sought."""
    if not sought:
        return first
    return max(range(first, last + 1), key=lambda at: (_held(lines[at], sought), -at))


def _held(text: str, sought: Collection[str]) -> int:
    lowered = text.lower()
    return sum(term in lowered for term in sought)


def _window(lines: list[str], first: int, last: int, room: float, sought: Collection[str]) -> tuple[int, int]:
    """Lines [start, end) around first..last of at most `room` characters; a single line where even that is too much."""
    size = sum(len(each) for each in lines[first : last + 1])
    if size > room:
        first = last = _richest(lines, first, last, sought)
        size = len(lines[first])
    start, end = first, last + 1
    growing = True
    while growing:
        growing = False
        # What follows a place explains it more often than what stands before it.
        for _ in range(2):
            if end < len(lines) and size + len(lines[end]) <= room:
                size, end, growing = size + len(lines[end]), end + 1, True
        if start > 0 and size + len(lines[start - 1]) <= room:
            size, start, growing = size + len(lines[start - 1]), start - 1, True
    return _at_paragraphs(lines, start, end, first, last)


def _at_paragraphs(lines: list[str], start: int, end: int, first: int, last: int) -> tuple[int, int]:
    """The window without the halves of paragraphs at its edges, where they are small."""
    spare = (end - start) // _EDGE
    if start > 0 and lines[start - 1].strip():
        start = next((at + 1 for at in range(start, min(first, start + spare)) if not lines[at].strip()), start)
    if end < len(lines) and lines[end].strip():
        end = next((at for at in range(end - 1, max(last, end - 1 - spare), -1) if not lines[at].strip()), end)
    return start, end


def _within(text: str, line: int, room: float, budget: int, count: Count, sought: Collection[str]) -> Part | None:
    """A part of one line that is too long, around the first of what is sought."""
    lowered = text.lower()
    places = [at for at in (lowered.find(term) for term in sought) if at >= 0]
    middle = min(places, default=0)
    while room >= 1:
        start = max(0, min(middle - int(room) // 3, len(text) - int(room)))
        found = text[start : start + int(room)]
        if count(found) <= budget:
            return Part(found, line, line) if found.strip() else None
        room *= _SHRINK
    return None


def sought_in(question: str) -> frozenset[str]:
    """What to look for in the lines of a section, of a question."""
    return frozenset(query_terms(question))
