"""The links that lead to a note and to each place in it, as its text stands now, which may be newer than the index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from khoj_ls.core.types import Link
from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.spots import only, places_of
from khoj_ls.links.anchors import NotePlaces, Place, find_places
from khoj_ls.links.resolve import Destination
from khoj_ls.links.target import Fragment, read_target
from khoj_ls.links.text import fold
from khoj_ls.store import links as store

Opened = Callable[[str], OpenNote | None]
"""The note at a path as the asking session shows it; None where that is what the index holds."""


@dataclass(frozen=True)
class Incoming:
    """A link that leads into a note."""

    link: ResolvedLink
    place: Place | None
    """The place in the note's text that it means; None for the note as a whole."""


def resolve_link(network: LinkNetwork, note: OpenNote, link: Link) -> ResolvedLink:
    """Where one link of a text leads."""
    return network.links_in(note.path, only(note.parsed, link))[0]


def incoming(network: LinkNetwork, note: OpenNote, most: int | None = None) -> list[Incoming]:
    """The links to a note from others (`most` are looked at), and those within it that lead to a place, in order."""
    known = store.file_at(network.connection, note.path)
    places = places_of(note.parsed)
    found = [
        Incoming(link, _meant(link, places, note.text)) for link in (network.leading(known[0], most=most) if known else ())
    ]
    for link in network.links_in(note.path, note.parsed):
        target = link.resolution.target
        if target is not None and target.path == note.path and target.place is not None:
            found.append(Incoming(link, target.place))
    return sorted(found, key=lambda each: (each.link.path, each.link.link.span.start))


def leading_to(links: Iterable[Incoming], place: Place | None) -> list[ResolvedLink]:
    """Those that mean a place, by whatever name of it; without one, those from other notes."""
    if place is None:
        return [each.link for each in links if not _is_own(each)]
    return [each.link for each in links if each.place is not None and each.place.span.start == place.span.start]


def counts(links: Iterable[Incoming]) -> Mapping[int, int]:
    """How many links lead to each place, by the byte where the place begins."""
    found: dict[int, int] = {}
    for each in links:
        if each.place is not None:
            found[each.place.span.start] = found.get(each.place.span.start, 0) + 1
    return found


def links_to(network: LinkNetwork, destination: Destination, opened: Opened, most: int | None = None) -> list[ResolvedLink]:
    """The links to a note, to a place in it, or to a file that is no note; of a note not open here, `most` are looked at."""
    note = opened(destination.path)
    if note is not None:
        links = incoming(network, note)
        return leading_to(links, destination.place)
    if destination.file_id is not None:
        return network.leading(destination.file_id, destination.place, most)
    return _links_to_file(network, destination.path)


def links_alike(network: LinkNetwork, link: Link, type_: str) -> list[ResolvedLink]:
    """The links of all notes that name the same missing note."""
    wanted = read_target(link.kind, link.target, type_)
    if wanted.key is None:
        return []
    rows = store.links_with_keys(network.connection, [wanted.key])
    return [
        found
        for found in _resolved(network, rows)
        if found.resolution.state == "broken" and fold(found.target.note) == fold(wanted.note)
    ]


def _links_to_file(network: LinkNetwork, path: str) -> list[ResolvedLink]:
    key = read_target("wikilink", path, "markdown").key
    rows = store.links_with_keys(network.connection, [key]) if key else []
    return [found for found in _resolved(network, rows) if any(target.path == path for target in found.resolution.targets)]


def _resolved(network: LinkNetwork, rows: Iterable[store.LinkRow]) -> list[ResolvedLink]:
    return [
        ResolvedLink(
            row.path,
            row.file_id,
            row.entry,
            row.link,
            read_target(row.link.kind, row.link.target, row.type),
            network.resolve(row.path, row.link.kind, row.link.target, row.type),
        )
        for row in rows
    ]


def _meant(link: ResolvedLink, places: NotePlaces, text: str) -> Place | None:
    target = link.target
    if target.scheme == "id":
        named = find_places(Fragment("custom_id", target.note), places)
        return next((place for place in named if place.kind != "heading"), None)
    if target.fragment is None:
        return None
    return next(iter(find_places(target.fragment, places, lambda: text)), None)


def _is_own(each: Incoming) -> bool:
    return each.place is not None and any(target.path == each.link.path for target in each.link.resolution.targets)
