"""Where tags are written: in the text, on Org headings, in front matter and `#+filetags:`; and all places with a tag."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from khoj_ls.core.types import Link, ParsedFile, Span
from khoj_ls.links.text import fold
from khoj_ls.search.words import phrase, words
from khoj_ls.store import navigation as store

_ON_HEADING = re.compile(r"\*+[ \t][^\r\n]*?[ \t](:[\w@#%:]+:)[ \t]*(?=[\r\n]|$)")
_FILETAGS = re.compile(r"^#\+(?:filetags|roam_tags):[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_ORG_TAG = re.compile(r"[^\s:\"]+")
_HEAD = re.compile(r"(---|\+\+\+)[ \t]*\r?\n(.*?)^(?:\1|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_HEAD_TAGS = re.compile(r"^tags?[ \t]*[:=][ \t]*([^\r\n]*(?:\r?\n(?:[ \t]+|-[ \t])[^\r\n]*)*)", re.IGNORECASE | re.MULTILINE)
_HEAD_TAG = re.compile(r"#?([^\s,\[\]\"'#][^\s,\[\]\"']*)")
_HEAD_ITEM = re.compile(r"(?:^|(?<=\n))[ \t]*-[ \t]")


@dataclass(frozen=True)
class TagPlace:
    """A tag as written: bytes [start, end), the `#` of the text included."""

    name: str
    """Without `#` and colons."""
    start: int
    end: int


@dataclass(frozen=True)
class Tagged:
    """A place in an indexed note where a tag is written."""

    path: str
    file_id: int
    entry: int
    tag: TagPlace


def is_below(tag: str, wanted: str) -> bool:
    """Whether `tag` is `wanted` or nested in it (`project/alpha` in `project`), in any case."""
    return fold(tag) == fold(wanted) or fold(tag).startswith(fold(wanted) + "/")


def tags_of(parsed: ParsedFile) -> list[TagPlace]:
    """All tags that are written in a text, in source order."""
    return [
        tag for entry in parsed.entries for tag in tags_in(entry.raw, entry.span.start, entry.level, parsed.type, entry.links)
    ]


def tags_in(raw: str, start: int, level: int, type_: str, links: Iterable[Link]) -> list[TagPlace]:
    """The tags written in one entry, whose source `raw` begins at byte `start` of its note; `links` are those in it."""
    found = [TagPlace(link.target, link.span.start, link.span.end) for link in links if link.kind == "tag"]
    spans = list(_org(raw, level) if type_ == "org" else _front_matter(raw) if start == 0 else ())
    for name, first, last in spans:
        begin = start + len(raw[:first].encode(errors="replace"))
        found.append(TagPlace(name, begin, begin + len(raw[first:last].encode(errors="replace"))))
    return sorted(set(found), key=lambda tag: tag.start)


def tagged(connection: sqlite3.Connection, wanted: str, limit: int) -> list[Tagged]:
    """The places in indexed notes with a tag or one nested in it, by path; at most `limit`."""
    expression = "{body}: " + phrase(wanted)
    rows: Sequence[store.TaggedEntry] = store.entries_tagged(connection, expression, wanted) if words(wanted) else ()
    rows = rows or store.entries_linking_tag(connection, wanted)
    links = store.tag_links(connection, {row.file_id for row in rows})
    found: list[Tagged] = []
    for row in rows:
        written = tags_in(row.raw, row.start, row.level, row.type, links.get((row.file_id, row.ordinal), ()))
        found += [Tagged(row.path, row.file_id, row.ordinal, tag) for tag in written if is_below(tag.name, wanted)]
        if len(found) >= limit:
            break
    return found[:limit]


def tag_span(raw: str, start: int, line: int, tag: TagPlace) -> Span:
    """The span of a tag in an entry that begins at byte `start` and `line`."""
    before = raw.encode(errors="replace")[: tag.start - start]
    at = line + len(re.findall(rb"\r\n|\r|\n", before))
    return Span(tag.start, tag.end, at, at)


def _org(raw: str, level: int) -> Iterator[tuple[str, int, int]]:
    areas = [_ON_HEADING.match(raw)] if level else list(_FILETAGS.finditer(raw))
    for area in areas:
        for found in _ORG_TAG.finditer(raw, *area.span(1)) if area else ():
            yield found[0], *found.span()


def _front_matter(raw: str) -> Iterator[tuple[str, int, int]]:
    head = _HEAD.match(raw)
    field = _HEAD_TAGS.search(raw, *head.span(2)) if head else None
    if field is None:
        return
    begun, ended = field.span(1)
    items = [(match.end(), re.compile(r"[^\r\n]*").match(raw, match.end())) for match in _HEAD_ITEM.finditer(raw, begun, ended)]
    areas = [(at, line.end()) for at, line in items if line] or [(begun, ended)]
    for first, last in areas:
        for found in _HEAD_TAG.finditer(raw, first, last):
            yield found[1], *found.span(1)
