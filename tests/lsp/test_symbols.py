"""Document and workspace symbols, in every position encoding."""

from __future__ import annotations

import pytest
from lsp_driver import start
from lsprotocol import types

TEXT = "# 🦉 Owl\n\ntext\n\n## Café 中文\n\nlast line 🦉"
UNITS = {"utf-8": len("# 🦉 Owl".encode()), "utf-16": 8, "utf-32": 7}
LAST = {"utf-8": len("last line 🦉".encode()), "utf-16": 12, "utf-32": 11}


@pytest.mark.asyncio
@pytest.mark.parametrize("encoding", UNITS)
async def test_document_symbols_are_counted_in_the_clients_units(bare_client, vault, encoding):
    path = vault / "owl.md"
    path.write_text(TEXT)
    result = await bare_client.initialize_session(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(general=types.GeneralClientCapabilities(position_encodings=[encoding])),
            workspace_folders=[types.WorkspaceFolder(uri=vault.as_uri(), name="notes")],
        )
    )
    assert result.capabilities.position_encoding == encoding
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=1, text=TEXT)
    bare_client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    [owl] = await bare_client.text_document_document_symbol_async(
        types.DocumentSymbolParams(text_document=types.TextDocumentIdentifier(uri=path.as_uri()))
    )
    [cafe] = owl.children
    assert (owl.name, cafe.name) == ("🦉 Owl", "Café 中文")
    assert owl.selection_range.end.character == UNITS[encoding]
    end = types.Position(line=6, character=LAST[encoding])
    assert (owl.range.end, cafe.range.end) == (end, end)
    assert cafe.range.start == types.Position(line=4, character=0)


@pytest.mark.asyncio
async def test_workspace_symbols_search_by_words_and_meaning(any_client, vault):
    async def ask(query):
        return await any_client.workspace_symbol_async(types.WorkspaceSymbolParams(query=query))

    by_words = await ask("firmware")
    by_meaning = await ask("?baking bread at home")
    assert (by_words[0].name, by_words[0].location.uri) == ("Fix", (vault / "router.md").as_uri())
    assert by_meaning[0].location.uri == (vault / "bread.org").as_uri()
    assert await ask("") == []


@pytest.mark.asyncio
async def test_a_filter_that_is_half_typed_is_no_failure(any_client):
    assert await any_client.workspace_symbol_async(types.WorkspaceSymbolParams(query='firmware lang:"en')) == []


@pytest.mark.asyncio
async def test_symbols_of_a_file_outside_every_vault_are_none(bare_client, vault, tmp_path):
    await start(bare_client, "neovim", vault)
    outside = tmp_path / "outside.md"
    outside.write_text("# Out\n")
    item = types.TextDocumentItem(uri=outside.as_uri(), language_id="markdown", version=1, text="# Out\n")
    bare_client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    symbols = await bare_client.text_document_document_symbol_async(
        types.DocumentSymbolParams(text_document=types.TextDocumentIdentifier(uri=outside.as_uri()))
    )
    assert not symbols
