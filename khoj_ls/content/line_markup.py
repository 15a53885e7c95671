"""Texts that are marked up line by line: their links and anchors, and their lines without the markup."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Protocol

from khoj_ls.content.fields import with_fields
from khoj_ls.content.outlined import Head, outlined
from khoj_ls.core.text import LineIndex, decode_source
from khoj_ls.core.types import Anchor, AnchorKind, Link, LinkKind, ParsedFile

URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'`{}|\\^\[\]]*[^\s<>\"'`{}|\\^\[\].,;:!?)*_]", re.I)
OUTSIDE = re.compile(r"(?:https?|ftp|mailto|irc|tel):", re.I)


_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass
class Found:
    """Links and anchors of a text, with the lines they lie in."""

    index: LineIndex
    links: list[Link] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)

    def link(self, target: str, label: str | None, start: int, end: int, kind: LinkKind | None = None) -> None:
        """Keep a link to the web or a file, at characters [start, end)."""
        target = target.strip()
        if target:
            kind = kind or ("url" if OUTSIDE.match(target) else "file")
            self.links.append(
                Link(kind, target, " ".join(label.split()) or None if label else None, self.index.span_of_chars(start, end))
            )

    def anchor(self, name: str, start: int, end: int, kind: AnchorKind = "custom_id") -> None:
        """Keep an anchor, at characters [start, end)."""
        if name.strip():
            self.anchors.append(Anchor(kind, name.strip(), self.index.span_of_chars(start, end)))

    def urls(self, text: str, start: int) -> None:
        """Keep the addresses in `text`, which begins at character `start`, that are in no link found in it so far."""
        begin = self.index.span_of_chars(start, start).start
        within = takewhile(lambda link: link.span.end > begin, reversed(self.links))
        taken = deque(sorted((link.span.start, link.span.end) for link in within))
        for url in URL.finditer(text):
            span = self.index.span_of_chars(start + url.start(), start + url.end())
            while taken and taken[0][1] <= span.start:
                taken.popleft()
            if not taken or taken[0][0] >= span.end:
                self.links.append(Link("url", url[0], None, span))


def replaced(text: str, markup: re.Pattern[str], said: Callable[[re.Match[str]], str]) -> str:
    """`text` with what `said` makes of each piece of `markup`, in as many lines as before."""

    def in_as_many_lines(match: re.Match[str]) -> str:
        shown = said(match)
        missing = len(_BREAK.findall(match[0])) - len(_BREAK.findall(shown))
        return shown + "\n" * missing

    return markup.sub(in_as_many_lines, text)


class LineReader(Protocol):
    """Reads the lines of one file, and holds what it found."""

    heads: list[Head]
    shown: list[str]
    """What is worth reading, a line for each of the file."""
    fields: list[tuple[str, str]]
    """What the file says of itself."""
    found: Found

    def read(self) -> None:
        """Read all lines; called once."""
        ...


def parsed_by(reading: Callable[[str, LineIndex], LineReader], type_: str, data: bytes) -> ParsedFile:
    """What a reader, made for the decoded text, finds in a file; its first heading of level 1 is the title."""
    text, problems = decode_source(data)
    reader = reading(text, LineIndex(text))
    reader.read()
    title = next((head.heading for head in reader.heads if head.level == 1), None)
    found = reader.found
    parsed = outlined(
        type_, title, text, reader.heads, shown=reader.shown, links=found.links, anchors=found.anchors, problems=problems
    )
    return with_fields(parsed, reader.fields)
