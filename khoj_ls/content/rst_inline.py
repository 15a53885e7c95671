"""Inline markup of reStructuredText: links, and what a reader sees of a line."""

from __future__ import annotations

import re

from khoj_ls.content.line_markup import Found, replaced

_MARKUP = re.compile(
    r"(?P<literal>``(?P<code>[^`]{1,2000}?)``)"
    r"|(?P<role>(?<![\w:]):(?P<name>[A-Za-z][\w:+.-]{0,60}):`(?P<said>[^`]{1,2000})`)"
    r"|(?P<phrase>`(?P<text>[^`]{1,2000})`(?P<mark>__?)?)"
    r"|(?P<strong>\*\*(?P<bold>[^*\s](?:[^*]{0,2000}[^*\s])?)\*\*)"
    r"|(?P<emphasis>(?<![\w*])\*(?P<slanted>[^*\s](?:[^*]{0,2000}[^*\s])?)\*(?![\w*]))"
    r"|(?P<substitution>\|(?P<name2>[^|\s](?:[^|]{0,200}[^|\s])?)\|_{0,2})"
    r"|(?P<reference>(?<![\w/.])(?P<word>[A-Za-z0-9](?:[\w.+-]{0,100}[A-Za-z0-9])?)__?(?![\w/]))"
    r"|(?P<escape>\\(?P<sign>[^\s]))"
)
_TARGETED = re.compile(r"(?P<label>.*?)\s*<(?P<target>[^<>]+)>\s*", re.S)
_TO_FILES = frozenset({"doc", "download"})
_TO_PLACES = frozenset({"ref", "numref", "std:ref", "std:numref"})


def readable(text: str, start: int, found: Found, labels: frozenset[str]) -> str:
    """What a reader sees of `text`, in as many lines; its links are added to `found`.

    It begins at character `start` of the file. `labels`: what the file itself names, folded; only these are led to by `:ref:`,
    as others are known to a whole project.
    """
    shown = replaced(text, _MARKUP, lambda match: _said(match, start, found, labels))
    found.urls(text, start)
    return shown


def _said(match: re.Match[str], start: int, found: Found, labels: frozenset[str]) -> str:
    begin, end = start + match.start(), start + match.end()
    if match["role"]:
        return _of_role(match["name"].lower(), match["said"], (begin, end), found, labels)
    if match["phrase"]:
        targeted = _TARGETED.fullmatch(match["text"])
        if not match["mark"] or targeted is None:
            return match["text"]
        target = targeted["target"]
        if not target.endswith("_"):  # `text <name_>`_ refers to a target that is defined elsewhere
            found.link(target, targeted["label"], begin, end)
        return targeted["label"] or target
    for name in ("code", "bold", "slanted", "name2", "word", "sign"):
        if match[name] is not None:
            return match[name]
    return match[0]


def _of_role(role: str, said: str, where: tuple[int, int], found: Found, labels: frozenset[str]) -> str:
    targeted = _TARGETED.fullmatch(said)
    target, label = (targeted["target"], targeted["label"]) if targeted else (said, None)
    if role in _TO_FILES:
        found.link(target, label, *where, "file")
    elif role in _TO_PLACES and target.casefold() in labels:
        found.link(f"#{target}", label, *where, "file")
    return label or target.removeprefix("~").removeprefix("!")
