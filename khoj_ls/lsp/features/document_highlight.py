"""textDocument/documentHighlight: within a note, the places of a tag, links to the same target, links to a heading."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.spots import LinkSpot, NoteSpot, PlaceSpot, TagSpot, spot_at
from khoj_ls.links.resolve import Destination
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.leading import own_tags
from khoj_ls.lsp.server import KhojServer


def register(server: KhojServer) -> None:
    """Serve document highlights."""

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def document_highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight] | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        return await server.answer(
            lambda job: about.vault.links(lambda network: _highlights(about, network, about.offset(params.position))) or None
        )


def _highlights(about: Asked, network: LinkNetwork, offset: int) -> list[types.DocumentHighlight]:
    spot = spot_at(about.note, offset)
    if isinstance(spot, TagSpot):
        tags = own_tags(about, network, spot)
        return [_highlight(about, *mark.place[:2], types.DocumentHighlightKind.Text) for mark in tags]
    if not isinstance(spot, LinkSpot | PlaceSpot | NoteSpot):
        return []
    links = network.links_in(about.path, about.note.parsed)
    if isinstance(spot, LinkSpot):
        chosen = next(link for link in links if link.link == spot.link)
        same = [link for link in links if _same(link, chosen)]
        targets = chosen.resolution.targets
    else:
        targets = (Destination(about.path, None, spot.place),)
        same = [link for link in links if any(_is(target, targets[0]) for target in link.resolution.targets)]
    own = [target.place for target in targets if target.path == about.path and target.place is not None]
    found = {
        (place.span.start, place.span.end): types.DocumentHighlightKind.Write
        for place in own
        if place.span.end > place.span.start
    }
    found |= {(link.link.span.start, link.link.span.end): types.DocumentHighlightKind.Read for link in same}
    return [_highlight(about, start, end, kind) for (start, end), kind in sorted(found.items())]


def _same(link: ResolvedLink, other: ResolvedLink) -> bool:
    """Whether two links lead to the same; where they lead nowhere or out of the vault, whether they say the same."""
    if other.resolution.targets and other.resolution.state != "broken_anchor":
        return [(each.path, each.place) for each in link.resolution.targets] == [
            (each.path, each.place) for each in other.resolution.targets
        ]
    return link.target == other.target


def _is(target: Destination, wanted: Destination) -> bool:
    if target.path != wanted.path:
        return False
    if wanted.place is None or target.place is None:
        return wanted.place is target.place
    return target.place.span.start == wanted.place.span.start


def _highlight(about: Asked, start: int, end: int, kind: types.DocumentHighlightKind) -> types.DocumentHighlight:
    inside = about.note.source[start:end].rstrip(b"\r\n")
    return types.DocumentHighlight(range=about.positions.range(start, start + len(inside)), kind=kind)
