"""textDocument/documentSymbol: the headings of a note, from the text the editor shows."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.lsp.convert import document_symbols
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vaults import to_path


def register(server: KhojServer) -> None:
    """Serve document symbols."""

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def document_symbol(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        vault = server.vault_of(params.text_document.uri)
        if vault is None:
            return []
        document = server.workspace.get_text_document(params.text_document.uri)
        text, codec = document.source, server.workspace.position_codec
        entries = await server.answer(lambda job: vault.outline(to_path(params.text_document.uri), text))
        return document_symbols(entries, document.lines, codec)
