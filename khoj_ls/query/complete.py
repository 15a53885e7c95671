"""What may be typed next in a query: the names of filters, and the values that the notes have for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

from khoj_ls.query.dates import days_of
from khoj_ls.query.match import fold
from khoj_ls.query.parse import MAX_QUERY_CHARS, tokens
from khoj_ls.query.types import FILTERS, FilterName

ValueKind = Literal["path", "title", "type", "tag", "todo", "priority", "property"]
"""What notes have to filter by."""

Values = Callable[[ValueKind], Sequence[str]]
"""The values of one kind that are in use, the likeliest first."""

MOST_OFFERED = 50

_AT_NAME = re.compile(r"(?:(?<!\S)|(?<=^\()|(?<=\s\())([+-]?)([^\W\d_]{0,20})\Z")
_AT_VALUE = re.compile(
    r"(?:(?<!\S)|(?<=^\()|(?<=\s\())[+-]?(?P<name>[^\W\d_]{2,20})(?P<relation>:[<>]=?|:(?![:=])|[<>]=?|=)"
    r'(?P<value>"[^"]*|“[^”“]*|„[^“”„]*|\[\[[^\]\n]*|[^\s"“„]*)\Z'
)
_REST_OF_NAME = re.compile(r"[^\W\d_]*:?")
_REST_OF_BARE = re.compile(r'[^\s"“„]*')
_CLOSING = MappingProxyType({'"': '"', "“": "”", "„": "“", "[[": "]]"})
_BARE = re.compile(r"[^\s\"“”„,;()\[\]{}]+")
_DAYS = ("today", "yesterday", "this week", "last week", "this month", "last month", "this year", "last year")


@dataclass(frozen=True)
class FilterCompletion:
    """One way to go on: [start, end) of the query, in code points, gives way to `text`."""

    start: int
    end: int
    text: str
    kind: Literal["name", "value"]
    detail: str
    """What it does, for people."""


def complete_filters(
    text: str, offset: int, values: Values, today: date | None = None, own: Mapping[str, str] = MappingProxyType({})
) -> list[FilterCompletion]:
    """How the query `text` may go on at `offset`: at most `MOST_OFFERED`, those that begin as typed before those that hold it.

    `values` is asked for one kind at most, and only where a value of it stands at the offset. Dates are told from `today`.
    `own` are filters beside the built-in ones, with what each does; their values are not known here.
    """
    offset = max(0, min(offset, len(text)))
    if offset > MAX_QUERY_CHARS:
        return []
    before = text[:offset]
    if (
        (found := _AT_VALUE.search(before))
        and (name := found["name"].lower()) in FILTERS
        and not _in_phrase(text, found.start("name"))
    ):
        if not found["relation"].startswith(":") and name != "dt":
            return []
        return _values(FILTERS[name].name, found, text, offset, values, today or date.today())
    if (found := _AT_NAME.search(before)) and not _in_phrase(text, offset):
        return _names(found, text, offset, own)
    return []


def _in_phrase(text: str, offset: int) -> bool:
    """Whether `offset` lies within something quoted, be it a phrase or a value."""
    return any(
        token.start() < offset < token.end() for token in tokens(text[:MAX_QUERY_CHARS], lenient=True) if '"' in token[0]
    )


def _names(found: re.Match[str], text: str, offset: int, own: Mapping[str, str]) -> list[FilterCompletion]:
    typed = found[2].lower()
    rest = _REST_OF_NAME.match(text, offset)
    end = rest.end() if rest else offset
    built_in = (
        (f"{kind.name}{relation}", f"{kind.keeps}, as in {kind.example}")
        for kind in FILTERS.values()
        for relation in ((":", ">=", "<") if kind.name == "dt" else (":",))
    )
    offered = (*built_in, *((f"{name}:", about) for name, about in own.items()))
    return [
        FilterCompletion(offset - len(typed), end, name, "name", about) for name, about in offered if name.startswith(typed)
    ]


def _values(
    name: FilterName, found: re.Match[str], text: str, offset: int, values: Values, today: date
) -> list[FilterCompletion]:
    written = found["value"]
    opening = next((quote for quote in _CLOSING if written.startswith(quote)), "")
    typed = fold(written[len(opening) :])
    start, end = found.start("value"), _end_of_value(text, offset, opening)
    offered = ((value, detail) for value, detail in _offered(name, typed, values, today) if _quoted(value))
    return [FilterCompletion(start, end, _quoted(value), "value", detail) for value, detail in _best(offered, typed)]


def _end_of_value(text: str, offset: int, opening: str) -> int:
    if not opening:
        rest = _REST_OF_BARE.match(text, offset)
        return rest.end() if rest else offset
    closing = text.find(_CLOSING[opening], offset)
    # A closing quote that is followed by a letter opens the next phrase.
    closes = closing >= 0 and not text[closing + len(_CLOSING[opening]) :][:1].isalnum()
    return closing + len(_CLOSING[opening]) if closes else offset


def _offered(name: FilterName, typed: str, values: Values, today: date) -> Iterator[tuple[str, str]]:
    """Values with what is said of them, the likeliest first."""
    if name == "dt":
        yield from ((words, " to ".join(days_of(words, today)).replace(" to ", " until before ")) for words in _DAYS)
    elif name in ("file", "path"):
        yield from _places(name, values("path"))
    elif name in ("title", "linksto"):
        yield from ((title, "title") for title in values("title"))
    elif name == "prop":
        if "=" not in typed:
            yield from ((f"{each}=", "property") for each in values("property"))
    elif name == "tag":
        yield from ((each, "tag") for each in values("tag"))
    elif name == "todo":
        yield from ((each, "state") for each in values("todo"))
    elif name == "priority":
        yield from ((each, "priority") for each in values("priority"))
    elif name == "type":
        yield from ((each, "format") for each in values("type"))


def _places(name: FilterName, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    if name == "file":
        yield from ((f"*{suffix}", "files") for suffix in sorted({PurePosixPath(path).suffix for path in paths} - {""}))
    folders = dict.fromkeys(str(parent) for path in paths for parent in PurePosixPath(path).parents if str(parent) != ".")
    yield from ((f"{folder}/", "folder") for folder in sorted(folders))
    yield from ((path, "note") for path in paths)


def _best(offered: Iterable[tuple[str, str]], typed: str) -> list[tuple[str, str]]:
    wanted = typed.lstrip("#:")
    first: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for value, detail in offered:
        folded = fold(value)
        if folded.startswith(wanted):
            first.append((value, detail))
            if len(first) == MOST_OFFERED:
                break
        elif wanted in folded and len(others) < MOST_OFFERED:
            others.append((value, detail))
    return [*first, *others][:MOST_OFFERED]


def _quoted(value: str) -> str:
    """A value as it has to be written; empty for one that cannot be."""
    if _BARE.fullmatch(value):
        return value
    if '"' not in value:
        return f'"{value}"'
    return f"“{value}”" if not set("“”") & set(value) else ""
