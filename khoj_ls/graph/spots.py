"""What stands at a place of a note: a link, a tag, a heading or another address, the note's own title, or text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from khoj_ls.core.text import LineIndex
from khoj_ls.core.types import Anchor, Entry, Link, ParsedFile
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.tags import TagPlace, tag_at
from khoj_ls.links.anchors import NotePlaces, Place

_DEFINES = r"(?:\^|<<<?|::?[ \t]*|\{#|=[\"']?|:[ \t]+|\[fn:)"
"""What stands before an address where it is given: `^id`, `<<target>>`, `:ID: id`, `id:: id`, `{#id}`, `id="id"`."""
_TITLE_LINE = re.compile(r"(?:title|\#\+title)[ \t]*[:=]", re.IGNORECASE)


@dataclass(frozen=True)
class LinkSpot:
    """A link, of any kind but a tag."""

    start: int
    end: int
    link: Link


@dataclass(frozen=True)
class TagSpot:
    """A tag: in the text, on an Org heading, among the note's own."""

    start: int
    end: int
    tag: TagPlace


@dataclass(frozen=True)
class PlaceSpot:
    """A place that links lead to: a heading's line, or where an id, a block, a target or a footnote is given its name."""

    start: int
    end: int
    place: Place


@dataclass(frozen=True)
class NoteSpot:
    """The note as a whole: its title, or whatever its first line holds."""

    start: int
    end: int
    place: Place | None = None
    """The heading that is the title, which links within the note may lead to."""


@dataclass(frozen=True)
class TextSpot:
    """Anything else, within an entry."""

    start: int
    end: int
    entry: int


Spot = LinkSpot | TagSpot | PlaceSpot | NoteSpot | TextSpot


def spot_at(note: OpenNote, offset: int) -> Spot | None:
    """What stands at the byte `offset` (or ends there); None where nothing is read from the text."""
    tag = tag_at(note.parsed, offset)
    link = note.link_at(offset)
    if tag is not None and (link is None or link.kind == "tag"):
        return TagSpot(tag.start, tag.end, tag)
    if link is not None:
        return LinkSpot(link.span.start, link.span.end, link)
    found = note.entry_at(offset)
    if found is None:
        return None
    ordinal, entry = found
    start, end, line = _line_at(entry, offset)
    if (named := _named_at(entry, ordinal, start, line, offset)) is not None:
        return named
    heading = heading_place(entry, ordinal) if start == entry.span.start else None
    if heading is not None:
        # The title, also where front matter tells it as well.
        return NoteSpot(start, end, heading) if is_title_heading(note.parsed, ordinal) else PlaceSpot(start, end, heading)
    if _is_title(note.parsed, entry, start, line) or start == 0:
        return NoteSpot(start, end)
    return TextSpot(start, end, ordinal)


def places_of(parsed: ParsedFile) -> NotePlaces:
    """All places of a parsed text that links may lead to."""
    return NotePlaces(
        _place(anchor, ordinal, entry) for ordinal, entry in enumerate(parsed.entries) for anchor in entry.anchors
    )


def heading_place(entry: Entry, ordinal: int) -> Place | None:
    """The place that an entry's heading makes; None for text before any heading."""
    return next((_place(anchor, ordinal, entry) for anchor in entry.anchors if anchor.kind == "heading"), None)


def heading_end(entry: Entry) -> int:
    """Byte offset behind the heading's line, line break excluded."""
    return entry.span.start + len(_first_line(entry.raw).encode(errors="replace"))


def is_title_heading(parsed: ParsedFile, ordinal: int) -> bool:
    """Whether the entry's heading is what the note is called: its first heading, by the same words as its title."""
    entry = parsed.entries[ordinal]
    first = next((at for at, each in enumerate(parsed.entries) if each.level), None)
    return first == ordinal and entry.level == 1 and bool(entry.heading) and entry.heading == parsed.title


def title_span(parsed: ParsedFile) -> tuple[int, int]:
    """Byte range of the line that tells the note's title; of its first line when none does."""
    for ordinal, entry in enumerate(parsed.entries[:2]):
        if is_title_heading(parsed, ordinal):
            return entry.span.start, heading_end(entry)
        index = LineIndex(entry.raw)
        for number, line in enumerate(index.lines):
            start = entry.span.start + index.byte_starts[number]
            if _is_title(parsed, entry, start, line):
                return start, start + len(line.rstrip("\r\n").encode(errors="replace"))
    first = _first_line(parsed.entries[0].raw) if parsed.entries and parsed.entries[0].span.start == 0 else ""
    return 0, len(first.encode(errors="replace"))


def same_place(place: Place, places: NotePlaces) -> Place | None:
    """The place of this kind and name in another state of the same note, the nearest of several."""
    same = [each for each in places.all if (each.kind, each.name) == (place.kind, place.name)]
    return min(same, key=lambda each: abs(each.span.start - place.span.start), default=None)


def same_link(link: Link, note: OpenNote) -> Link | None:
    """This link in another state of the same note, the nearest of several."""
    same = [each for each in note.links if (each.kind, each.target, each.label) == (link.kind, link.target, link.label)]
    return min(same, key=lambda each: abs(each.span.start - link.span.start), default=None)


def only(parsed: ParsedFile, link: Link) -> ParsedFile:
    """The text with no link but one: what is to be resolved when only one is asked about."""
    entries = (
        replace(entry, links=(link,) if link in entry.links else ()) if entry.links else entry for entry in parsed.entries
    )
    return replace(parsed, entries=tuple(entries))


def _named_at(entry: Entry, ordinal: int, start: int, line: str, offset: int) -> PlaceSpot | None:
    """The address that is given its name at `offset` of the line that begins at byte `start`."""
    for anchor in entry.anchors:
        if anchor.kind == "heading":
            continue
        for first, last in _occurrences(anchor.name, line):
            if start + first <= offset <= start + last:
                return PlaceSpot(start + first, start + last, _place(anchor, ordinal, entry))
    return None


def _occurrences(name: str, line: str) -> Iterator[tuple[int, int]]:
    """Byte ranges in `line` in which an address is called `name`."""
    if name not in line:
        return
    for found in re.finditer(_DEFINES + "(" + re.escape(name) + r")(?![\w-])", line):
        yield len(line[: found.start(1)].encode(errors="replace")), len(line[: found.end(1)].encode(errors="replace"))


def _is_title(parsed: ParsedFile, entry: Entry, start: int, line: str) -> bool:
    """Whether a line is the `title:` of front matter or `#+title:`."""
    if not parsed.title or not _TITLE_LINE.match(line):
        return False
    before = entry.raw.encode(errors="replace")[: start - entry.span.start]
    return entry.span.start == 0 and (line.startswith("#") or before.startswith((b"---", b"+++")))


def _line_at(entry: Entry, offset: int) -> tuple[int, int, str]:
    """Byte range without its line break, and text, of the line of an entry that holds `offset`."""
    source = entry.raw.encode(errors="replace")
    at = min(offset - entry.span.start, len(source))
    # Of CR LF only the first half can stand before a place.
    start = max(source.rfind(b"\n", 0, at), source.rfind(b"\r", 0, at)) + 1
    line = _first_line(source[start:].decode(errors="replace"))
    return entry.span.start + start, entry.span.start + start + len(line.encode(errors="replace")), line


def _first_line(text: str) -> str:
    return re.split(r"[\r\n]", text, maxsplit=1)[0]


def _place(anchor: Anchor, ordinal: int, entry: Entry) -> Place:
    return Place(anchor.kind, anchor.name, anchor.span, ordinal, entry.level)
