"""What an Org file says about itself: title, tags, aliases, dates, properties and link abbreviations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from khoj_ls.content.org_dates import named_date
from khoj_ls.content.org_outline import sets_todo
from khoj_ls.content.org_source import Element
from khoj_ls.core.types import EntryDate

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_LINK = re.compile(r'(?:"([^"]+)"|(\S+))\s+(\S.*)')
_FALSE = frozenset({"nil", "no", "false"})
_TITLE, _TAGS = frozenset({"title"}), frozenset({"filetags", "roam_tags"})
_ALIASES = frozenset({"roam_alias", "roam_aliases"})
# Keywords that speak of the element below them, of export or of the editor, and say nothing about the note.
_NOT_A_PROPERTY = frozenset(
    {"name", "caption", "results", "header", "headers", "plot", "tblname", "label", "tblfm", "call", "include", "transclude"}
    | {"macro", "bind", "options", "startup", "setupfile", "link", "tags", "priorities", "constants", "columns", "archive"}
    | {"toc", "html", "latex", "ascii", "beamer", "texinfo", "odt", "md", "export_file_name", "exclude_tags", "select_tags"}
)
_EXPORT_PREFIXES = ("attr_", "html_", "latex_", "odt_", "texinfo_", "beamer_", "reveal_", "ascii_", "begin_", "end_")


@dataclass(frozen=True)
class FileFacts:
    """What keywords and the property drawer at the top say about the whole file."""

    title: str | None
    tags: tuple[str, ...]
    aliases: tuple[str, ...]
    properties: tuple[tuple[str, str], ...]
    dates: tuple[EntryDate, ...]
    private: bool
    left_out: bool
    """Tagged :ARCHIVE: or :crypt: as a whole."""


def read_facts(keywords: Iterable[Element], drawer: Iterable[tuple[str, str]]) -> FileFacts:
    """Facts from the keyword lines of the file and its top-level property drawer.

    Several `#+title` lines are one title, as in Org. `#+PROPERTY: name value` counts as the property `name`; org-roam's old
    `#+ROAM_KEY` as its successor `ROAM_REFS`.
    """
    titles: list[str] = []
    tags: list[str] = []
    aliases: list[str] = []
    properties = list(drawer)
    for keyword in keywords:
        name, value = keyword.name.lower(), keyword.value.strip()
        if name in _TITLE:
            titles.append(value)
        elif name in _TAGS:
            tags += [tag.strip('"') for tag in value.replace(":", " ").split()]
        elif name in _ALIASES:
            aliases += quoted_words(value)
        elif _is_property(name):
            properties.append(_as_property(keyword.name, value))
    for name, value in properties:
        if name.lower().rstrip("+") in _ALIASES:
            aliases += quoted_words(value)
    title = " ".join(" ".join(titles).split())
    dates = (named_date(name, value) for name, value in properties)
    return FileFacts(
        title or None,
        tuple(dict.fromkeys(tags)),
        tuple(dict.fromkeys(aliases)),
        tuple(properties),
        tuple(dict.fromkeys(date for date in dates if date)),
        is_private(tags, properties),
        leaves_out(tags),
    )


def quoted_words(value: str) -> list[str]:
    """Words of a ROAM_ALIASES-like value; a quoted phrase is one word."""
    return [re.sub(r"\\(.)", r"\1", quoted) or word for quoted, word in _QUOTED.findall(value) if quoted or word]


def is_private(tags: Iterable[str], properties: Iterable[tuple[str, str]]) -> bool:
    """Whether a tag `private`, or a property `private` that is not nil, no or false, keeps the text on this machine."""
    return any(tag.casefold() == "private" for tag in tags) or any(
        name.casefold() == "private" and value.strip().casefold() not in _FALSE for name, value in properties
    )


def leaves_out(tags: Iterable[str]) -> bool:
    """Whether the tags keep a subtree out of the index: archived, or encrypted by org-crypt."""
    return any(tag == "ARCHIVE" or tag.casefold() == "crypt" for tag in tags)


def link_abbreviations(keywords: Iterable[Element]) -> dict[str, str]:
    """Templates of the `#+LINK: name template` lines by name."""
    found = (_LINK.fullmatch(keyword.value.strip()) for keyword in keywords if keyword.name.lower() == "link")
    return {match[1] or match[2]: match[3].strip() for match in found if match}


def _is_property(name: str) -> bool:
    return not (name in _NOT_A_PROPERTY or sets_todo(name) or name.startswith(_EXPORT_PREFIXES))


def _as_property(name: str, value: str) -> tuple[str, str]:
    if name.lower() == "property":
        first, *rest = value.split(None, 1) or [""]
        return first, "".join(rest)
    return ("ROAM_REFS", value) if name.lower() == "roam_key" else (name, value)
