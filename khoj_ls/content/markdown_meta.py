"""What the fields of a note say about it: front matter and Logseq page properties, brought to one form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from khoj_ls.content.front_matter import as_text
from khoj_ls.core.types import DateKind, EntryDate

_DATE_KINDS: MappingProxyType[str, DateKind] = MappingProxyType(
    {
        "date": "note",
        "created": "created",
        "created_at": "created",
        "created-at": "created",
        "date created": "created",
        "updated": "updated",
        "updated_at": "updated",
        "updated-at": "updated",
        "modified": "updated",
        "date modified": "updated",
        "last_modified": "updated",
        "lastmod": "updated",
    }
)
_NOTHING = frozenset({"", "null", "~", "none"})
_PUBLIC = _NOTHING | {"false", "no", "off", "nil", "0"}
"""Values of `private` that leave a note public; any other keeps it: whoever writes `private: yes please` means it."""
_MARKED = re.compile(r"#?\[\[(.+?)\]\]")
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2}))?(?![\d-])")
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")


@dataclass(frozen=True)
class Metadata:
    """The fields of a note, sorted by what they mean."""

    title: str | None = None
    id: str | None = None
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    """Every field that has no place of its own here."""
    dates: tuple[EntryDate, ...] = ()
    private: bool = False


def metadata(fields: Iterable[tuple[str, Any]]) -> Metadata:
    """Sort `fields` by meaning; names compare without case, and of two titles or ids the first counts."""
    title: str | None = None
    identity: str | None = None
    aliases: list[str] = []
    tags: list[str] = []
    dates: list[EntryDate] = []
    properties: list[tuple[str, str]] = []
    private = False
    for name, value in fields:
        key = name.strip().lower()
        text = as_text(value).strip()
        if key == "title":
            title = title or _one_line(text)
        elif key in ("alias", "aliases"):
            aliases += words(value, blanks=False)
        elif key in ("tag", "tags"):
            tags += [tag.lstrip("#") for tag in words(value, blanks=True)]
        elif key == "private":
            private = private or is_private((), [(key, text)])
        elif key in _DATE_KINDS and (day := iso_date(text)):
            dates.append(EntryDate(_DATE_KINDS[key], day))
        else:
            identity = identity or (_one_line(text) if key == "id" else None)
            properties.append((name.strip(), text))
    unique_tags = tuple(dict.fromkeys(tag for tag in tags if tag))
    return Metadata(
        title,
        identity,
        tuple(dict.fromkeys(aliases)),
        unique_tags,
        tuple(properties),
        tuple(dict.fromkeys(dates)),
        private or is_private(unique_tags),
    )


def is_private(tags: Iterable[str], properties: Iterable[tuple[str, str]] = ()) -> bool:
    """Whether `private`, or a tag below it, is among `tags`, or a property `private` that is not false or empty."""
    return any(tag.lower() == "private" or tag.lower().startswith("private/") for tag in tags) or any(
        name.lower() == "private" and value.strip().lower() not in _PUBLIC for name, value in properties
    )


def words(value: Any, *, blanks: bool) -> list[str]:
    """The items of a list (lists in it included), or of a text cut at commas - or, with `blanks` and no comma, at blanks.

    `[[a page]]` and `#[[a page]]` hold their words together; quotes are taken off.
    """
    if isinstance(value, list):
        return [word for item in value for word in (words(item, blanks=False) if isinstance(item, list) else _one_word(item))]
    text = as_text(value)
    rest = _MARKED.sub(",", text)
    parts = rest.split() if blanks and "," not in rest else rest.split(",")
    return [word for part in (*_MARKED.findall(text), *parts) for word in _one_word(part)]


def _one_word(value: Any) -> list[str]:
    text = as_text(value).strip().strip("\"'").strip()
    marked = _MARKED.fullmatch(text)
    return [] if text.lower() in _NOTHING else [marked[1].strip() if marked else text]


def iso_date(text: str) -> str | None:
    """The ISO day, or minute, that `text` begins with or, as an epoch in seconds or milliseconds, is; None if it is none."""
    if _EPOCH.fullmatch(text):
        instant = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=int(text.ljust(13, "0")))
        return instant.strftime("%Y-%m-%dT%H:%M")
    found = _DAY.match(text)
    if not found:
        return None
    year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    try:
        instant = datetime(year, month, day, hour, minute)
    except ValueError:
        return None
    return instant.isoformat(timespec="minutes") if found[4] else instant.date().isoformat()


def _one_line(text: str) -> str | None:
    return " ".join(text.split()) or None
