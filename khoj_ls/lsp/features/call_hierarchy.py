"""Call hierarchy of notes: incoming calls are the links to a note or heading, outgoing calls are the links in it.

An item is found again by its URI and the beginning of its selection, so that it holds after edits and needs no data.
"""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.preview import display_titles
from khoj_ls.graph.spots import LinkSpot, NoteSpot, PlaceSpot, Spot, TagSpot, TextSpot, heading_place, spot_at
from khoj_ls.links.anchors import Place
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.leading import meant, referring
from khoj_ls.lsp.locations import Mark, locate, target_mark
from khoj_ls.lsp.server import KhojServer
from khoj_ls.store import links as store
from khoj_ls.store.fts import display_title

_NO_CALLS = ("tag", "footnote", "url")


def register(server: KhojServer) -> None:
    """Serve the call hierarchy."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    async def prepare(params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem] | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        return await server.answer(
            lambda job: about.vault.links(lambda network: _prepare(about, network, about.offset(params.position))) or None
        )

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    async def incoming_calls(params: types.CallHierarchyIncomingCallsParams) -> list[types.CallHierarchyIncomingCall] | None:
        about = asked(server, params.item.uri)
        if about is None:
            return None
        return await server.answer(lambda job: about.vault.links(lambda network: _incoming(about, network, params.item)))

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    async def outgoing_calls(params: types.CallHierarchyOutgoingCallsParams) -> list[types.CallHierarchyOutgoingCall] | None:
        about = asked(server, params.item.uri)
        if about is None:
            return None
        return await server.answer(lambda job: about.vault.links(lambda network: _outgoing(about, network, params.item)))


def _prepare(about: Asked, network: LinkNetwork, offset: int) -> list[types.CallHierarchyItem]:
    spot = spot_at(about.note, offset)
    if isinstance(spot, LinkSpot | TagSpot) and (targets := meant(about, network, spot).targets):
        return _items(about, network, [target_mark(target) for target in targets])
    found = _spot_of_item(about, offset)
    mark = Mark(about.path, found.place) if isinstance(found, PlaceSpot) else Mark(about.path)
    return _items(about, network, [mark])


def _incoming(about: Asked, network: LinkNetwork, item: types.CallHierarchyItem) -> list[types.CallHierarchyIncomingCall]:
    marks = referring(about, network, _spot_of_item(about, about.offset(item.selection_range.start)))
    groups: dict[Mark, list[types.Range]] = {}
    for mark, place in zip(marks, locate(about, network, marks), strict=True):
        if place is not None:
            groups.setdefault(_section(about, network, mark), []).append(place.range)
    items = _items(about, network, groups)
    return [
        types.CallHierarchyIncomingCall(from_=caller, from_ranges=ranges)
        for caller, ranges in zip(items, groups.values(), strict=True)
    ]


def _outgoing(about: Asked, network: LinkNetwork, item: types.CallHierarchyItem) -> list[types.CallHierarchyOutgoingCall]:
    spot = _spot_of_item(about, about.offset(item.selection_range.start))
    groups: dict[Mark, list[types.Range]] = {}
    for link in _links_below(about, network, spot):
        ranges = about.positions.range(link.link.span.start, link.link.span.end)
        for target in link.resolution.targets:
            groups.setdefault(target_mark(target), []).append(ranges)
    items = _items(about, network, groups)
    return [
        types.CallHierarchyOutgoingCall(to=callee, from_ranges=ranges)
        for callee, ranges in zip(items, groups.values(), strict=True)
    ]


def _spot_of_item(about: Asked, offset: int) -> Spot:
    """The heading that the text at `offset` stands under, or the note."""
    spot = spot_at(about.note, offset)
    if isinstance(spot, PlaceSpot | NoteSpot):
        return spot
    found = (spot.entry, about.note.parsed.entries[spot.entry]) if isinstance(spot, TextSpot) else about.note.entry_at(offset)
    place = heading_place(found[1], found[0]) if found else None
    return PlaceSpot(place.span.start, place.span.end, place) if place else NoteSpot(0, 0)


def _links_below(about: Asked, network: LinkNetwork, spot: Spot) -> list[ResolvedLink]:
    """The links of the note, or of a heading's section with all below it."""
    links = [link for link in network.links_in(about.path, about.note.parsed) if link.link.kind not in _NO_CALLS]
    if not isinstance(spot, PlaceSpot):
        return links
    entries = about.note.parsed.entries
    first = spot.place.entry
    below = (at for at in range(first + 1, len(entries)) if entries[at].level <= entries[first].level)
    last = next(below, len(entries))
    return [link for link in links if first <= link.entry < last]


def _section(about: Asked, network: LinkNetwork, mark: Mark) -> Mark:
    """The heading that a link stands under, or its note."""
    if mark.path == about.path:
        place = heading_place(about.note.parsed.entries[mark.entry], mark.entry)
    elif mark.file_id is not None:
        places = network.places(mark.file_id).all
        place = next((each for each in places if each.kind == "heading" and each.entry == mark.entry), None)
    else:
        place = None
    return Mark(mark.path, place, mark.file_id, mark.entry if place else 0)


def _items(about: Asked, network: LinkNetwork, marks: Iterable[Mark]) -> list[types.CallHierarchyItem]:
    """One item for each mark; what is not in the session's text any more is shown as its note."""
    wanted = list(marks)
    titles = display_titles(network, (mark.file_id for mark in wanted if mark.file_id is not None))
    found = []
    for mark, place in zip(wanted, locate(about, network, wanted), strict=True):
        shown = place or locate(about, network, [Mark(mark.path)])[0]
        if shown is None:
            continue
        title = _title(about, network, mark, titles)
        name = mark.what.name if isinstance(mark.what, Place) and mark.what.name else title
        found.append(
            types.CallHierarchyItem(
                name=name,
                kind=types.SymbolKind.String if mark.what else types.SymbolKind.File,
                detail=title if mark.what else mark.path,
                uri=shown.uri,
                range=shown.around,
                selection_range=shown.range,
            )
        )
    return found


def _title(about: Asked, network: LinkNetwork, mark: Mark, titles: dict[int, str]) -> str:
    if mark.path == about.path:
        return display_title(mark.path, about.note.parsed.title)
    if mark.file_id is None and (known := store.file_at(network.connection, mark.path)):
        titles = titles | display_titles(network, [known[0]])
        return titles[known[0]]
    return titles.get(mark.file_id or 0, mark.path)
