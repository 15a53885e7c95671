"""textDocument/implementation: the notes nearest in meaning, by the vectors that are stored.

A note implements nothing, but every client has a list, a quickfix window or a peek view for this request.
"""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Span
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.spots import LinkSpot, NoteSpot, spot_at
from khoj_ls.links.anchors import Place
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.leading import meant
from khoj_ls.lsp.locations import Mark, located
from khoj_ls.lsp.server import KhojServer
from khoj_ls.search.types import RelatedRequest, SearchHit
from khoj_ls.store import links as store

_LIMIT = 20


def register(server: KhojServer) -> None:
    """Serve implementations."""

    @server.feature(types.TEXT_DOCUMENT_IMPLEMENTATION)
    async def implementation(params: types.ImplementationParams) -> list[types.Location] | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        return await server.answer(lambda job: _neighbours(about, about.offset(params.position), job.token) or None)


def _neighbours(about: Asked, offset: int, token: CancelToken) -> list[types.Location]:
    """Where the notes near in meaning to what stands at `offset` begin to be: of a link to its target, else to the section."""
    spot = spot_at(about.note, offset)
    if spot is None:
        return []
    path, line = about.path, None if isinstance(spot, NoteSpot) else about.positions.position(offset).line + 1
    if isinstance(spot, LinkSpot):
        target = about.vault.links(lambda network: meant(about, network, spot)).target
        if target is not None and target.file_id is not None:
            path, line = target.path, target.place.span.line if target.place else None
    hits = about.vault.related(RelatedRequest(path, line=line, limit=_LIMIT), token).hits
    return about.vault.links(lambda network: _locations(about, network, hits))


def _locations(about: Asked, network: LinkNetwork, hits: tuple[SearchHit, ...]) -> list[types.Location]:
    """Where each hit begins."""
    marks = []
    for hit in hits:
        known = store.file_at(network.connection, hit.path)
        if known is not None:
            start = Span(hit.span.start, hit.span.start, hit.span.line, hit.span.line)
            marks.append(Mark(hit.path, Place("target", "", start), known[0]))
    return [each.location for each in located(about, network, marks)]
