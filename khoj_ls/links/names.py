"""What a note is called: every name by which a link of some tool may mean it, each with the key it is looked up under."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from urllib.parse import unquote

from khoj_ls.core.types import Link
from khoj_ls.links.target import read_target
from khoj_ls.links.text import fold, name_key, split_suffix

NameSource = Literal["path", "page", "folder", "title", "alias", "id", "denote", "citation", "tag"]
"""Where a name comes from.

`path` the path without suffix; `page` Logseq's page name where the file name encodes it, or a journal's day in the formats that
tools write; `folder` the folder that an index note stands for; `id` an id in the note; `denote` the identifier in the file's
name; `citation` a key the note is about (ROAM_REFS); `tag` the tag that Dendron's note `tags.x` is about.
"""

_INDEX_NAMES = frozenset({"index", "readme", "_index"})
_DENOTE = re.compile(r"\d{8}T\d{6}")
_DAY = re.compile(r"(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})")
_REFERENCE = re.compile(r"(?:\[?cite[a-z/]*:)?(?:@|&)([^\s\]\";,]+)|\bcite[a-z]*:&?([^\s\]\";,@]+)")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Name:
    """One name of a note."""

    key: str
    full: str
    """The whole name, folded; of a path without the note's suffix."""
    source: NameSource


def names_of(
    path: str,
    title: str | None,
    aliases: Iterable[str] = (),
    properties: Iterable[tuple[str, str]] = (),
    ids: Iterable[str] = (),
) -> tuple[Name, ...]:
    """All names of the note at `path` (relative, posix), without duplicates.

    `properties` are the note's own, `ids` the ids of the note and of headings and blocks in it.
    """
    found = dict.fromkeys(_path_names(path))
    if title:
        found[_name(title, "title")] = None
    for alias in aliases:
        found[_name(alias, "alias")] = None
    for identity in ids:
        found[Name(fold(identity), fold(identity), "id")] = None
    for name, value in properties:
        if name.lower().rstrip("+") == "roam_refs":
            found.update(dict.fromkeys(_citations(value)))
    return tuple(name for name in found if name.key)


def stored_names(
    path: str, title: str | None, aliases: Iterable[str], properties: Iterable[tuple[str, str]], ids: Iterable[str]
) -> Iterator[tuple[str, str, str]]:
    """`names_of` as the store takes them: key, full name, source."""
    return ((name.key, name.full, name.source) for name in names_of(path, title, aliases, properties, ids))


def link_key(link: Link, source_type: str) -> str | None:
    """The key under which the target of `link` is looked up; None for links to the note itself and out of the vault."""
    return read_target(link.kind, link.target, source_type).key


def _name(text: str, source: NameSource) -> Name:
    return Name(name_key(text), fold(text.replace("\\", "/")), source)


def _path_names(path: str) -> Iterator[Name]:
    stem, _ = split_suffix(path)
    folder, _, base = stem.rpartition("/")
    yield Name(name_key(stem), fold(stem), "path")
    page = page_name(base)
    if page != base:
        yield _name(page, "page")
    if fold(base) in _INDEX_NAMES and folder:
        yield Name(name_key(folder), fold(folder), "folder")
    if base.lower().startswith("tags."):
        yield _name(base[5:], "tag")
    if identifier := _DENOTE.match(base):
        yield Name(fold(identifier[0]), fold(identifier[0]), "denote")
    if day := _day(base):
        for text in day_names(day):
            yield _name(text, "page")


def page_name(base: str) -> str:
    """The page name that Logseq stores under the file name `base`: `a___b` and `a%2Fb` are `a/b`."""
    name = base.replace("___", "/")
    return unquote(name) if "%" in name else name


def _day(base: str) -> date | None:
    found = _DAY.fullmatch(base)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def day_names(day: date) -> Sequence[str]:
    """A day as the tools let one write a journal page: every format that Logseq offers, and ISO's."""
    year, month, number = day.year, day.month, day.day
    suffix = "th" if 11 <= number <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    name, weekday = _MONTHS[month - 1], _WEEKDAYS[day.weekday()]
    short, short_weekday = name[:3], weekday[:3]
    return (
        f"{short} {number}{suffix}, {year}", f"{name} {number}{suffix}, {year}",
        f"{short_weekday}, {number:02}-{month:02}-{year}",
        f"{number:02}-{short}-{year}", f"{number:02}-{month:02}-{year}", f"{number:02}/{month:02}/{year}",
        f"{short_weekday}, {month:02}/{number:02}/{year}", f"{short_weekday}, {year}/{month:02}/{number:02}",
        f"{short_weekday}, {number:02}/{month:02}/{year}", f"{short_weekday}, {number:02}.{month:02}.{year}",
        f"{weekday}, {number:02}.{month:02}.{year}", f"{month:02}/{number:02}/{year}", f"{month:02}-{number:02}-{year}",
        f"{month:02}_{number:02}_{year}", f"{short_weekday}, {name} {number}, {year}", f"{short}. {number}{suffix}, {year}",
        f"{weekday}, {name} {number}, {year}", f"{year}-{month:02}-{number:02}", f"{year}_{month:02}_{number:02}",
        f"{year}/{month:02}/{number:02}", f"{year}-{month:02}-{number:02} {weekday}", f"{year}{month:02}{number:02}",
        f"{year}年{month:02}月{number:02}日",
    )  # fmt: skip


def _citations(value: str) -> Iterator[Name]:
    for at, old in _REFERENCE.findall(value):
        key = fold("@" + (at or old))
        yield Name(key, key, "citation")
