"""The block structure of a Markdown text: where headings, paragraphs, code, HTML, tables and lists lie.

markdown-it-py finds the blocks (CommonMark, tables, footnote definitions); its inline pass is switched off, since it costs
three times as much and forgets where in the source a link stood. All lines here are 0-based, all ranges half-open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MAX_NESTING = 40
"""Containers inside containers that are followed; what lies deeper is read line by line. Bounds the depth of recursion."""

_ATX = re.compile(r"[ \t]{0,3}(#{1,6})(?:[ \t]+|$)")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")

RegionKind = Literal["text", "heading", "html", "row"]


class Region(NamedTuple):
    """Lines that hold inline text: a paragraph, a heading inside a list or quote, a table row, or an HTML block."""

    kind: RegionKind
    line: int
    end_line: int


class Heading(NamedTuple):
    """A heading that begins a section: not one inside a list, a quote or a footnote."""

    level: int
    line: int
    end_line: int
    """The underline of a setext heading is inside."""


@dataclass
class Layout:
    """The blocks of one text, each list in source order."""

    headings: list[Heading] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    """First lines of top-level blocks; each item of a top-level list is one."""
    quotes: list[tuple[int, int]] = field(default_factory=list)
    code: list[tuple[int, int]] = field(default_factory=list)
    silent: list[tuple[int, int]] = field(default_factory=list)
    """Thematic breaks and the rulers of tables: lines that say nothing."""
    footnotes: list[tuple[str, int, int]] = field(default_factory=list)
    """Label and lines of each footnote definition."""


def block_layout(text: str, lines: Sequence[str]) -> Layout:
    """Lay out `text`, whose line breaks are LF and whose lines, without them, are `lines`."""
    layout = Layout()
    covered = bytearray(len(lines))
    _walk(_markdown().parse(_outdented(text, lines)), layout, covered)
    for ranges in (layout.regions, layout.headings):
        for *_, start, end in ranges:
            covered[start:end] = b"\1" * (end - start)
    # Lines that no token claims (nested too deep, bare list markers) are text of their own.
    stray = [Region("text", at, at + 1) for at, line in enumerate(lines) if not covered[at] and line and not line.isspace()]
    if stray:
        layout.regions = sorted([*layout.regions, *stray], key=lambda region: region.line)
    return layout


def _outdented(text: str, lines: Sequence[str]) -> str:
    """`text` with a tab less before lists that begin one level too deep under a heading, or at the top.

    So Logseq writes the blocks below a heading without a bullet. By the book such lines are code, and their links no links.
    """
    if "\n\t- " not in text and not text.startswith("\t- "):
        return text
    shifted = list(lines)
    in_list, may_begin = False, True
    for at, line in enumerate(lines):
        if not line or line.isspace():
            continue
        in_list = line.startswith("\t") and (in_list or (may_begin and line.startswith("\t- ")))
        may_begin = _ATX.match(line) is not None
        if in_list:
            shifted[at] = line[1:]
    return "\n".join(shifted)


def simple_layout(lines: Sequence[str]) -> Layout:
    """A layout by ATX headings, fences and blank lines alone: for a text that the parser gave up on."""
    layout = Layout()
    fence, fence_line, in_block = "", 0, False
    for at, line in enumerate(lines):
        marker = _FENCE.match(line)
        if fence:
            if marker and marker[1].startswith(fence) and not line[marker.end() :].strip():
                layout.code.append((fence_line, at + 1))
                fence = ""
        elif marker:
            fence, fence_line, in_block = marker[1], at, False
            layout.blocks.append(at)
        elif heading := _ATX.match(line):
            layout.headings.append(Heading(len(heading[1]), at, at + 1))
            in_block = False
        elif line.strip():
            layout.regions.append(Region("text", at, at + 1))
            if not in_block:
                layout.blocks.append(at)
            in_block = True
        else:
            in_block = False
    if fence:
        layout.code.append((fence_line, len(lines)))
    return layout


def heading_range(lines: Sequence[str], line: int, end_line: int) -> tuple[int, int, int]:
    """Where the text of a heading stands: column in its first line, its last line, and the end column in that.

    ATX markers at both ends and the underline of a setext heading are outside.
    """
    first = lines[line]
    opening = _ATX.match(first)
    if opening and end_line - line == 1:
        start, stripped = opening.end(), first.rstrip()
        bare = stripped.rstrip("#")
        closed = len(bare) <= start or bare[-1] in " \t"
        return start, line, max(start, len(bare.rstrip() if closed else stripped))
    last = max(line, end_line - 2)
    return len(first) - len(first.lstrip()), last, len(lines[last].rstrip())


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.footnote import footnote_plugin

    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table").use(footnote_plugin)
    # Reference definitions are read by markdown_links, which keeps their targets as written.
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.block.ruler.disable("reference")
    return parser


def _walk(tokens: Sequence[Token], layout: Layout, covered: bytearray) -> None:
    position, count = 0, len(tokens)
    kind: RegionKind = "text"
    while position < count:
        token = tokens[position]
        position += 1
        if token.map is None:
            if token.type == "heading_close":
                kind = "text"
            continue
        start, end = token.map
        type_ = token.type
        if type_ == "inline":
            layout.regions.append(Region(kind, start, end))
        elif type_ == "heading_open":
            if token.level == 0:
                layout.headings.append(Heading(int(token.tag[1]), start, end))
                position += 1  # its inline token
            else:
                kind = "heading"
        elif type_ == "table_open":
            position = _table(tokens, position, layout, covered)
        else:
            _claim(type_, token, layout, covered)
        if token.level == (1 if type_ == "list_item_open" else 0) and type_ not in _NOT_BLOCKS:
            layout.blocks.append(start)


_NOT_BLOCKS = frozenset({"inline", "heading_open", "bullet_list_open", "ordered_list_open", "hr"})


def _claim(type_: str, token: Token, layout: Layout, covered: bytearray) -> None:
    """Take note of a block that is neither paragraph, heading nor table."""
    start, end = token.map or (0, 0)
    if type_ in ("fence", "code_block"):
        layout.code.append((start, end))
    elif type_ == "html_block":
        layout.regions.append(Region("html", start, end))
        return
    elif type_ == "hr":
        layout.silent.append((start, end))
    elif type_ == "blockquote_open":
        layout.quotes.append((start, end))
        return
    elif type_ == "footnote_reference_open":
        layout.footnotes.append((token.meta["label"], start, end))
        return
    else:
        return
    covered[start:end] = b"\1" * (end - start)


def _table(tokens: Sequence[Token], position: int, layout: Layout, covered: bytearray) -> int:
    """Make a region of each row of the table whose opening token is before `position`; return the position behind it."""
    rows: list[int] = []
    while tokens[position].type != "table_close":
        token = tokens[position]
        position += 1
        if token.type == "tr_open" and token.map:
            rows.append(token.map[0])
    layout.regions.extend(Region("row", row, row + 1) for row in rows)
    layout.silent.append((rows[0] + 1, rows[0] + 2))
    covered[rows[0] + 1] = 1
    return position + 1
