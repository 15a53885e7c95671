"""The places of a note that a link may name, each with the words a person knows it by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from khoj_ls.core.types import AnchorKind
from khoj_ls.graph.name_rows import first_words
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.links.anchors import Place
from khoj_ls.store.links import file_at, source_text


@dataclass(frozen=True)
class NotePlace:
    """A place in a note."""

    kind: AnchorKind
    name: str
    text: str
    """Heading, or the first words of the block."""
    line: int
    level: int = 0
    above: tuple[str, ...] = ()
    """Headings it stands under, outermost first."""
    start: int = 0


def places_in(network: LinkNetwork, note: OpenNote, path: str) -> list[NotePlace]:
    """All places of the note at `path`: from `note` where that is its own, else as the index has them."""
    if path == note.path:
        found = [
            Place(anchor.kind, anchor.name, anchor.span, ordinal, entry.level)
            for ordinal, entry in enumerate(note.parsed.entries)
            for anchor in entry.anchors
        ]
        return _told(found, note.source)
    known = file_at(network.connection, path)
    if known is None:
        return []
    return _told(network.places(known[0]).all, source_text(network.connection, known[0]).encode(errors="replace"))


def _told(places: Iterable[Place], source: bytes) -> list[NotePlace]:
    found: list[NotePlace] = []
    above: list[tuple[int, str]] = []
    for place in places:
        if place.kind == "heading":
            if found and found[-1].kind == "heading" and found[-1].start == place.span.start:
                continue  # Org: the heading as read, and as written
            above = [each for each in above if each[0] < place.level]
            headings = tuple(name for _, name in above)
            found.append(NotePlace("heading", place.name, place.name, place.span.line, place.level, headings, place.span.start))
            above.append((place.level, place.name))
        elif place.kind != "footnote":
            raw = source[place.span.start : place.span.start + 400].decode(errors="ignore")
            titled = found[-1].text if found and found[-1].start == place.span.start else ""
            told = titled or first_words(raw)
            found.append(NotePlace(place.kind, place.name, told, place.span.line, place.level, (), place.span.start))
    return found
