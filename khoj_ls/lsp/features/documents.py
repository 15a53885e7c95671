"""Open buffers overlay the index; saved, created, renamed and deleted files are looked at again."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from khoj_ls.lsp.server import KhojServer
from khoj_ls.vaults import to_path

_FILES = types.FileOperationRegistrationOptions(
    filters=[types.FileOperationFilter(pattern=types.FileOperationPattern(glob="**/*"), scheme="file")]
)


def register(server: KhojServer) -> None:
    """Keep the vaults informed of what the editor does."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        overlay(server, params.text_document.uri)
        tell(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def edited(params: types.DidChangeTextDocumentParams) -> None:
        overlay(server, params.text_document.uri)
        tell(server, params.text_document.uri, params)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        drop_overlay(server, params.text_document.uri)
        tell(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        changed(server, [params.text_document.uri])

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: types.DidChangeWatchedFilesParams) -> None:
        changed(server, [change.uri for change in params.changes])

    @server.feature(types.WORKSPACE_DID_CREATE_FILES, _FILES)
    def created(params: types.CreateFilesParams) -> None:
        changed(server, [file.uri for file in params.files])

    @server.feature(types.WORKSPACE_DID_RENAME_FILES, _FILES)
    def renamed(params: types.RenameFilesParams) -> None:
        changed(server, [uri for file in params.files for uri in (file.old_uri, file.new_uri)])

    @server.feature(types.WORKSPACE_DID_DELETE_FILES, _FILES)
    def deleted(params: types.DeleteFilesParams) -> None:
        changed(server, [file.uri for file in params.files])


def tell(server: KhojServer, uri: str, change: types.DidChangeTextDocumentParams | None = None) -> None:
    """Let those know who follow the documents of the session."""
    for listener in server.on_document:
        listener(uri, change)


def overlay(server: KhojServer, uri: str) -> None:
    """Index the buffer's text instead of the file's."""
    vault = server.vault_of(uri)
    if vault is not None:
        document = server.workspace.get_text_document(uri)
        vault.overlay(to_path(uri), document.source, document.version or 0, server.name_of_session)


def drop_overlay(server: KhojServer, uri: str) -> None:
    """Go back to the file."""
    vault = server.vault_of(uri)
    if vault is not None:
        vault.overlay_closed(to_path(uri), server.name_of_session)


def changed(server: KhojServer, uris: Iterable[str]) -> None:
    """Have these files looked at again."""
    for uri in uris:
        vault = server.vault_of(uri)
        if vault is not None:
            vault.changed(to_path(uri))
