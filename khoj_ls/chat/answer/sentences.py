"""Sentences of a text with markup, where they stand: paragraphs, items of lists and rows of tables are read each by itself."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from khoj_ls.core.text import text_lines

_HEADING = re.compile(r"\s{0,3}#{1,6}(?:\s|$)|\*{2,}\s|#\+\w")
_RULE = re.compile(r"\s*(?:[-*_=]\s*){3,}$|\s*\|?[\s:|+-]*-{2,}[\s:|+-]*$")
_ITEM = re.compile(r"\s*(?:>\s*)*(?:[-*+•]|\d{1,9}[.)]|[a-zA-Z]\))\s+(?:\[[ xX-]\]\s+)?")
_ROW = re.compile(r"\s*\|")
_NOTE = re.compile(r"\s*\[(?:\^|fn:)[^\]]+\]:?\s")
_QUOTED = re.compile(r"\s*(?:>\s*)+")
_LEAD = re.compile(r"\s*(?:>\s*)*")
_END = re.compile(r"[.!?…]+[\"'”’»)\]*_]*(?=\s|$)|[。！？]+[」』”）]*")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|ca|no|nr|vol|pp?|dr|mr|mrs|ms|prof|st|jr|sr|bzw|z\.\s?b|d\.\s?h|u\.\s?a|usw|vgl|env|p\.\s?ex|sr|sra|"
    r"fig|al)|(?<![^\W\d_])[^\W\d_]|^\s*\d{1,3})\.$",
    re.IGNORECASE,
)
_MOST_ABBREVIATED = 16
"""Characters of the longest of these, with the blanks that may stand in it."""


@dataclass(frozen=True)
class Sentence:
    """Characters [start, end) of a text."""

    text: str
    start: int
    end: int
    kind: str
    """text, item, row, heading or note (the text of a footnote)."""


def sentences(text: str, code: Sequence[tuple[int, int]] = (), marks: Sequence[tuple[int, int]] = ()) -> Iterator[Sentence]:
    """The sentences of `text` in order, without blanks around them. Lines that are `code` from their start are none.

    `marks` are citations: those right behind the end of a sentence belong to it. Both are ranges in order, and apart.
    """
    for start, end, kind in _blocks(text, code):
        whole = kind in ("heading", "row")
        for first, last in [(start, end)] if whole else _pieces(text, start, end, marks):
            cut = text[first:last]
            lead = _LEAD.match(cut)
            first += lead.end() if lead else 0
            if stripped := text[first:last].strip():
                yield Sentence(stripped, first, first + len(stripped), kind)


def _blocks(text: str, code: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    """Runs of characters that belong together: [start, end) and kind."""
    at, begun, kind = 0, -1, "text"
    lines = text_lines(text)
    for number, line in enumerate(lines):
        start, at = at, at + len(line)
        what = _kind(line, lines[number + 1] if number + 1 < len(lines) else "")
        in_code = _is_code(line, start, code)
        if begun >= 0 and (what != "text" or in_code):
            yield begun, start, kind
            begun = -1
        if in_code or what in ("blank", "rule"):
            continue
        if what in ("heading", "row"):
            yield start, at, what
        elif begun < 0:
            lead = _ITEM.match(line) or _QUOTED.match(line) or _NOTE.match(line)
            begun, kind = start + (lead.end() if lead else 0), what
    if begun >= 0:
        yield begun, at, kind


def _is_code(line: str, start: int, code: Sequence[tuple[int, int]]) -> bool:
    """Whether all of a line is code."""
    first, last = start + len(line) - len(line.lstrip(" \t>")), start + len(line.rstrip())
    at = bisect_right(code, first, key=lambda each: each[0]) - 1
    return at >= 0 and last <= code[at][1]


def _kind(line: str, following: str) -> str:
    if not line.strip(" \t\r\n>"):
        return "blank"
    if _RULE.match(line):
        return "rule"
    if _HEADING.match(line):
        return "heading"
    if _ROW.match(line):
        return "heading" if _RULE.match(following) else "row"
    if _NOTE.match(line):
        return "note"
    return "item" if _ITEM.match(line) else "text"


def _pieces(text: str, start: int, end: int, marks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    first = start
    for found in _END.finditer(text, start, end):
        if found.start() < first or _within(found.start(), marks):
            continue
        if found[0] == "." and _ABBREVIATED.search(text, max(first, found.end() - _MOST_ABBREVIATED), found.end()):
            continue
        behind = text[found.end() : found.end() + 2].lstrip()
        if found[0] == "." and behind[:1].islower():
            continue
        last = _with_marks(text, found.end(), marks)
        yield first, last
        first = last
    if first < end:
        yield first, end


def _with_marks(text: str, end: int, marks: Sequence[tuple[int, int]]) -> int:
    """The end of a sentence with the citations right behind it."""
    for start, last in islice(marks, bisect_left(marks, (end, 0)), None):
        if text[end:start].strip(" \t"):
            break
        end = last
    return end


def _within(at: int, ranges: Sequence[tuple[int, int]]) -> bool:
    """Whether `at` lies in one of `ranges`, which are in order and apart."""
    before = bisect_left(ranges, (at + 1, 0))
    return before > 0 and at < ranges[before - 1][1]
