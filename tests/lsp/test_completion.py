"""Completion end to end: exact places in every encoding, the buffer's text before the disk's, previews on demand."""

from __future__ import annotations

import pytest
from lsp_driver import column, until
from lsprotocol import types


def open_document(client, path, text):
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=1, text=text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))


async def ask(client, path, line: int, before: str) -> types.CompletionList | None:
    return await client.text_document_completion_async(
        types.CompletionParams(
            text_document=types.TextDocumentIdentifier(uri=path.as_uri()),
            position=types.Position(line=line, character=column(client, before)),
        )
    )


@pytest.mark.asyncio
async def test_a_link_is_completed_in_every_client(any_client, vault):
    path = vault / "new.md"
    line = "🦉 日本 see [[Sour]] and more"
    open_document(any_client, path, f"# Own heading\n{line}\n[[#Own\n")
    before = "🦉 日本 see [[Sour"
    found = await ask(any_client, path, 1, before)
    assert found.is_incomplete
    first = found.items[0]
    assert first.label == "Sourdough"
    assert first.text_edit.new_text == "bread|Sourdough"
    assert (first.text_edit.range.start, first.text_edit.range.end) == (
        types.Position(line=1, character=column(any_client, before[:-4])),
        types.Position(line=1, character=column(any_client, before)),
    )
    assert first.filter_text.startswith("Sour")
    assert [item.sort_text for item in found.items] == sorted(item.sort_text for item in found.items)
    resolved = await any_client.completion_item_resolve_async(first)
    shown = getattr(resolved.documentation, "value", resolved.documentation)
    assert "Sourdough" in shown
    assert "Feed it with rye flour" in shown
    own = await ask(any_client, path, 2, "[[#Own")
    assert own.items[0].text_edit.new_text == "Own heading]]"
    assert await ask(any_client, path, 0, "# Own") is None


@pytest.mark.asyncio
async def test_new_notes_and_near_ones_are_proposed(client, vault):
    path = vault / "baking.md"
    text = "Flour, water and salt, and then forty minutes in the oven until the crust is dark: [[\n"
    open_document(client, path, text)

    async def nearest_first():
        found = await ask(client, path, 0, text[:-1])
        return found.items and found.items[0].label == "Sourdough"

    await until(nearest_first)  # by meaning: nothing of the name is written
    (vault / "zymurgy.md").write_text("# Zymurgy\n")

    async def appears():
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=path.as_uri(), version=2),
                content_changes=[types.TextDocumentContentChangeWholeDocument(text="[[zym\n")],
            )
        )
        found = await ask(client, path, 0, "[[zym")
        return found and [item.label for item in found.items][:1] == ["Zymurgy"]

    await until(appears)


@pytest.mark.asyncio
async def test_nothing_is_proposed_outside_of_vaults_and_in_unsaved_texts(client, tmp_path):
    outside = tmp_path / "outside.md"
    open_document(client, outside, "[[r\n")
    assert await ask(client, outside, 0, "[[r") is None
    item = types.TextDocumentItem(uri="untitled:Untitled-1", language_id="markdown", version=1, text="[[r")
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    asked = types.CompletionParams(
        text_document=types.TextDocumentIdentifier(uri="untitled:Untitled-1"), position=types.Position(line=0, character=3)
    )
    assert await client.text_document_completion_async(asked) is None
