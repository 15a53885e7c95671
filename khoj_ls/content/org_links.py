"""Targets of Org links: abbreviations, the kind a target belongs to, and its readable part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import quote, unquote

from khoj_ls.core.types import LinkKind

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):(?=\S|$)")
_ABBREVIATED = re.compile(r"([^:]+)(?:::?(.*))?", re.DOTALL)
_LOCAL_PATH = re.compile(r"\.{1,2}/|/|~|[A-Za-z]:[/\\]")
_KIND_OF_SCHEME: MappingProxyType[str, LinkKind] = MappingProxyType(
    {
        **dict.fromkeys(("file", "file+sys", "file+emacs", "attachment", "docview", "pdf"), "file"),
        "id": "id",
        # They name a note by its title or identifier: only a resolver that knows the vault can say which.
        **dict.fromkeys(("roam", "denote"), "org"),
    }
)
_UNREADABLE = frozenset({"id", "denote"})
_WEB = frozenset({"http", "https", "ftp"})
_NOTE_SUFFIXES = frozenset({".org", ".md", ".markdown", ".txt"})


def expand(target: str, abbreviations: Mapping[str, str]) -> str:
    """`target` with a `#+LINK` abbreviation replaced as Org does: `%s` the tag, `%h` the tag percent-encoded, else appended."""
    match = _ABBREVIATED.fullmatch(target) if abbreviations else None
    template = abbreviations.get(match[1]) if match else None
    if match is None or template is None:
        return target
    tag = match[2] or ""
    if "%s" in template or "%h" in template:
        return template.replace("%s", tag).replace("%h", quote(tag))
    return template + tag


def kind_of(target: str) -> LinkKind:
    """The family of an expanded target.

    `file` for file:, attachment: and written paths; `id`; `heading` for `*Heading`; `citation`; `url` for every other scheme,
    those of Emacs packages included: they lead out of the vault; `org` for what is looked up by name: a dedicated target,
    `#custom-id`, `(coderef)`, `roam:Title`, `denote:identifier`.
    """
    if target.startswith("*"):
        return "heading"
    if _LOCAL_PATH.match(target):
        return "file"
    scheme = _SCHEME.match(target)
    if scheme is None:
        return "org"
    name = scheme[1]
    return "citation" if name.startswith("cite") else _KIND_OF_SCHEME.get(name, "url")


def readable(target: str) -> str:
    """The part of an expanded target a reader would read where the link has no label; empty for a bare identifier."""
    scheme = _SCHEME.match(target)
    name = scheme[1] if scheme else ""
    if name in _WEB:
        return target
    if name in _UNREADABLE:
        return ""
    rest = target[scheme.end() :] if scheme else target
    if kind_of(target) == "file":
        path, _, place = rest.partition("::")
        file = PurePosixPath(unquote(path))
        shown = file.stem if file.suffix.lower() in _NOTE_SUFFIXES else file.name
        return f"{shown} {_place(place)}".strip()
    return _place(rest)


def _place(text: str) -> str:
    text = text[1:-1] if text.startswith("(") and text.endswith(")") else text.lstrip("*#")
    return " ".join(text.split())
