"""A whole Markdown text read once: its blocks, and for every line the text it shows, with all links, anchors and fields."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from khoj_ls.content import markdown_fields as fields
from khoj_ls.content.front_matter import Head
from khoj_ls.content.markdown_blocks import Layout, block_layout, heading_range, simple_layout
from khoj_ls.content.markdown_html import html_anchors, html_text
from khoj_ls.content.markdown_inline import Dialect, Inline, RawAnchor, RawLink, scan_inline
from khoj_ls.content.markdown_links import WIKILINK, reference_definitions, wiki_parts
from khoj_ls.content.markdown_source import Source
from khoj_ls.core.types import EntryDate, Problem

_QUOTE = re.compile(r"[ \t]*>[ \t]?")
_CALLOUT = re.compile(r"[ \t]*\[![\w-]+(?:\|[^\]]*)?\][+-]?")
_NESTED_HEADING = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(#{1,6}[ \t]+)")
_NOT_LINE_BREAK = re.compile(r"[^\n]")


@dataclass(frozen=True)
class ShownHeading:
    """A heading that begins a section."""

    level: int
    line: int
    end_line: int
    text: str
    """Inline markup reduced, on one line; task state, priority and tags still in it."""
    title: str
    """`text` without the tags at its end."""


@dataclass
class Scan:
    """What a text holds, by places in it: offsets are characters of `Source.text`, lines are 0-based."""

    layout: Layout
    shown: list[str]
    """For each line what of it is worth reading; empty for headings, properties, comments, front matter."""
    headings: list[ShownHeading] = field(default_factory=list)
    links: list[RawLink] = field(default_factory=list)
    anchors: list[RawAnchor] = field(default_factory=list)
    fields: list[fields.FieldLine] = field(default_factory=list)
    dates: list[tuple[int, EntryDate]] = field(default_factory=list)
    tag_lines: list[tuple[int, int]] = field(default_factory=list)
    """The lines of each paragraph that holds nothing but tags."""
    problems: tuple[Problem, ...] = ()


def scan_note(source: Source, head: Head, *, is_dendron: bool) -> Scan:
    """Read `source`, whose front matter is `head`."""
    lines = [""] * head.lines + source.lines[head.lines :]
    lines[: head.lines] = [" " * len(line) for line in source.lines[: head.lines]]
    if "%%" in source.text:
        _blank(lines, fields.comment_lines(lines))
    layout, problems = _layout(lines)
    _strip_quotes(lines, layout)
    if ":LOGBOOK:" in source.text:
        _blank(lines, fields.drawer_lines(lines))
    scan = Scan(layout, [""] * len(lines), problems=problems)
    kinds = _kinds(layout, len(lines))

    def is_body(offset: int) -> bool:
        return kinds[source.line_at(offset)] == _BODY

    def is_text(offset: int) -> bool:
        return kinds[source.line_at(offset)] > 0

    text = "\n".join(lines)
    references = reference_definitions(text, is_body)
    text = _blank_ranges(text, references.ranges)
    dialect = Dialect(references.targets, frozenset(label for label, *_ in layout.footnotes), is_dendron)
    scan.links += _head_links(source, head, is_dendron)
    _scan_regions(scan, source, text, dialect)
    _scan_headings(scan, source, text, dialect)
    for start, end in layout.code:
        scan.shown[start:end] = lines[start:end]
    for offset in fields.planning_lines(text):
        if is_body(offset):
            scan.shown[source.line_at(offset)] = ""
    for found in fields.field_lines(text):
        if is_body(found.start):
            scan.fields.append(found)
            scan.shown[source.line_at(found.start)] = ""
    _name_blocks(scan, source)
    scan.dates += fields.dates_in(text, is_text)
    return scan


def _layout(lines: list[str]) -> tuple[Layout, tuple[Problem, ...]]:
    try:
        return block_layout("\n".join(lines), lines), ()
    except (RecursionError, LookupError, ValueError, TypeError, AssertionError) as error:
        # A parser of another project met text it cannot take; the note is still worth finding.
        what = f"the Markdown parser gave up ({type(error).__name__}); only headings and paragraphs were told apart"
        return simple_layout(lines), (Problem("warning", "markdown-structure", what),)


def _blank(lines: list[str], ranges: list[tuple[int, int]]) -> None:
    for start, end in ranges:
        lines[start:end] = [" " * len(line) for line in lines[start:end]]


def _blank_ranges(text: str, ranges: tuple[tuple[int, int], ...]) -> str:
    if not ranges:
        return text
    pieces: list[str] = []
    at = 0
    for start, end in ranges:
        pieces += text[at:start], _NOT_LINE_BREAK.sub(" ", text[start:end])
        at = end
    return "".join((*pieces, text[at:]))


def _strip_quotes(lines: list[str], layout: Layout) -> None:
    """Put blanks in place of quote marks and callout types, so that no offset moves."""
    for start, end in layout.quotes:
        for at in range(start, end):
            line = lines[at]
            if mark := _QUOTE.match(line):
                stop = mark.end()
                if at == start and (callout := _CALLOUT.match(line, stop)):
                    stop = callout.end()
                lines[at] = " " * stop + line[stop:]


_BODY, _HEADING = 1, 2


def _kinds(layout: Layout, count: int) -> bytearray:
    """For each line whether it is inline text, of a section's body or of its heading; 0 for code, HTML and silent lines."""
    kinds = bytearray(count)
    for kind, start, end in layout.regions:
        if kind != "html":
            kinds[start:end] = bytes([_BODY]) * (end - start)
    for heading in layout.headings:
        kinds[heading.line] = _HEADING
    return kinds


