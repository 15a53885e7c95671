"""Markdown of an answer on a terminal: drawn while it arrives, with nothing in it that the terminal would obey.

What a model writes is data, as notes are: control characters show as U+FFFD, raw HTML and pictures as text, and the address
of a link stands beside its words, so that none is followed unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown
from rich.segment import Segment, Segments
from rich.style import Style

from khoj_ls.cli.output import printable

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_LIST = re.compile(r" {0,3}([-*+]|\d{1,9}[.)])( |\t|$)")
_LIST_BEGUN = re.compile(r" {0,3}\d{1,9}")
"""A line of which no more has arrived, and that may become one of a list."""
_DELIMITERS = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-*:?[ \t]*)+")
"""The second line of a table."""
_CITED = re.compile(r"(\[\d{1,3}\](?:\[\d{1,3}\])*)")
_CITED_STYLE = Style(color="cyan", bold=True)


def lines_printable(text: str) -> str:
    """`text` with its lines, but without control characters."""
    return "\n".join(printable(line.expandtabs(4)) for line in text.split("\n"))


def settled(text: str) -> int:
    """How much of `text` is whole blocks that what follows cannot change: the offset where the last block begins."""
    end, at, fence, blank, listed = 0, 0, "", False, False
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        else:
            if blank and line.strip() and not _goes_on(line, listed):
                end, listed = at, False
            listed = listed or bool(_LIST.match(line))
            fence = mark[1] if mark else ""
        blank = not line.strip() and not fence
        at += len(line)
    return end


def _goes_on(line: str, listed: bool) -> bool:
    """Whether `line`, behind a blank one, may belong to the list or the indented code before it."""
    if line.startswith(("    ", "\t")):
        return True
    return listed and bool(line[0] in " \t" or _LIST.match(line) or _LIST_BEGUN.fullmatch(line))


def last_part(text: str, lines: int) -> str:
    """The last `lines` lines of a block that still grows, with what makes them what they are: a fence, the head of a table."""
    kept = text.splitlines(keepends=True)
    if len(kept) <= lines:
        return text
    head = 1 if _FENCE.match(kept[0]) else 2 if _DELIMITERS.fullmatch(kept[1].rstrip()) else 0
    return "".join([*kept[:head], *kept[max(head, len(kept) - lines) :]])


class Drawn:
    """Markdown text to be drawn, all of it or as many of its last lines as fit."""

    def __init__(self, text: str, *, last_lines: int | None = None) -> None:
        """Draw `text`; with `last_lines` no more than these."""
        self._markdown = _markdown(text)
        self._last_lines = last_lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The segments of the drawing, citations marked."""
        segments: Iterable[Segment] = _marked(console.render(self._markdown, options))
        if self._last_lines is not None:
            lines = list(Segment.split_lines(segments))[-self._last_lines :]
            segments = [segment for line in lines for segment in (*line, Segment.line())]
        yield Segments(segments)


def _markdown(text: str) -> Markdown:
    drawn = Markdown("", hyperlinks=False)
    # The parser that rich makes would drop HTML, draw pictures by their name alone, and turn `[1]` into a link where the text
    # defines one.
    parser = MarkdownIt().enable(["strikethrough", "table"]).disable(["html_block", "html_inline", "reference", "image"])
    drawn.markup = lines_printable(text)
    drawn.parsed = parser.parse(drawn.markup)
    return drawn


def _marked(segments: Iterable[Segment]) -> Iterator[Segment]:
    for segment in segments:
        if segment.control or "[" not in segment.text:
            yield segment
            continue
        for at, part in enumerate(_CITED.split(segment.text)):
            if part:
                yield Segment(part, (segment.style or Style()) + _CITED_STYLE if at % 2 else segment.style)
