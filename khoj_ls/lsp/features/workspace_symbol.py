"""workspace/symbol: what is called so (notes, aliases, headings, tags), then a search by words and meaning.

A query that begins with `?` is asked by meaning alone, one that begins with `#` for tags alone. VS Code filters symbols by
their name once more, so it has a picker of its own; the others show what is sent.
"""

from __future__ import annotations

from types import MappingProxyType

from lsprotocol import types

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.named import Named, named
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.tags import TagPlace
from khoj_ls.links.anchors import Place
from khoj_ls.lsp.asked import Asked, asking
from khoj_ls.lsp.convert import hit_symbol
from khoj_ls.lsp.locations import Mark, locate
from khoj_ls.lsp.server import KhojServer
from khoj_ls.wire import messages as wire
from khoj_ls.wire.operations import Job, search

_LIMIT = 30
_NAMES = 20
_KINDS = MappingProxyType(
    {
        "note": types.SymbolKind.File,
        "alias": types.SymbolKind.File,
        "heading": types.SymbolKind.String,
        "tag": types.SymbolKind.Key,
    }
)


def register(server: KhojServer) -> None:
    """Serve workspace symbols."""

    @server.feature(types.WORKSPACE_SYMBOL)
    async def workspace_symbol(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        query = params.query.encode(errors="replace").decode().strip()  # half a surrogate pair is no text
        if not query.lstrip("?#").strip() or not server.session.roots:
            return []
        vaults = [vault for root in server.session.roots if (vault := server.session.vaults.get(root)) is not None]
        asked = [asking(server, vault) for vault in vaults]
        return await server.answer(lambda job: _symbols(server, asked, query, job))


def _symbols(server: KhojServer, asked: list[Asked], query: str, job: Job) -> list[types.WorkspaceSymbol]:
    found: list[types.WorkspaceSymbol] = []
    if not query.startswith("?"):
        for about in asked:
            found += about.vault.links(lambda network, about=about: _by_name(about, network, query))  # type: ignore[misc]  # mypy cannot type a default
    if query.startswith("#"):
        return found[:_LIMIT]
    known = {(symbol.location.uri, _line(symbol)) for symbol in found}
    request = wire.SearchParams(
        query.removeprefix("?").strip(), limit=_LIMIT, mode="dense" if query.startswith("?") else "hybrid"
    )
    try:
        shown = [hit_symbol(hit) for hit in search(server.session, request, job).hits]
    except UsageError:
        # A filter that is half typed: clients ask at every key and would show every answer but a list as a failure.
        shown = []
    return found[:_NAMES] + [symbol for symbol in shown if (symbol.location.uri, _line(symbol)) not in known]


def _by_name(about: Asked, network: LinkNetwork, query: str) -> list[types.WorkspaceSymbol]:
    found = named(network.connection, query, _NAMES)
    places = locate(about, network, [_mark(each) for each in found])
    return [
        types.WorkspaceSymbol(name=each.name, kind=_KINDS[each.kind], container_name=_container(each), location=place.location)
        for each, place in zip(found, places, strict=True)
        if place is not None
    ]


def _mark(each: Named) -> Mark:
    what: Place | TagPlace | None = None
    if each.span is not None:
        start, end = each.span.start, each.span.end
        what = TagPlace(each.name[1:], start, end) if each.kind == "tag" else Place("heading", each.name, each.span, each.entry)
    return Mark(each.path, what, each.file_id, each.entry)


def _container(each: Named) -> str | None:
    if each.kind == "note":
        return each.path
    if each.kind == "alias":
        return f"alias of {each.title}"
    return " > ".join([each.title, *each.outline])


def _line(symbol: types.WorkspaceSymbol) -> int:
    return symbol.location.range.start.line if isinstance(symbol.location, types.Location) else -1
