"""Places in the notes of a vault as LSP locations.

A document that the session shows is its own text, in which a place is looked up again; of any other note the index holds the
very source that its spans count, so that link and text agree whatever happens to the file meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lsprotocol import types

from khoj_ls.core.types import Link, Span
from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.spots import places_of, same_link, same_place
from khoj_ls.graph.tags import Tagged, TagPlace, tags_of
from khoj_ls.links.anchors import Place
from khoj_ls.links.resolve import Destination
from khoj_ls.lsp.asked import Asked
from khoj_ls.lsp.positions import Positions
from khoj_ls.store import links as link_store
from khoj_ls.store import navigation as store

START = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=0, character=0))


@dataclass(frozen=True)
class Mark:
    """Something in a note that is to be shown: a link, a place, a tag, or (None) the note as a whole."""

    path: str
    what: Link | Place | TagPlace | None = None
    file_id: int | None = None
    entry: int = 0

    @property
    def place(self) -> tuple[int, int, int]:
        """First byte, end, and 1-based line (0 where it is not known)."""
        if isinstance(self.what, TagPlace):
            return self.what.start, self.what.end, 0
        return (self.what.span.start, self.what.span.end, self.what.span.line) if self.what else (0, 0, 1)


@dataclass(frozen=True)
class Located:
    """Where something is shown."""

    uri: str
    range: types.Range
    around: types.Range
    """The section it stands in, which holds `range`."""

    @property
    def location(self) -> types.Location:
        """As clients take it that know no more."""
        return types.Location(uri=self.uri, range=self.range)


def link_mark(link: ResolvedLink) -> Mark:
    """A link, where it stands."""
    return Mark(link.path, link.link, link.file_id, link.entry)


def target_mark(target: Destination) -> Mark:
    """Where a link leads."""
    return Mark(target.path, target.place, target.file_id, target.place.entry if target.place else 0)


def tag_mark(tagged: Tagged) -> Mark:
    """A tag, where it stands."""
    return Mark(tagged.path, tagged.tag, tagged.file_id, tagged.entry)


def locate(asked: Asked, network: LinkNetwork, marks: Iterable[Mark]) -> list[Located | None]:
    """Where each of `marks` is shown; None for what the session's own text does not hold any more."""
    wanted = list(marks)
    sources = _sources(network, [mark for mark in wanted if mark.path != asked.path and mark.path not in asked.opened])
    found: list[Located | None] = []
    texts: dict[str, Positions] = {asked.path: asked.positions}
    for mark in wanted:
        note = asked.opened_note(mark.path)
        if note is not None:
            if mark.path not in texts:
                texts[mark.path] = Positions(note.text, asked.codec)
            found.append(_in_text(asked.uri_of(mark.path), mark, note, texts[mark.path]))
        else:
            source = sources.get((mark.file_id, _line_key(mark)))
            found.append(_in_source(asked, mark, source))
    return found


def located(asked: Asked, network: LinkNetwork, marks: Iterable[Mark]) -> list[Located]:
    """Those that are shown somewhere, without duplicates."""
    found = {}
    for each in locate(asked, network, marks):
        if each is not None:
            found[each.uri, each.range.start.line, each.range.start.character] = each
    return list(found.values())


_Sources = dict[tuple[int | None, tuple[int, int]], tuple[Span, str]]


def _line_key(mark: Mark) -> tuple[int, int]:
    return mark.entry, mark.place[0]


def _sources(network: LinkNetwork, marks: Sequence[Mark]) -> _Sources:
    """Span and source of the entry that each mark stands in."""
    pairs = {(mark.file_id, mark.entry) for mark in marks if mark.file_id is not None and mark.what is not None}
    rows = store.sources(network.connection, [(file_id, entry) for file_id, entry in pairs if file_id is not None])
    found: _Sources = {}
    for mark in marks:
        if mark.file_id is None or mark.what is None:
            continue
        start, _, line = mark.place
        row = rows.get((mark.file_id, mark.entry))
        if line and (row is None or not row[0].start <= start <= row[0].end or not row[0].line <= line <= row[0].end_line):
            # Found by a search of the text, which does not tell the entry.
            entry = link_store.entry_at(network.connection, mark.file_id, line)
            row = store.sources(network.connection, [(mark.file_id, entry or 0)]).get((mark.file_id, entry or 0))
        if row is not None:
            found[mark.file_id, _line_key(mark)] = row
    return found


def _in_text(uri: str, mark: Mark, note: OpenNote, positions: Positions) -> Located | None:
    what = mark.what
    if what is None:
        return Located(uri, START, START)
    now: tuple[int, int] | None = None
    if isinstance(what, Link):
        link = same_link(what, note)
        now = (link.span.start, link.span.end) if link else None
    elif isinstance(what, TagPlace):
        tags = [tag for tag in tags_of(note.parsed) if tag.name == what.name]
        tag = min(tags, key=lambda each: abs(each.start - what.start), default=None)
        now = (tag.start, tag.end) if tag else None
    else:
        place = same_place(what, places_of(note.parsed)) or what
        now = (place.span.start, place.span.end)
    if now is None:
        return None
    shown = positions.range(*_without_break(note.source, *now))
    found = note.entry_at(now[0])
    around = positions.range(*_without_break(note.source, found[1].span.start, found[1].span.end)) if found else shown
    return Located(uri, shown, _holding(around, shown))


def _in_source(asked: Asked, mark: Mark, source: tuple[Span, str] | None) -> Located:
    uri = asked.uri_of(mark.path)
    if mark.what is None or source is None:
        return Located(uri, START, START)
    span, raw = source
    data = raw.encode(errors="replace")
    positions = Positions(raw, asked.codec)
    first, last, line = mark.place
    start, end = max(0, first - span.start), max(0, min(last - span.start, len(data)))
    if line and positions.position(start).line + span.line != line:  # the index holds that line, not that byte
        start = end = positions.offset(types.Position(line=max(0, line - span.line), character=0))
    shown = _moved(positions.range(*_without_break(data, start, max(start, end))), span.line - 1)
    around = _moved(positions.range(*_without_break(data, 0, len(data))), span.line - 1)
    return Located(uri, shown, _holding(around, shown))


def _without_break(data: bytes, start: int, end: int) -> tuple[int, int]:
    """The bytes without the line breaks at their end."""
    return start, start + len(data[start:end].rstrip(b"\r\n"))


def _moved(place: types.Range, lines: int) -> types.Range:
    return types.Range(
        start=types.Position(line=place.start.line + lines, character=place.start.character),
        end=types.Position(line=place.end.line + lines, character=place.end.character),
    )


def _holding(around: types.Range, shown: types.Range) -> types.Range:
    """`around`, unless it does not hold `shown`: then that (LSP 3.17, LocationLink.targetRange)."""

    def key(position: types.Position) -> tuple[int, int]:
        return position.line, position.character

    return around if key(around.start) <= key(shown.start) and key(shown.end) <= key(around.end) else shown
