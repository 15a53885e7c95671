"""One section of an Org file made into what an entry holds: compiled text, properties, dates, anchors and links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from khoj_ls.content.org_dates import named_date, planning_dates
from khoj_ls.content.org_inline import Found, reduce
from khoj_ls.content.org_source import Element, OrgText, Section
from khoj_ls.core.types import Anchor, AnchorKind, EntryDate, Span

_BREAK = re.compile(r"\r\n|\r|\n")
_ESCAPED = re.compile(r"([ \t]*),(,*(?:\*|#\+))")
_CELL = re.compile(r"[^|]+")
_COOKIE = re.compile(r"\[(?:\d*/\d*|\d*%)\]")
_IDENTIFIERS: MappingProxyType[str, AnchorKind] = MappingProxyType({"id": "id", "custom_id": "custom_id"})
_NAMES = frozenset({"name", "tblname"})
# Their addresses are templates, or say what the note is about: neither is a link from this note to another.
_NO_LINKS = frozenset({"link", "setupfile", "roam_key", "roam_refs"})


@dataclass
class Compiled:
    """What the lines of a section come to."""

    lines: list[str]
    """Compiled text line by line; blank where nothing is worth embedding."""
    found: Found = field(default_factory=Found)
    properties: list[tuple[str, str]] = field(default_factory=list)
    dates: list[EntryDate] = field(default_factory=list)
    """From planning and properties; those in the text are in `found`."""


def compile_section(source: OrgText, section: Section, first: int, last: int, abbreviations: Mapping[str, str]) -> Compiled:
    """Compile the lines `first`..`last` (0-based); a heading line among them is in no element and stays blank."""
    compiled = Compiled([""] * (last - first + 1))
    for element in section.elements:
        for line, text in enumerate(_element_text(source, element, compiled, abbreviations), element.first - first):
            compiled.lines[line] = text.rstrip()
    return compiled


def compile_heading(
    source: OrgText, line: int, columns: tuple[int, int], found: Found, abbreviations: Mapping[str, str]
) -> tuple[str, str]:
    """The heading as one reads it, and as Org writes it in `[[*...]]`: both without statistics cookies like `[1/3]`.

    A `<<target>>` is not read; only where it is all there is, its name is what the heading is called.
    """
    start = source.index.char_starts[line]
    first, end = start + columns[0], start + columns[1]
    written = source.text[first:end]
    read = _without_cookies(reduce(source, first, end, found, abbreviations, targets=False))
    if not read:
        read = _without_cookies(reduce(source, first, end, Found(), abbreviations))
    return read, _without_cookies(re.sub(r"\[\[[^\]\[]+\]\[([^\]\[]+)\]\]", r"\1", written))


def identifier_anchors(properties: Iterable[tuple[str, str]], first_line: Span) -> Iterator[Anchor]:
    """Anchors of ID and CUSTOM_ID; their place is the entry's first line, where a jump to them should land."""
    for name, value in properties:
        kind = _IDENTIFIERS.get(name.lower())
        if kind and value:
            yield Anchor(kind, value, first_line)


def _element_text(source: OrgText, element: Element, compiled: Compiled, abbreviations: Mapping[str, str]) -> list[str]:
    lines = source.lines[element.first : element.last + 1]
    if element.kind == "prose":
        start = source.index.char_starts[element.first] + element.column
        end = source.index.char_starts[element.last] + len(lines[-1])
        return _BREAK.split(reduce(source, start, end, compiled.found, abbreviations))
    if element.kind == "code":
        return [_ESCAPED.sub(r"\1\2", line, count=1) if "," in line else line for line in lines]
    if element.kind == "fixed":
        return [lines[0][element.column :]]
    if element.kind == "row":
        return [_row(source, element.first, compiled.found, abbreviations)]
    _take_fact(source, element, compiled, abbreviations)
    return []


def _row(source: OrgText, line: int, found: Found, abbreviations: Mapping[str, str]) -> str:
    start = source.index.char_starts[line]
    text = source.lines[line]
    pieces, at = [], 0
    for cell in _CELL.finditer(text):
        begin, end = cell.span()
        pieces += [text[at:begin], reduce(source, start + begin, start + end, found, abbreviations)]
        at = end
    return "".join([*pieces, text[at:]])


def _take_fact(source: OrgText, element: Element, compiled: Compiled, abbreviations: Mapping[str, str]) -> None:
    line = element.first
    if element.kind == "planning":
        compiled.dates += planning_dates(source.lines[line])
        return
    start = source.index.char_starts[line]
    if element.kind == "footnote":
        compiled.found.anchors.append(
            Anchor("footnote", element.name, source.index.span_of_chars(start, start + element.column))
        )
        return
    name = element.name.lower()
    if element.kind == "property":
        compiled.properties.append((element.name, element.value))
        if date := named_date(element.name, element.value):
            compiled.dates.append(date)
    elif name in _NAMES and element.value:
        end = start + len(source.lines[line])
        compiled.found.anchors.append(Anchor("target", element.value, source.index.span_of_chars(start, end)))
    if element.value and name not in _NO_LINKS and (element.kind == "property" or "[[" in element.value):
        aside = Found()
        start += element.column
        reduce(source, start, start + len(element.value), aside, abbreviations)
        compiled.found.links += aside.links


def _without_cookies(title: str) -> str:
    return " ".join(_COOKIE.sub(" ", title).split())
