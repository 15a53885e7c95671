"""Open Jupyter notebooks overlay the index, as other buffers do: their cells are searched as they are being edited.

LSP 3.17, Notebook Document Synchronization. Cells have documents of their own, with addresses that lead to no file: hits lead
to the notebook and tell the cell.
"""

from __future__ import annotations

from typing import Literal

from lsprotocol import types
from pygls.workspace import TextDocument

from khoj_ls.content.notebook_buffer import LiveCell, notebook_text
from khoj_ls.core.text import decode_source
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vaults import to_path


def register(server: KhojServer) -> None:
    """Keep the vaults informed of what the editor does to notebooks."""

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenNotebookDocumentParams) -> None:
        _overlay(server, params.notebook_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def edited(params: types.DidChangeNotebookDocumentParams) -> None:
        _overlay(server, params.notebook_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveNotebookDocumentParams) -> None:
        vault = server.vault_of(params.notebook_document.uri)
        if vault is not None:
            vault.changed(to_path(params.notebook_document.uri))

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseNotebookDocumentParams) -> None:
        vault = server.vault_of(params.notebook_document.uri)
        if vault is not None:
            vault.overlay_closed(to_path(params.notebook_document.uri), server.name_of_session)


def _overlay(server: KhojServer, uri: str) -> None:
    """Index the cells as they are in the editor; outputs and the rest come from the file."""
    vault = server.vault_of(uri)
    notebook = server.workspace.get_notebook_document(notebook_uri=uri)
    if vault is None or notebook is None:
        return
    path = to_path(uri)
    try:
        fits = path.stat().st_size <= vault.settings.index.max_file_bytes
        on_disk = decode_source(path.read_bytes())[0] if fits else ""
    except OSError:  # not saved yet
        on_disk = ""
    cells = [_live(cell, server.workspace.get_text_document(cell.document)) for cell in notebook.cells]
    vault.overlay(path, notebook_text(on_disk, cells), notebook.version, server.name_of_session)


def _live(cell: types.NotebookCell, document: TextDocument) -> LiveCell:
    """A cell as the editor has it. Raw cells come as code in no language."""
    is_raw = document.language_id == "raw"
    kind: Literal["markdown", "code", "raw"] = "raw" if is_raw else "code"
    if cell.kind == types.NotebookCellKind.Markup:
        kind = "markdown"
    return LiveCell(kind, document.source, _id(cell.metadata))


def _id(metadata: object) -> str:
    """The cell's id in the file, which editors put among its metadata."""
    found = metadata.get("id") if isinstance(metadata, dict) else getattr(metadata, "id", None)
    return found if isinstance(found, str) else ""
