"""From a scanned Markdown text to its entries: one for each heading, and one for what stands before the first."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from khoj_ls.content.front_matter import Head, as_text
from khoj_ls.content.markdown_fields import FieldLine, heading_state
from khoj_ls.content.markdown_meta import is_private, words
from khoj_ls.content.markdown_scan import Scan, ShownHeading
from khoj_ls.content.markdown_source import Source
from khoj_ls.core.types import Anchor, Entry, EntryDate, Link


@dataclass
class Section:
    """What an entry is made of, before it knows its ancestors. Lines are 0-based, the range half-open."""

    line: int
    end_line: int
    heading: ShownHeading | None
    links: list[Link] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    properties: list[tuple[str, str]] = field(default_factory=list)
    dates: list[EntryDate] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    """Every tag in heading, text and properties."""
    lasting_tags: list[str] = field(default_factory=list)
    """Those that hold for the descendants too: in the heading, in `tags::`, or in a first paragraph of tags alone."""
    note_tags: list[str] = field(default_factory=list)
    """Those that hold for the whole note: a first paragraph of tags alone, at the top or under the title."""


def leading_title(scan: Scan) -> str | None:
    """The first heading, when it is of level 1 and nothing stands before it."""
    first = scan.headings[0] if scan.headings else None
    if first is None or first.level != 1 or any(scan.shown[: first.line]):
        return None
    return heading_state(first.title)[2] or None


def cut_sections(scan: Scan, source: Source, head: Head, page_fields: frozenset[FieldLine]) -> list[Section]:
    """The sections of a note with all that stands in them; `page_fields` are the note's, not theirs."""
    begins = [heading.line for heading in scan.headings]
    ends = [*begins[1:], len(source.lines)]
    sections = [Section(*item) for item in zip(begins, ends, scan.headings, strict=False)]
    intro_end = begins[0] if begins else len(source.lines)
    if any(line and not line.isspace() for line in source.lines[:intro_end]):
        sections.insert(0, Section(0, intro_end, None))
    if not sections:
        return []
    _share_places(sections, scan, source, head)
    _share_tag_paragraphs(sections, scan)
    _share_fields(sections, scan, source, page_fields)
    return sections


def entries_of(
    sections: Sequence[Section], scan: Scan, source: Source, note_tags: tuple[str, ...], *, private: bool
) -> tuple[Entry, ...]:
    """The entries of `sections`: outline, inherited tags and privacy come from the headings above."""
    entries: list[Entry] = []
    lasting: list[tuple[str, ...]] = []
    ancestors: list[int] = []
    for section in sections:
        heading = section.heading
        level = heading.level if heading else 0
        while ancestors and entries[ancestors[-1]].level >= level:
            ancestors.pop()
        parent = ancestors[-1] if ancestors else None
        above = entries[parent] if parent is not None else None
        inherited = lasting[parent] if parent is not None else note_tags
        todo, priority, title = heading_state(heading.title) if heading else (None, None, "")
        blocks = scan.layout.blocks
        in_section = blocks[bisect_left(blocks, section.line) : bisect_left(blocks, section.end_line)]
        entries.append(
            Entry(
                span=source.span_of_lines(section.line, section.end_line),
                level=level,
                heading=title,
                outline=(*above.outline, above.heading) if above else (),
                parent=parent,
                raw=source.raw(section.line, section.end_line),
                text=_text(section, scan, source),
                blocks=tuple(block - section.line for block in in_section),
                todo=todo,
                priority=priority,
                tags=tuple(dict.fromkeys((*inherited, *section.tags))),
                properties=tuple(section.properties),
                dates=tuple(dict.fromkeys(section.dates)),
                anchors=tuple(section.anchors),
                links=tuple(section.links),
                private=private or is_private(section.tags, section.properties) or bool(above and above.private),
            )
        )
        lasting.append(tuple(dict.fromkeys((*inherited, *section.lasting_tags))))
        if heading:
            ancestors.append(len(entries) - 1)
    return tuple(entries)


def _text(section: Section, scan: Scan, source: Source) -> str:
    ends_in_break = source.index.lines[section.end_line - 1].endswith(("\n", "\r"))
    return "\n".join(scan.shown[section.line : section.end_line]) + ("\n" if ends_in_break else "")


def _share_places(sections: Sequence[Section], scan: Scan, source: Source, head: Head) -> None:
    """Give each section its links, tags, anchors and dates."""
    begins = [section.line for section in sections]

    def at(line: int) -> Section:
        return sections[max(0, bisect_right(begins, line) - 1)]

    links = sorted(scan.links, key=lambda link: link.start)
    for link, span in zip(links, source.spans([(link.start, link.end) for link in links]), strict=True):
        section = at(span.line - 1)
        section.links.append(Link(link.kind, link.target, link.label, span))
        if link.kind == "tag":
            section.tags.append(link.target)
            if section.heading and span.line <= section.heading.end_line:
                section.lasting_tags.append(link.target)
    if head.lines and (identity := as_text(head.fields.get("id", "")).strip()):
        sections[0].anchors.append(Anchor("id", identity, source.span_of_lines(0, head.lines)))
    anchors = sorted(scan.anchors, key=lambda anchor: anchor.start)
    for anchor, span in zip(anchors, source.spans([(anchor.start, anchor.end) for anchor in anchors]), strict=True):
        at(span.line - 1).anchors.append(Anchor(anchor.kind, anchor.name, span))
    for offset, date in sorted(scan.dates, key=lambda item: item[0]):
        at(source.line_at(offset)).dates.append(date)


def _share_fields(sections: Sequence[Section], scan: Scan, source: Source, page_fields: frozenset[FieldLine]) -> None:
    begins = [section.line for section in sections]
    for found in sorted(scan.fields):
        if found in page_fields:
            continue
        section = sections[max(0, bisect_right(begins, source.line_at(found.start)) - 1)]
        section.properties.append((found.name, found.value))
        if found.name.lower() in ("tags", "tag"):
            tags = [tag.lstrip("#") for tag in words(found.value, blanks=False)]
            section.tags += tags
            section.lasting_tags += tags


def _share_tag_paragraphs(sections: Sequence[Section], scan: Scan) -> None:
    """A first paragraph of nothing but tags speaks for its section; at the top or under the title, for the note."""
    begins = [section.line for section in sections]
    done: set[int] = set()
    for line, end_line in scan.tag_lines:
        index = max(0, bisect_right(begins, line) - 1)
        section = sections[index]
        if index in done:
            continue
        done.add(index)
        if any(scan.shown[section.line : line]):
            continue
        tags = [link.target for link in section.links if link.kind == "tag" and line < link.span.line <= end_line]
        is_top = section.heading is None or (section.heading is scan.headings[0] and leading_title(scan) is not None)
        (section.note_tags if is_top else section.lasting_tags).extend(tags)
