"""Tags: where each is written - in text, on Org headings, in the fields of a note - and all the places with one.

The parser says which tags there are; here the place of each is looked for in the source.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from khoj_ls.core.types import Link, ParsedFile, Span
from khoj_ls.links.conventions import PLAIN, Conventions
from khoj_ls.links.text import fold
from khoj_ls.search.words import phrase, words
from khoj_ls.store import navigation as store

_ON_HEADING = re.compile(r"\*+[ \t][^\r\n]*?[ \t](:[\w@#%:]+:)[ \t]*(?=[\r\n]|$)")
_FILETAGS = re.compile(r"^#\+(?:filetags|roam_tags):[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_HEAD = re.compile(r"(---|\+\+\+)[ \t]*\r?\n(.*?)^(?:\1|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_HEAD_TAGS = re.compile(
    r"^[\"']?tags?[\"']?[ \t]*[:=][ \t]*([^\r\n]*(?:\r?\n(?:[ \t]+\S|-[ \t])[^\r\n]*)*)", re.IGNORECASE | re.MULTILINE
)
_FIELD_TAGS = re.compile(
    # Fenced code goes by as a whole.
    r"^[ \t]*(?:[-*+][ \t]+)?(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*\r?$|\Z)"
    r"|^[ \t]*(?:[-*+][ \t]+)?(?:\*\*|__)?tags?(?:\*\*|__)?::[ \t]+(?P<tags>\S[^\r\n]*)",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_BULLET = re.compile(r"^[ \t]*-[ \t]+", re.MULTILINE)
_HELD = r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|\[\[[^\[\]\n]+\]\]"
_BY_COMMA = re.compile(_HELD + r"|[^\s,\[\]\"'#](?:[^,\[\]\n]*[^\s,\[\]])?")
_BY_BLANK = re.compile(_HELD + r"|[^\s,\[\]\"'#][^\s,\[\]]*")
_BY_COLON = re.compile(r"[^\s:\"]+")


@dataclass(frozen=True)
class TagPlace:
    """A tag as written: bytes [start, end), the `#` of the text and its brackets included."""

    name: str
    """Without `#`, brackets, quotes and colons."""
    start: int
    end: int


@dataclass(frozen=True)
class Tagged:
    """A place in an indexed note where a tag is written."""

    path: str
    file_id: int
    entry: int
    tag: TagPlace


def is_below(tag: str, wanted: str, conventions: Conventions = PLAIN) -> bool:
    """Whether `tag` is `wanted`, in any case, or nested in it: `project/alpha` in `project`, in Dendron `project.alpha` too."""
    given, below = fold(tag), fold(wanted)
    return given == below or given.startswith(below + "/") or (conventions.tool == "dendron" and given.startswith(below + "."))


def tags_of(parsed: ParsedFile) -> list[TagPlace]:
    """All tags that are written in a text, in source order."""
    return [
        tag
        for entry in parsed.entries
        for tag in tags_in(entry.raw, entry.span.start, entry.level, parsed.type, entry.links, entry.tags)
    ]


def tag_at(parsed: ParsedFile, offset: int) -> TagPlace | None:
    """The tag that holds the byte `offset`, or ends there."""
    return next((tag for tag in tags_of(parsed) if tag.start <= offset <= tag.end), None)


def tags_in(raw: str, start: int, level: int, type_: str, links: Iterable[Link], known: Collection[str]) -> list[TagPlace]:
    """The tags written in one entry, whose source `raw` begins at byte `start` of its note.

    `links` are those in it, `known` its tags, the note's and inherited ones among them.
    """
    found = [TagPlace(link.target, link.span.start, link.span.end) for link in links if link.kind == "tag"]
    in_text = tuple(found)
    for first, last in _org(raw, level, known) if type_ == "org" else _markdown(raw, known, in_head=start == 0):
        begin = start + len(raw[:first].encode(errors="replace"))
        end = begin + len(raw[first:last].encode(errors="replace"))
        if not any(tag.start <= begin and end <= tag.end for tag in in_text):  # `tags:: #one`
            found.append(TagPlace(raw[first:last], begin, end))
    return sorted(found, key=lambda tag: tag.start)


def tagged(connection: sqlite3.Connection, wanted: str, limit: int, conventions: Conventions = PLAIN) -> list[Tagged]:
    """The places in indexed notes with a tag or one nested in it, by path; at most `limit`."""
    expression = "{body}: " + phrase(wanted)
    rows: Sequence[store.TaggedEntry] = store.entries_tagged(connection, expression, wanted) if words(wanted) else ()
    rows = rows or store.entries_linking_tag(connection, wanted)
    links = store.tag_links(connection, {row.file_id for row in rows})
    found: list[Tagged] = []
    for row in rows:
        written = tags_in(row.raw, row.start, row.level, row.type, links.get((row.file_id, row.ordinal), ()), row.tags)
        found += [Tagged(row.path, row.file_id, row.ordinal, tag) for tag in written if is_below(tag.name, wanted, conventions)]
        if len(found) >= limit:
            break
    return found[:limit]


def tag_span(raw: str, start: int, line: int, tag: TagPlace) -> Span:
    """The span of a tag in an entry that begins at byte `start` and `line`."""
    before = raw.encode(errors="replace")[: tag.start - start]
    at = line + len(re.findall(rb"\r\n|\r|\n", before))
    return Span(tag.start, tag.end, at, at)


def _org(raw: str, level: int, known: Collection[str]) -> Iterator[tuple[int, int]]:
    areas = [*_FILETAGS.finditer(raw)]
    if level and (heading := _ON_HEADING.match(raw)):
        areas.append(heading)
    for area in areas:
        yield from _items(raw, *area.span(1), _BY_COLON, known)


def _markdown(raw: str, known: Collection[str], *, in_head: bool) -> Iterator[tuple[int, int]]:
    head = _HEAD.match(raw) if in_head else None
    if head and (field := _HEAD_TAGS.search(raw, *head.span(2))):
        # As YAML and its readers have it: one line without commas and brackets is cut at blanks.
        is_list = any(mark in field[1] for mark in ",\n[")
        yield from _items(raw, *field.span(1), _BY_COMMA if is_list else _BY_BLANK, known)
    if "::" in raw:
        for found in _FIELD_TAGS.finditer(raw, head.end() if head else 0):
            if found["tags"]:
                yield from _items(raw, *found.span("tags"), _BY_COMMA, known)


def _items(raw: str, begun: int, ended: int, pattern: re.Pattern[str], known: Collection[str]) -> Iterator[tuple[int, int]]:
    """Ranges of the items of a list, without bullets, quotes and brackets, of those that the parser knows."""
    region = _BULLET.sub(lambda found: " " * len(found[0]), raw[begun:ended])
    for found in pattern.finditer(region):
        text = found[0].rstrip()
        around = 2 if text.startswith("[[") else 1 if text[0] in "\"'" else 0
        first, last = around + (text[around : around + 1] == "#"), len(text) - around
        if text[first:last] in known:
            yield begun + found.start() + first, begun + found.start() + last
