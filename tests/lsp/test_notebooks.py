"""Notebooks open in an editor, whose cells are documents of their own."""

from __future__ import annotations

import json

import pytest
from lsp_driver import indexed, request, until
from lsprotocol import types
from pytest_lsp import client_capabilities

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Tides"]},
        {"cell_type": "code", "id": "b", "metadata": {}, "execution_count": 1, "source": ["moon()"],
         "outputs": [{"output_type": "stream", "name": "stdout", "text": ["springtide\n"]}]},
    ],
    "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip


async def found(client, words: str) -> list[tuple[str, str, str]]:
    """Titles of the hits with the number of the cell."""
    result = await request(client, "search", query=words, mode="lexical")
    return [(hit["title"], hit["place"], hit["uri"].rpartition("/")[2]) for hit in result["hits"] if hit.get("place")]


def cell_uri(path, name: str) -> str:
    return path.as_uri().replace("file:", "vscode-notebook-cell:") + f"#{name}"


def cell(path, name: str, kind: types.NotebookCellKind) -> types.NotebookCell:
    return types.NotebookCell(kind=kind, document=cell_uri(path, name))


def document(path, name: str, text: str, language: str = "python") -> types.TextDocumentItem:
    return types.TextDocumentItem(uri=cell_uri(path, name), language_id=language, version=1, text=text)


async def start_with_notebooks(client, vault) -> types.InitializeResult:
    """Start as VS Code does: no profile of pytest-lsp says that it has notebooks."""
    capabilities = client_capabilities("visual-studio-code")
    capabilities.notebook_document = types.NotebookDocumentClientCapabilities(
        synchronization=types.NotebookDocumentSyncClientCapabilities()
    )
    folder = types.WorkspaceFolder(uri=vault.as_uri(), name=vault.name)
    return await client.initialize_session(types.InitializeParams(capabilities=capabilities, workspace_folders=[folder]))


@pytest.mark.asyncio
async def test_cells_are_searched_as_they_are_edited(bare_client, vault):
    client = bare_client
    sync = (await start_with_notebooks(client, vault)).capabilities.notebook_document_sync
    assert sync is not None and sync.save
    path = vault / "tides.ipynb"
    path.write_text(json.dumps(NOTEBOOK, indent=1))
    await indexed(client)
    assert await found(client, "springtide") == [("Tides", "cell 2", "tides.ipynb")]
    markup, code = types.NotebookCellKind.Markup, types.NotebookCellKind.Code
    client.notebook_document_did_open(
        types.DidOpenNotebookDocumentParams(
            notebook_document=types.NotebookDocument(
                uri=path.as_uri(), notebook_type="jupyter-notebook", version=1,
                cells=[cell(path, "a", markup), cell(path, "b", code)],
            ),
            cell_text_documents=[document(path, "a", "# Tides", "markdown"), document(path, "b", "moon()")],
        )
    )  # fmt: skip
    client.notebook_document_did_change(
        types.DidChangeNotebookDocumentParams(
            notebook_document=types.VersionedNotebookDocumentIdentifier(uri=path.as_uri(), version=2),
            change=types.NotebookDocumentChangeEvent(
                cells=types.NotebookDocumentCellChanges(
                    structure=types.NotebookDocumentCellChangeStructure(
                        array=types.NotebookCellArrayChange(start=1, delete_count=0, cells=[cell(path, "c", markup)]),
                        did_open=[document(path, "c", "The kingfisher waits.", "markdown")],
                    )
                )
            ),
        )
    )

    async def appeared():
        return await found(client, "kingfisher") == [("Tides", "cell 2", "tides.ipynb")]

    await until(appeared)
    assert await found(client, "springtide") == [("Tides", "cell 3", "tides.ipynb")]
    client.notebook_document_did_change(
        types.DidChangeNotebookDocumentParams(
            notebook_document=types.VersionedNotebookDocumentIdentifier(uri=path.as_uri(), version=3),
            change=types.NotebookDocumentChangeEvent(
                cells=types.NotebookDocumentCellChanges(
                    text_content=[
                        types.NotebookDocumentCellContentChanges(
                            document=types.VersionedTextDocumentIdentifier(uri=cell_uri(path, "b"), version=2),
                            changes=[types.TextDocumentContentChangeWholeDocument(text="cormorant()")],
                        )
                    ]
                )
            ),
        )
    )

    async def changed():
        return await found(client, "cormorant") == [("Tides", "cell 3", "tides.ipynb")]

    await until(changed)
    client.notebook_document_did_close(
        types.DidCloseNotebookDocumentParams(
            notebook_document=types.NotebookDocumentIdentifier(uri=path.as_uri()),
            cell_text_documents=[types.TextDocumentIdentifier(uri=cell_uri(path, name)) for name in "abc"],
        )
    )

    async def vanished():
        return await found(client, "kingfisher") == [] and await found(client, "springtide") == [
            ("Tides", "cell 2", "tides.ipynb")
        ]

    await until(vanished)
