"""textDocument/references: the links that lead to a heading, a note, an id or where a link leads; the places with a tag."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.spots import spot_at
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.leading import declared, referring
from khoj_ls.lsp.locations import located
from khoj_ls.lsp.server import KhojServer


def register(server: KhojServer) -> None:
    """Serve references."""

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def references(params: types.ReferenceParams) -> list[types.Location] | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        declaration = params.context.include_declaration
        return await server.answer(
            lambda job: about.vault.links(lambda network: _references(about, network, params.position, declaration))
        )


def _references(about: Asked, network: LinkNetwork, position: types.Position, declaration: bool) -> list[types.Location] | None:
    spot = spot_at(about.note, about.offset(position))
    if spot is None:
        return None
    marks = (declared(about, network, spot) if declaration else []) + referring(about, network, spot)
    return [each.location for each in located(about, network, marks)] or None
