"""textDocument/foldingRange: sections, front matter, drawers, blocks, lists."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.graph.folds import Fold, folds
from khoj_ls.lsp.asked import asked
from khoj_ls.lsp.server import KhojServer


def register(server: KhojServer) -> None:
    """Serve folding ranges."""

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folding_range(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        found = await server.answer(lambda job: folds(about.note))
        text_document = server.client_capabilities.text_document
        limit = (text_document.folding_range.range_limit if text_document and text_document.folding_range else None) or 0
        if limit and len(found) > limit:
            # Sections are missed most when they cannot be folded.
            found = sorted(found, key=lambda fold: fold.kind != "section")[:limit]
        return [_range(fold) for fold in found]


def _range(fold: Fold) -> types.FoldingRange:
    kind = types.FoldingRangeKind.Comment if fold.kind == "comment" else None
    # Whole lines: no character is counted, and every client can have them.
    return types.FoldingRange(start_line=fold.line - 1, end_line=fold.end_line - 1, kind=kind)
