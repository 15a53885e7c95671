"""Where a note's own names are written: its title, aliases, headings and ids, to the byte (tags: `tags`).

The parser says which names a note has; here the place of each is looked for in the source, so that it can be renamed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from khoj_ls.content.markdown_fields import block_id, custom_id, heading_state
from khoj_ls.core.text import LineIndex
from khoj_ls.graph.open_note import OpenNote

DefinitionKind = Literal["title", "alias", "heading", "block", "custom_id", "id", "target", "footnote"]

_HEAD = re.compile(r"\ufeff?(---|\+\+\+)[ \t]*\r?\n.*?^(?:\1|\.\.\.)[ \t]*$", re.S | re.M)
_FIELD = re.compile(
    r"^[\"']?(?P<name>[A-Za-z_]+)[\"']?[ \t]*[:=](?P<value>[ \t].*|)$(?P<below>(?:\r?\n(?:[ \t]+\S|-[ \t]).*)*)", re.M
)
_PAGE = re.compile(r"^[ \t]*(?:[-*+][ \t]+)?(?P<name>[A-Za-z_]+)::[ \t]+(?P<value>\S.*)$", re.M)
_KEYWORD = re.compile(r"^[ \t]*(?:#\+|:)(?P<name>[A-Za-z_]+)\+?:(?P<value>[ \t].*)$", re.M)
_ATX = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*#{1,6}[ \t]+")
_BEFORE_TEXT = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*")
_CLOSING = re.compile(r"[ \t]+#+[ \t]*$|[ \t]+$")
_LAST_TAGS = re.compile(r"(?:(?:^|[ \t]+)#[^\s#]+)+$")
_STARS = re.compile(r"\*+[ \t]+")
_ORG_PRIORITY = re.compile(r"[ \t]*\[#(?:[A-Za-z0-9]|\d\d)\][ \t]*")
_ORG_TAGS = re.compile(r"[ \t]+:[\w@#%:]+:[ \t]*$")
_COOKIES = re.compile(r"(?:[ \t]*\[(?:\d*/\d*|\d*%)\])+[ \t]*$")
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|\[\[[^\[\]\n]+\]\]"
_BY_COMMA = re.compile(_QUOTED + r"|[^\s,\[\]\"'#](?:[^,\[\]\n]*[^\s,\[\]])?")
_BY_BLANK = re.compile(_QUOTED + r"|[^\s,\[\]\"'#][^\s,\[\]]*")
_BULLET = re.compile(r"^[ \t]*-[ \t]+", re.M)
_FIELDS: MappingProxyType[str, DefinitionKind] = MappingProxyType(
    {
        "title": "title",
        "alias": "alias",
        "aliases": "alias",
        "roam_alias": "alias",
        "roam_aliases": "alias",
    }
)
_IDS: tuple[tuple[DefinitionKind, re.Pattern[str]], ...] = (
    ("block", re.compile(r"(?:^|(?<=\s))\^([A-Za-z0-9-]+)[ \t]*$", re.M)),
    ("custom_id", re.compile(r"\{#([^\s{}]+)[^{}\n]*\}[ \t]*$|^[ \t]*:CUSTOM_ID:[ \t]+(\S+)[ \t]*$", re.M | re.I)),
    ("custom_id", re.compile(r"<\w+[^<>\n]*?\b(?:id|name)=[\"']?([^\"'\s<>]+)", re.I)),
    ("id", re.compile(r"^[ \t]*:ID:[ \t]+(\S+)[ \t]*$|^[ \t]*(?:[-*+][ \t]+)?id::[ \t]+(\S+)[ \t]*$", re.M | re.I)),
    ("target", re.compile(r"<<<?([^<>\s](?:[^<>\r\n]*[^<>\s])?)>>>?")),
    ("footnote", re.compile(r"^[ \t>]*\[\^([^\]\[\s]+)\]:|^\[fn:([\w-]+)\]", re.M)),
)
_HEAD_ID = re.compile(r"^id:[ \t]+[\"']?([^\s\"']+)[\"']?[ \t]*$", re.M)


@dataclass(frozen=True)
class Definition:
    """One name of a note, or of a place in it, where it is given."""

    kind: DefinitionKind
    start: int
    end: int
    """Bytes [start, end) of the name alone, without quotes, marks and brackets."""
    text: str
    """As it stands there."""
    line: int
    """1-based."""
    quote: str = ""
    """The quotation mark around it."""


def definitions(note: OpenNote) -> tuple[Definition, ...]:
    """The names that are given in `note`, in source order; a heading that is the title is a heading."""
    source = _Source(note)
    found = {*source.fields(), *source.headings(), *source.ids()}
    return tuple(sorted(found, key=lambda each: (each.start, each.end)))


def definition_at(note: OpenNote, offset: int) -> Definition | None:
    """What is named at the byte `offset`: the name that holds it, else the heading on whose line it is."""
    found = definitions(note)
    inside = [each for each in found if each.start <= offset <= each.end]
    if inside:
        return min(inside, key=lambda each: each.end - each.start)
    line = note.source.count(b"\n", 0, offset) + 1
    return next((each for each in found if each.kind == "heading" and each.line == line), None)


def title_definitions(note: OpenNote) -> tuple[Definition, ...]:
    """Where the note's title is written: in its fields, and as a first heading of that text."""
    title = note.parsed.title
    if not title:
        return ()
    found = definitions(note)
    named = [each for each in found if each.kind == "title"]
    first = next((each for each in found if each.kind == "heading"), None)
    head = next((entry for entry in note.parsed.entries if entry.level), None)
    if first and head and head.level == 1 and first.line == head.span.line and title in (head.heading, first.text):
        named.append(first)
    return tuple(named)