def _head_links(source: Source, head: Head, is_dendron: bool) -> list[RawLink]:
    """Wikilinks in front matter, where Obsidian counts them."""
    if not head.lines:
        return []
    found = WIKILINK.finditer(source.text, 0, source.starts[head.lines])
    parts = [(match, *wiki_parts(match[1], label_first=is_dendron)) for match in found]
    return [RawLink("wikilink", target, label, *match.span()) for match, target, label in parts if target]


def _scan_regions(scan: Scan, source: Source, text: str, dialect: Dialect) -> None:
    for region in scan.layout.regions:
        start, end = source.range_of_lines(region.line, region.end_line)
        if region.kind == "html":
            anchors = html_anchors(text[start:end])
            scan.anchors += [RawAnchor("custom_id", name, start + at, start + to) for name, at, to in anchors]
            _show(scan, region.line, html_text(text[start:end]))
            continue
        begin, prefix = start, ""
        if region.kind == "heading" and (marker := _NESTED_HEADING.match(text, start, end)):
            begin, prefix = marker.end(), text[start : marker.start(1)]
        stop = end
        if named := fields.block_id(text, begin, end):
            stop = max(begin, named[1])
            block = (start, end) if text[begin:stop].strip() else _block_before(scan, source, region.line)
            scan.anchors.append(RawAnchor("block", named[0], *block))
        inline = scan_inline(text, begin, stop, dialect)
        _take(scan, inline)
        _show(scan, region.line, prefix + inline.text)
        if region.kind == "heading":
            scan.anchors.append(RawAnchor("heading", " ".join(inline.text.split()), start, end))
        elif region.kind == "text" and inline.links and _is_tags_alone(inline, text, begin, stop):
            scan.tag_lines.append((region.line, region.end_line))


def _scan_headings(scan: Scan, source: Source, text: str, dialect: Dialect) -> None:
    for level, line, end_line in scan.layout.headings:
        column, last, end_column = heading_range(source.lines, line, end_line)
        start, end = source.starts[line] + column, source.starts[last] + end_column
        whole = source.range_of_lines(line, end_line)
        if named := fields.custom_id(text, start, end):
            scan.anchors.append(RawAnchor("custom_id", named[0], *whole))
            end = max(start, named[1])
        if named := fields.block_id(text, start, end):
            scan.anchors.append(RawAnchor("block", named[0], *whole))
            end = max(start, named[1])
        inline = scan_inline(text, start, end, dialect)
        _take(scan, inline)
        shown = " ".join(inline.text.split())
        scan.anchors.append(RawAnchor("heading", shown, *whole))
        scan.headings.append(ShownHeading(level, line, end_line, shown, _without_last_tags(shown, inline)))


def _take(scan: Scan, inline: Inline) -> None:
    scan.links += inline.links
    scan.anchors += inline.anchors
    scan.fields += [fields.FieldLine(at, name, value, is_item=True) for name, value, at in inline.fields]


def _show(scan: Scan, line: int, text: str) -> None:
    for at, shown in enumerate(text.split("\n"), line):
        scan.shown[at] = shown.rstrip()


def _block_before(scan: Scan, source: Source, line: int) -> tuple[int, int]:
    """The block or heading before a lone `^id` on `line`, which it names; the line itself when there is none."""
    blocks, headings = scan.layout.blocks, scan.layout.headings
    block = bisect_left(blocks, line) - 1
    heading = bisect_left(headings, line, key=lambda item: item.line) - 1
    first = max(blocks[block] if block >= 0 else -1, headings[heading].line if heading >= 0 else -1)
    if first < 0:
        return source.range_of_lines(line, line + 1)
    end_line = line
    while end_line > first + 1 and not source.lines[end_line - 1].strip():
        end_line -= 1
    return source.range_of_lines(first, end_line)


def _is_tags_alone(inline: Inline, text: str, start: int, end: int) -> bool:
    """Whether nothing but tags, blanks and commas stands in text[start:end]."""
    at = start
    for link in inline.links:
        if link.kind != "tag" or text[at : link.start].strip(" \t\n,"):
            return False
        at = link.end
    return not text[at:end].strip(" \t\n,")


def _without_last_tags(shown: str, inline: Inline) -> str:
    """`shown` without the tags at its end; a heading of tags alone keeps them."""
    rest = shown
    for link in reversed(inline.links):
        if link.kind != "tag" or not rest.endswith("#" + link.target):
            break
        rest = rest.removesuffix("#" + link.target).rstrip()
    return rest or shown


def _name_blocks(scan: Scan, source: Source) -> None:
    """Make anchors of footnote definitions and of the blocks that Logseq names by `id::`."""
    for label, line, end_line in scan.layout.footnotes:
        scan.anchors.append(RawAnchor("footnote", label, *source.range_of_lines(line, end_line)))
    firsts = [region.line for region in scan.layout.regions]
    for found in scan.fields:
        if found.name.lower() == "id":
            at = bisect_right(firsts, source.line_at(found.start)) - 1
            _, line, end_line = scan.layout.regions[at]
            before = scan.layout.regions[at - 1] if at else None
            if before and before.kind == "heading" and before.end_line == line:  # `- ## Heading`, then its properties
                line = before.line
            scan.anchors.append(RawAnchor("id", found.value, *source.range_of_lines(line, end_line)))
