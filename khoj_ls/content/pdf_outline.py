"""The outline of a PDF file, and where on a page its items stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from khoj_ls.content.pdf_lines import Line

_HEADING_LINES = 4
_MOST_COMPARED = 2_000_000
_NUMBERING = re.compile(r"(?:(?:chapter|section|part|appendix|kapitel|chapitre|capítulo|teil|anhang)?[\divxlcm]*|[a-z])")


@dataclass(frozen=True)
class OutlineItem:
    """A heading of the outline."""

    title: str
    level: int
    """From 1."""
    page: int
    """0-based."""
    top: float | None = None
    """Height on the page at which it stands, in the unit of the page's lines; None where the outline tells only the page."""


@dataclass(frozen=True)
class Section:
    """A part of a page, below an item of the outline or before the first."""

    item: OutlineItem | None
    lines: tuple[Line, ...]
    """Without the heading."""


def sections(lines: Sequence[Line], items: Sequence[OutlineItem]) -> list[Section]:
    """`lines` of a page, in reading order, cut where the items of the outline that lead to it stand.

    A heading is looked for by its words, then by its height. One that is nowhere stands where the one before it does.
    """
    found: list[Section] = []
    item: OutlineItem | None = None
    begin = 0
    bare = [_bare(line.text) for line in lines] if len(lines) * len(items) < _MOST_COMPARED else []
    for following in items:
        start, end = _heading(bare, following, begin) or _stand(lines, following, begin)
        if item or start > begin:
            found.append(Section(item, tuple(lines[begin:start])))
        item, begin = following, end
    if item or begin < len(lines):
        found.append(Section(item, tuple(lines[begin:])))
    return found


def _heading(bare: Sequence[str], item: OutlineItem, begin: int) -> tuple[int, int] | None:
    """The lines from `begin` on that say what the heading says, [start, end), a number before it apart."""
    title = _bare(item.title)
    for start in range(begin, len(bare)) if title else ():
        words = ""
        for end in range(start, min(start + _HEADING_LINES, len(bare))):
            words += bare[end]
            if words.endswith(title) and _NUMBERING.fullmatch(words[: len(words) - len(title)]):
                return start, end + 1
            if len(words) > len(title) + 20:
                break
    return None


def _stand(lines: Sequence[Line], item: OutlineItem, begin: int) -> tuple[int, int]:
    """Where from `begin` on its height lies, as an empty range."""
    if item.top is None:
        return begin, begin
    below = (at for at in range(begin, len(lines)) if lines[at].top < item.top + lines[at].height)
    start = next(below, begin)
    return start, start


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
