"""khoj/suggestLinks, end to end: the text as its editor has it, positions in the editor's own units."""

from __future__ import annotations

import pytest
from lsp_driver import column, command, request
from lsprotocol import types
from pygls.exceptions import JsonRpcException

TEXT = "# Diary\n\n🍞 日本: today I fed the sourdough, then slept.\n"


@pytest.mark.asyncio
async def test_the_words_under_the_caret_of_an_unsaved_note(home, any_client, vault):
    uri = (vault / "new.md").as_uri()
    document = types.TextDocumentItem(uri=uri, language_id="markdown", version=1, text=TEXT)
    any_client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=document))
    line = TEXT.splitlines()[2]
    first, last = (column(any_client, line[:at]) for at in (line.index("sour"), line.index(", then")))
    caret = {"line": 2, "character": first + 3}
    found = await request(any_client, "suggestLinks", textDocument={"uri": uri}, position=caret)
    best = found["suggestions"][0]
    assert (best["uri"], best["title"], best["linked"]) == ((vault / "bread.org").as_uri(), "Sourdough", False)
    assert [(at["line"], at["character"]) for at in best["words"]] == [(2, first), (2, last)]
    words = {"start": {"line": 2, "character": first}, "end": {"line": 2, "character": last}}
    again = await command(any_client, "suggestLinks", {"textDocument": {"uri": uri}, "range": words, "limit": 1})
    assert [each["uri"] for each in again["suggestions"]] == [best["uri"]]
    any_client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri=uri)))


@pytest.mark.asyncio
async def test_a_note_that_no_editor_has_open_is_read_from_disk(home, client, vault):
    path = vault / "router.md"
    found = await request(client, "suggestLinks", textDocument={"uri": path.as_uri()}, position={"line": 2, "character": 4})
    assert path.as_uri() not in [each["uri"] for each in found["suggestions"]]


@pytest.mark.asyncio
async def test_a_place_is_wanted(home, client, vault):
    with pytest.raises(JsonRpcException, match="a position or a range"):
        await request(client, "suggestLinks", textDocument={"uri": (vault / "router.md").as_uri()})
    with pytest.raises(JsonRpcException, match="cannot be read"):
        await request(client, "suggestLinks", textDocument={"uri": (vault / "no.md").as_uri()}, position={"line": 0})