class _Source:
    """A note's text with its lines, searched for names."""

    def __init__(self, note: OpenNote) -> None:
        self.parsed, self.text = note.parsed, note.text
        self.is_org = note.parsed.type == "org"
        self.index = LineIndex(note.text)
        head = None if self.is_org else _HEAD.match(note.text)
        self.head_end = head.end() if head else 0

    def found(self, kind: DefinitionKind, start: int, end: int, quote: str = "") -> Definition:
        index = self.index
        line = index.line_of_char(start)
        return Definition(kind, index.byte_of_char(start), index.byte_of_char(end), self.text[start:end], line, quote)

    # -- title, aliases -----------------------------------------------------------------------------------------------

    def fields(self) -> Iterator[Definition]:
        for name, start, end in self.field_ranges():
            kind = _FIELDS.get(name)
            if kind == "title":
                yield from self.whole(start, end)
            elif kind == "alias":
                yield from self.items(kind, start, end, _BY_BLANK if self.is_org else _BY_COMMA, self.parsed.aliases)

    def field_ranges(self) -> Iterator[tuple[str, int, int]]:
        """Name and range of the value, in characters, of every field that may name something."""
        for found in _FIELD.finditer(self.text, 0, self.head_end):
            yield found["name"].lower(), found.start("value"), found.end("below")
        entries = self.parsed.entries
        for found in (_KEYWORD if self.is_org else _PAGE).finditer(self.text, self.head_end):
            name = found["name"].lower()
            is_top = entries and self.index.line_of_char(found.start("name")) <= entries[0].span.end_line
            if self.is_org or is_top:
                yield name, found.start("value"), found.end("value")

    def whole(self, start: int, end: int) -> Iterator[Definition]:
        """The value of a field of one line, without quotation marks."""
        text = self.text[start:end].split("\n")[0]
        begin = start + len(text) - len(text.lstrip())
        text = text.strip()
        quote = text[0] if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] else ""
        if not quote and not self.is_org and text.startswith(("|", ">", "&", "*", "[", "{")):
            return
        if len(text) > 2 * len(quote):
            yield self.found("title", begin + len(quote), begin + len(text) - len(quote), quote)

    def items(
        self, kind: DefinitionKind, start: int, end: int, pattern: re.Pattern[str], known: Collection[str]
    ) -> Iterator[Definition]:
        """The items of a list, of those that the parser knows."""
        region = _BULLET.sub(lambda found: " " * len(found[0]), self.text[start:end])
        for found in pattern.finditer(region):
            text = found[0].rstrip()
            quote = text[0] if text[0] in "\"'" else ""
            inside = 2 if text.startswith("[[") else len(quote)
            name = text[inside : len(text) - inside]
            if name and name in known:
                at = start + found.start() + inside
                yield self.found(kind, at, at + len(name), quote)

    # -- places --------------------------------------------------------------------------------------------------------

    def headings(self) -> Iterator[Definition]:
        lines = {
            anchor.span.line: entry.todo
            for entry in self.parsed.entries
            for anchor in entry.anchors
            if anchor.kind == "heading"
        }
        for number, todo in lines.items():
            line = self.index.lines[number - 1].rstrip("\r\n")
            begin, end = _org_heading(line, todo) if self.is_org else _markdown_heading(line)
            if begin < end:
                start = self.index.char_starts[number - 1]
                yield self.found("heading", start + begin, start + end)

    def ids(self) -> Iterator[Definition]:
        known = {(anchor.kind, anchor.name) for entry in self.parsed.entries for anchor in entry.anchors}
        for kind, pattern in _IDS:
            for found in pattern.finditer(self.text):
                group = 1 if found[1] else 2
                if (kind, found[group]) in known:
                    yield self.found(kind, *found.span(group))
        identity = _HEAD_ID.search(self.text, 0, self.head_end)
        if identity and ("id", identity[1]) in known:
            yield self.found("id", *identity.span(1))


def _markdown_heading(line: str) -> tuple[int, int]:
    """Columns of a heading's text: without marks, task state, id and the tags at its end."""
    mark = _ATX.match(line)
    mark = mark or _BEFORE_TEXT.match(line)
    begin = mark.end() if mark else 0
    closing = _CLOSING.search(line, begin)
    end = closing.start() if closing else len(line)
    for named in (custom_id(line, begin, end), block_id(line, begin, end)):
        end = max(begin, named[1]) if named else end
    rest = heading_state(line[begin:end])[2]
    begin = end - len(rest) if line[begin:end].endswith(rest) else begin
    end = begin + len(line[begin:end].rstrip())
    tags = _LAST_TAGS.search(line[begin:end])
    return _stripped(line, begin, begin + tags.start() if tags and tags.start() else end)


def _org_heading(line: str, todo: str | None) -> tuple[int, int]:
    """Columns of a heading's title: without stars, task state, priority, tags and the cookies at its end."""
    stars = _STARS.match(line)
    begin = stars.end() if stars else 0
    tags = _ORG_TAGS.search(line, begin)
    end = tags.start() if tags else len(line)
    if todo and line[begin : begin + len(todo) + 1].strip() == todo:
        begin += len(todo)
    if priority := _ORG_PRIORITY.match(line, begin, end):
        begin = priority.end()
    if cookies := _COOKIES.search(line[:end], begin):
        end = cookies.start()
    return _stripped(line, begin, end)


def _stripped(line: str, begin: int, end: int) -> tuple[int, int]:
    text = line[begin:end]
    start = begin + len(text) - len(text.lstrip())
    return start, max(start, begin + len(text.rstrip()))
