"""textDocument/definition: from a link to where it leads; from a heading, an id or a title to the links that lead there."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.spots import LinkSpot, NoteSpot, PlaceSpot, TagSpot, spot_at
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.leading import meant, referring
from khoj_ls.lsp.locations import located, target_mark
from khoj_ls.lsp.server import KhojServer


def register(server: KhojServer) -> None:
    """Serve definitions."""

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: types.DefinitionParams) -> list[types.Location] | list[types.LocationLink] | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        links = await server.answer(
            lambda job: about.vault.links(lambda network: definitions(about, network, about.offset(params.position)))
        )
        if _knows_links(server):
            return links or None
        return [types.Location(uri=each.target_uri, range=each.target_selection_range) for each in links] or None


def definitions(about: Asked, network: LinkNetwork, offset: int) -> list[types.LocationLink]:
    """Every place that what stands at `offset` leads to: all of an ambiguous link, none of a broken one."""
    spot = spot_at(about.note, offset)
    if spot is None:
        return []
    marks = []
    if isinstance(spot, LinkSpot | TagSpot):
        marks = [target_mark(target) for target in meant(about, network, spot).targets]
    if isinstance(spot, PlaceSpot | NoteSpot) or (isinstance(spot, TagSpot) and not marks):
        marks = referring(about, network, spot)
    origin = about.positions.range(spot.start, spot.end)
    return [
        types.LocationLink(
            target_uri=each.uri, target_range=each.around, target_selection_range=each.range, origin_selection_range=origin
        )
        for each in located(about, network, marks)
    ]


def _knows_links(server: KhojServer) -> bool:
    text_document = server.client_capabilities.text_document
    return bool(text_document and text_document.definition and text_document.definition.link_support)
