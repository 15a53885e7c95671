"""workspace/symbol: a search by words and meaning in any editor, with no client code.

A query that begins with `?` is asked by meaning alone. VS Code filters symbols by their name once more, so it has a picker of
its own; the others show what is sent.
"""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.lsp.convert import hit_symbol
from khoj_ls.lsp.server import KhojServer
from khoj_ls.wire import messages as wire
from khoj_ls.wire.operations import search

_LIMIT = 30


def register(server: KhojServer) -> None:
    """Serve workspace symbols."""

    @server.feature(types.WORKSPACE_SYMBOL)
    async def workspace_symbol(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        query = params.query.strip()
        dense = query.startswith("?")
        query = query.removeprefix("?").strip()
        if not query or not server.session.roots:
            return []
        request = wire.SearchParams(query, limit=_LIMIT, mode="dense" if dense else "hybrid")
        result = await server.answer(lambda job: search(server.session, request, job))
        return [hit_symbol(hit) for hit in result.hits]
