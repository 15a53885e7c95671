"""What a PDF file says of itself: title, author, keywords, dates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median

from khoj_ls.content.pdf_lines import Line
from khoj_ls.core.types import EntryDate

KEYS = ("Title", "Author", "Subject", "Keywords", "CreationDate", "ModDate")
"""Those of the document information dictionary that are read (ISO 32000-1, 14.3.3)."""

_PLACEHOLDERS = frozenset(("untitled", "anonymous", "unspecified", "unknown", "title", "author", "user", "none", "null"))
_MADE_WITH = re.compile(r"^microsoft (?:word|powerpoint|excel)\s*[-–]\s*", re.IGNORECASE)
_FILE_NAME = re.compile(
    r"\.(?:docx?|pptx?|xlsx?|dvi|tex|indd|qxp|qxd|pdf|odt|odp|ods|rtf|pub|pages|key|html?|ps|eps|md|txt)$", re.I
)
_NAME_SIGNS = re.compile(r"[_\d]")
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?")
_KEYWORD_BREAK = re.compile(r"[;,\n]+")
_MOST_KEYWORDS = 50
_LONGEST = 300
_LARGER = 1.25
_SAME = 0.93


def title(about: Mapping[str, str], first_page: Sequence[Line]) -> str | None:
    """The title that a file says it has, or else the words in by far the largest letters on its first page."""
    said = _MADE_WITH.sub("", _said(about, "Title"))
    if _FILE_NAME.search(said):
        said = ""
    is_name = " " not in said and _NAME_SIGNS.search(said)
    return (_largest(first_page) or said or None) if is_name or not said else said


def properties(about: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Author and subject."""
    return tuple((key.lower(), said) for key in ("Author", "Subject") if (said := _said(about, key)))


def keywords(about: Mapping[str, str]) -> tuple[str, ...]:
    """Keywords as tags."""
    words = (" ".join(word.split()) for word in _KEYWORD_BREAK.split(_said(about, "Keywords")))
    return tuple(dict.fromkeys(word for word in words if word))[:_MOST_KEYWORDS]


def dates(about: Mapping[str, str]) -> tuple[EntryDate, ...]:
    """When it was made and last changed (ISO 32000-1, 7.9.4), as they are on the clock of its author."""
    found: list[EntryDate] = []
    if made := _instant(about.get("CreationDate", "")):
        found.append(EntryDate("created", made))
    if changed := _instant(about.get("ModDate", "")):
        found.append(EntryDate("updated", changed))
    return tuple(found)


def _said(about: Mapping[str, str], key: str) -> str:
    said = " ".join(about.get(key, "").split())[:_LONGEST]
    return "" if said.strip("()[]<> ").casefold() in _PLACEHOLDERS or not any(map(str.isalnum, said)) else said


def _instant(date: str) -> str | None:
    match = _DATE.match(date.strip())
    if not match:
        return None
    year, month, day, hour, minute = match.groups()
    try:
        instant = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0))
    except ValueError:
        return None
    return instant.strftime("%Y-%m-%d" if hour is None else "%Y-%m-%dT%H:%M").rjust(16 if hour else 10, "0")


def _largest(lines: Sequence[Line]) -> str | None:
    if len(lines) < 2:
        return None
    most = max(line.height for line in lines)
    if most < _LARGER * median(line.height for line in lines):
        return None
    first = next(at for at, line in enumerate(lines) if line.height >= _SAME * most)
    words: list[str] = []
    for line in lines[first:]:
        if line.height < _SAME * most:
            break
        words.append(line.text)
    said = " ".join(" ".join(words).split())
    return said if sum(map(str.isalpha, said)) >= 3 and len(said) <= _LONGEST else None
