"""How the value of a filter is compared: case aside, whole or in part, with wildcards. No pattern is slow on any text."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Callable, Sequence

Matcher = Callable[[str], bool]
"""Says of a text, as it is written, whether it is meant."""

_GLOB = re.compile(r"[*?]")
"""What makes a value a glob. Brackets alone do not: `[draft] plan.md` is a name."""


def fold(text: str) -> str:
    """`text` as values are compared: NFC, case folded, blanks as one, none at the ends."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


def whole(value: str) -> Matcher:
    """Texts that are `value`, in which `*` stands for anything."""
    pieces = fold(value).split("*")
    if len(pieces) == 1:
        return lambda text: fold(text) == pieces[0]
    return lambda text: _in_order(pieces, fold(text))


def part(value: str) -> Matcher:
    """Texts that hold `value`; with a `*` in it, texts that are it."""
    if "*" in value:
        return whole(value)
    wanted = fold(value)
    return lambda text: wanted in fold(text)


def tag(value: str) -> Matcher:
    """Tags that are `value` or stand below it (`work` is also `work/home`), in which `*` stands for anything."""
    wanted = fold(value.strip("#:")) or fold(value)
    if "*" in wanted:
        return whole(wanted)
    return lambda text: (folded := fold(text.lstrip("#"))) == wanted or folded.startswith(wanted + "/")


def file_name(value: str) -> Matcher:
    """Paths whose last part holds `value` or is the glob `value`; one with a `/` in it is compared with the whole path."""
    if "/" in value.replace("\\", "/"):
        return path(value)
    matches = _segment(value) if _GLOB.search(value) else part(value)
    return lambda text: matches(text.rpartition("/")[2])


def path(value: str) -> Matcher:
    """Paths (relative, posix) that hold `value`, or are the glob `value`: `*` and `?` stay within a part, `**` does not."""
    pattern = value.replace("\\", "/").removeprefix("./")
    if not _GLOB.search(pattern):
        wanted = fold(pattern)
        # A leading slash stands for the beginning of a part, as everywhere in a path.
        return lambda text: wanted in "/" + fold(text)
    anywhere = [None if step == "**" else _segment(step) for step in pattern.strip("/").split("/")]
    return lambda text: _along(anywhere, text.split("/"))


def _segment(glob: str) -> Matcher:
    # fnmatch makes patterns that do not backtrack.
    pattern = re.compile(fnmatch.translate(fold(glob)))
    return lambda text: pattern.match(fold(text)) is not None


def _along(steps: Sequence[Matcher | None], parts: Sequence[str]) -> bool:
    """Whether the steps of a glob lead along all parts of a path; None is any number of parts."""
    reached = {0}
    for at, step in enumerate(steps):
        if step is None:
            # At the end `**` is what lies in the folder, which the folder itself does not.
            least = 1 if at == len(steps) - 1 else 0
            reached = set(range(min(reached) + least, len(parts) + 1)) if reached else reached
        else:
            reached = {here + 1 for here in reached if here < len(parts) and step(parts[here])}
    return len(parts) in reached


def _in_order(pieces: Sequence[str], text: str) -> bool:
    """Whether `text` begins with the first piece, ends with the last, and holds those between in order."""
    first, *middle, last = pieces
    if not text.startswith(first) or not text[len(first) :].endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return at <= end


def days_within(start: str, end: str | None, since: str | None, before: str | None) -> bool:
    """Whether the ISO day or instant `start`, or the time from it to `end`, touches [since, before)."""
    return (before is None or start < before) and (since is None or max(start, end or start) >= since)


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The one of `known` that `name` is most like; None when none is close."""
    closest = min(known, key=lambda other: (_distance(name, other), other), default=None)
    return closest if closest is not None and _distance(name, closest) <= max(1, len(name) // 3) else None


def _distance(first: str, second: str) -> int:
    """Edits between two short words, where neighbours changed round are one (optimal string alignment)."""
    rows = [list(range(len(second) + 1))]
    for i, char in enumerate(first, 1):
        row = [i]
        for j, other in enumerate(second, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (char != other))
            if i > 1 and j > 1 and char == second[j - 2] and other == first[i - 2]:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
