"""Unsaved buffers, saved files, and files that change behind the editor's back."""

from __future__ import annotations

import pytest
from lsp_driver import indexed, names, request, until
from lsprotocol import types


async def found(client, words: str) -> list[str]:
    return names(await request(client, "search", query=words, mode="lexical"))


def open_document(client, path, text=None):
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=1, text=text or path.read_text())
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))


@pytest.mark.asyncio
async def test_unsaved_text_is_found_and_forgotten_when_the_buffer_closes_without_saving(any_client, vault):
    path = vault / "router.md"
    open_document(any_client, path)
    any_client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            text_document=types.VersionedTextDocumentIdentifier(uri=path.as_uri(), version=2),
            content_changes=[
                types.TextDocumentContentChangePartial(
                    range=types.Range(start=types.Position(line=2, character=0), end=types.Position(line=2, character=0)),
                    text="A kingfisher sat on the antenna. ",
                )
            ],
        )
    )

    async def appeared():
        return await found(any_client, "kingfisher") == ["router.md"]

    async def vanished():
        return await found(any_client, "kingfisher") == []

    await until(appeared)
    any_client.text_document_did_close(
        types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=path.as_uri()))
    )
    await until(vanished)
    assert "kingfisher" not in path.read_text()


@pytest.mark.asyncio
async def test_a_file_written_by_another_program_is_found_and_announced(client, vault):
    (vault / "late.md").write_text("# Late\n\nThe cormorant dries its wings.\n")

    async def appeared():
        return await found(client, "cormorant") == ["late.md"]

    async def announced():
        return any((vault / "late.md").as_uri() in change.files for change in client.index_changes)

    await until(appeared)
    await until(announced)


@pytest.mark.asyncio
async def test_a_deleted_file_is_forgotten(client, vault):
    (vault / "plan.txt").unlink()

    async def vanished():
        return await found(client, "balcony") == []

    await until(vanished)


@pytest.mark.asyncio
async def test_a_renamed_note_keeps_its_vectors(client, vault):
    (vault / "router.md").rename(vault / "network.md")
    [report] = await indexed(client)
    assert report["embedded"] == 0
    assert names(await request(client, "search", query="firmware channel"))[0] == "network.md"
    assert "router.md" not in names(await request(client, "search", query="router", limit=20))
