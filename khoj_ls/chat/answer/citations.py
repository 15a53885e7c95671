"""Marks in an answer that name sources: `[1]`, `[1, 3]`, `[1-3]`, `[^1]`, `【1】`. Which is one, and what is left of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

MOST_MARK_CHARS = 80
"""A longer one is no citation."""
_MOST_REMOVED_OF_RANGE = 20

_NUMBER = r"\^?\d{1,3}"
_NAME = r"(?:(?:sources?|passages?|quellen?|notes?)\s*[:#]?\s*|#)?"
_JOINT = r"\s*(?:,|;|-|–|—|&|\band\b|\bund\b|\bto\b)\s*"
_TAIL = r"(?:†[^\]】\n]{0,40})?\s*"
_BODY = rf"\s*{_NAME}{_NUMBER}(?:{_JOINT}{_NAME}{_NUMBER})*\s*{_TAIL}"
MARK = re.compile(rf"\[\[{_BODY}\]\]|\[{_BODY}\]|【{_BODY}】|［{_BODY}］", re.IGNORECASE)
"""A citation. Numbers above 999 are years and the like, and none."""
_AS_ASKED = re.compile(r"\[\^?\d[\d\s,;^–-]*\]")
BEGUN = re.compile(r"(?:\[\[?|【|［)[\w\s^,;:#&†–—-]*\]?")
"""What may become one."""


@dataclass(frozen=True)
class Mark:
    """A citation as it is kept."""

    text: str
    """Empty when no number of it is known."""
    numbers: tuple[int, ...]
    removed: tuple[str, ...]
    """Each number that names no source, as `[7]`."""


def read_mark(found: re.Match[str], known: Collection[int]) -> Mark:
    """The citation with the known numbers alone; as it was written where it knows all of them."""
    body = found[0].partition("†")[0]
    footnote = "^" in body
    numbers, unknown = _numbers(body, known)
    if not unknown and _AS_ASKED.fullmatch(found[0]):
        return Mark(found[0], numbers, ())
    together = f"[{', '.join(map(str, numbers))}]" if numbers else ""
    text = "".join(f"[^{number}]" for number in numbers) if footnote else together
    return Mark(text, numbers, tuple(f"[{'^' if footnote else ''}{number}]" for number in unknown))


def _numbers(body: str, known: Collection[int]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The numbers of a mark that are known, and those that are not, each once and in order."""
    numbers: dict[int, None] = {}
    unknown: dict[str, None] = {}
    for first, last in re.findall(r"(\d+)(?:\s*(?:-|–|—|\bto\b)\s*\D{0,12}?(\d+))?", body):
        start, end = int(first), int(last or first)
        if start > end:
            start, end = end, start
        inside = [number for number in range(start, end + 1) if number in known]
        outside = [number for number in range(start, end + 1) if number not in known]
        numbers.update(dict.fromkeys(inside))
        if len(outside) > _MOST_REMOVED_OF_RANGE:
            unknown[f"{outside[0]}-{outside[-1]}"] = None
        else:
            unknown.update(dict.fromkeys(map(str, outside)))
    return tuple(numbers), tuple(unknown)
