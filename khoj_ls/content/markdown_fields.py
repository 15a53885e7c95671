"""What single lines of Markdown say to the tools that people write it with: properties, dates, task states, comments.

Logseq and Dataview put `key:: value` on a line, Obsidian hides `%%comments%%` and ends a block with ` ^id`; dates are found
wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType
from typing import NamedTuple

from khoj_ls.content.markdown_meta import iso_date
from khoj_ls.core.types import DateKind, EntryDate

_FIELD_LINE = re.compile(
    r"^[ \t]*((?:[-*+]|\d{1,9}[.)])[ \t]+)?(?:\*\*|__)?([^\W\d_][\w./-]{0,63})(?:\*\*|__)?::(?:\*\*|__)?[ \t]+(\S.*)$", re.M
)
_BLOCK_ID = re.compile(r"\^([A-Za-z0-9-]+)[ \t]*$")
_CUSTOM_ID = re.compile(r"\{#([^\s{}]+)[^{}]*\}[ \t]*$")
_FENCE = re.compile(r"[ \t]*(?:>[ \t]?|[-*+][ \t]+)*(`{3,}|~{3,})")

_PLANNING = re.compile(r"^[ \t]*(?:SCHEDULED|DEADLINE|CLOSED): <[^>\n]*>[ \t]*$", re.M)

# Begins with the rare hyphen rather than the year: the search runs several times faster.
_DATE = re.compile(r"-\d\d-\d\d(?:(?:[T ]|[ ][^\W\d]{2,4}\.?[ ])(\d\d:\d\d)(?::\d\d)?)?(?![A-Za-z0-9/-])")
_YEAR = re.compile(r"(?<![A-Za-z0-9./-])\d{4}$")
_JOURNAL = re.compile(r"\[\[([A-Z][a-z]{2})[a-z]* (\d{1,2})(?:st|nd|rd|th), (\d{4})\]\]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BEFORE_DATE = re.compile(
    r"(?:(SCHEDULED|DEADLINE|CLOSED):[ \t]*[<\[]|(due|scheduled|completion|created)::[ \t]*|([📅🗓⏳⌛✅➕])\ufe0f?[ \t]*)$"
)
_DATE_KINDS: MappingProxyType[str, DateKind] = MappingProxyType(
    {
        "SCHEDULED": "scheduled",
        "DEADLINE": "deadline",
        "CLOSED": "closed",
        "due": "deadline",
        "scheduled": "scheduled",
        "completion": "closed",
        "created": "created",
        "📅": "deadline",
        "🗓": "deadline",
        "⏳": "scheduled",
        "⌛": "scheduled",
        "✅": "closed",
        "➕": "created",
    }
)

# A word alone ("## TODO") or one that goes on as a name ("# TODO list") is a title, not a state.
_STATE = re.compile(
    r"(?:(TODO|DOING|DONE|LATER|NOW|WAITING|IN-PROGRESS|CANCELL?ED)|\[([ xX])\])[ \t]+(?![Ll]ists?\b|[Ii]tems?\b)(?=\S)"
)
_PRIORITY = re.compile(r"\[#([A-Z])\][ \t]*")


class FieldLine(NamedTuple):
    """A line that is a property."""

    start: int
    """Offset of the line's first character."""
    name: str
    value: str
    is_item: bool
    """Written as a list item of its own (`- key:: value`)."""


def field_lines(text: str) -> Iterator[FieldLine]:
    """Every line of the form `key:: value`; what is code is for the caller to tell."""
    if "::" in text:
        for found in _FIELD_LINE.finditer(text):
            yield FieldLine(found.start(), found[2], found[3].strip(), found[1] is not None)


def planning_lines(text: str) -> Iterator[int]:
    """Offsets of the lines that hold nothing but Logseq's `SCHEDULED: <...>` and the like."""
    if ": <" in text:
        for found in _PLANNING.finditer(text):
            yield found.start()


def dates_in(text: str, is_text: Callable[[int], bool]) -> Iterator[tuple[int, EntryDate]]:
    """Every date that begins at an offset for which `is_text` holds, with that offset.

    ISO days in running text; minutes too where planning gives the date a meaning (Logseq's SCHEDULED, the signs of
    Obsidian Tasks, Dataview's `due::`). Logseq's `[[May 1st, 2024]]` is the day it names.
    """
    for found in _DATE.finditer(text):
        year = _YEAR.search(text, max(0, found.start() - 5), found.start())
        start = found.start() - 4
        day = iso_date(text[start : start + 10]) if year and is_text(start) else None
        if not day:
            continue
        before = _BEFORE_DATE.search(text, max(0, start - 14), start)
        if before:
            moment = iso_date(f"{day}T{found[1]}") if found[1] else None
            yield start, EntryDate(_DATE_KINDS[before[1] or before[2] or before[3]], moment or day)
        else:
            yield start, EntryDate("content", day)
    for found in _JOURNAL.finditer(text):
        month = _MONTHS.index(found[1]) + 1 if found[1] in _MONTHS else 0
        day = iso_date(f"{found[3]}-{month}-{found[2]}")
        if day and is_text(found.start()):
            yield found.start(), EntryDate("content", day)


def heading_state(heading: str) -> tuple[str | None, str | None, str]:
    """Task state, priority and remaining text of a heading; `[ ]` reads as TODO and `[x]` as DONE."""
    todo = priority = None
    if state := _STATE.match(heading):
        todo = state[1] or ("TODO" if state[2] == " " else "DONE")
        heading = heading[state.end() :]
    if mark := _PRIORITY.match(heading):
        priority = mark[1]
        heading = heading[mark.end() :] or heading
    return todo, priority, heading


def block_id(text: str, start: int, end: int) -> tuple[str, int] | None:
    """The id that ends a block (`... ^id`), and where the text before it ends."""
    caret = text.rfind("^", start, end)
    if caret < 0 or (caret > start and not text[caret - 1].isspace()):
        return None
    found = _BLOCK_ID.match(text, caret, end)
    return (found[1], len(text[start:caret].rstrip()) + start) if found else None


def custom_id(text: str, start: int, end: int) -> tuple[str, int] | None:
    """The id that ends a heading (`## Heading {#id}`), and where the text before it ends."""
    brace = text.rfind("{#", start, end)
    found = _CUSTOM_ID.match(text, brace, end) if brace >= 0 else None
    return (found[1], brace) if found else None


def comment_lines(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Ranges of lines that an Obsidian comment takes: from a line that opens with `%%` to the line with the next `%%`."""
    ranges: list[tuple[int, int]] = []
    fence, opened = "", -1
    for at, line in enumerate(lines):
        if opened >= 0:
            if "%%" in line:
                ranges.append((opened, at + 1))
                opened = -1
        elif marker := _FENCE.match(line):
            is_end = bool(fence) and marker[1].startswith(fence) and not line[marker.end() :].strip()
            fence = "" if is_end else fence or marker[1]
        elif not fence and line.lstrip().startswith("%%") and line.count("%%") == 1:
            opened = at
    return ranges


def drawer_lines(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Ranges of lines of Logseq's `:LOGBOOK:` ... `:END:` drawers."""
    ranges: list[tuple[int, int]] = []
    opened = -1
    for at, line in enumerate(lines):
        word = line.strip()
        if word == ":LOGBOOK:":
            opened = at
        elif word == ":END:" and opened >= 0:
            ranges.append((opened, at + 1))
            opened = -1
    return ranges
