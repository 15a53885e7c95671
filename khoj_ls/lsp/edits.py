"""A change of the vault as an LSP WorkspaceEdit, in the form that the client can take (LSP 3.17, WorkspaceEdit)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import unquote

from lsprotocol import types

from khoj_ls.core.errors import UsageError
from khoj_ls.core.inside import stays_inside
from khoj_ls.graph.edits import VaultEdit
from khoj_ls.links.rewrite import Edit
from khoj_ls.lsp.asked import Asked
from khoj_ls.lsp.positions import Positions
from khoj_ls.lsp.server import KhojServer

_START = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=0, character=0))
_Change: TypeAlias = types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile


Versions: TypeAlias = Mapping[str, int | None]
"""By path, in the form of `_key`: clients do not always write a URI in one way."""


def shown_versions(server: KhojServer) -> Versions:
    """The versions of the session's documents; to be taken with the texts, on the connection's loop."""
    return {_key(uri): document.version for uri, document in server.workspace.text_documents.items()}


def workspace_edit(server: KhojServer, about: Asked, versions: Versions, edit: VaultEdit) -> types.WorkspaceEdit:
    """`edit` for the session that asked: one edit, undoable as one, whose texts name the `versions` they count in.

    Raises UsageError when the client cannot make, move or delete files by an edit, and says what to do instead.
    """
    _check_operations(server, edit)
    check_inside(about, *(path for path, _ in edit.created), *(new for _, new in edit.moves), *edit.deleted)
    texts = {path: _text_edits(change.note.text, change.edits, about) for path, change in edit.edits.items()}
    needs_files = bool(edit.moves or edit.created or edit.deleted)
    if not needs_files and not takes_document_changes(server):
        return types.WorkspaceEdit(changes={about.uri_of(path): edits for path, edits in texts.items()})
    changes: list[_Change] = []
    for path, edits in texts.items():
        changes.append(_document_edit(versions, about.uri_of(path), edits))
    for old, new in edit.moves:
        new_uri = (about.vault.root / new).as_uri()
        changes.append(types.RenameFile(old_uri=about.uri_of(old), new_uri=new_uri))
    for path, text in edit.created:
        uri = (about.vault.root / path).as_uri()
        changes.append(types.CreateFile(uri=uri, options=types.CreateFileOptions(ignore_if_exists=True)))
        changes.append(_document_edit(versions, uri, [types.TextEdit(range=_START, new_text=text)]))
    changes += [types.DeleteFile(uri=about.uri_of(path)) for path in edit.deleted]
    return types.WorkspaceEdit(document_changes=changes)


def check_inside(about: Asked, *paths: str) -> None:
    """Raise UsageError where one of some paths leads out of the vault: its settings and links may be anybody's."""
    for path in paths:
        if not stays_inside(about.vault.root, path):
            raise UsageError(f"{path} lies outside of the vault {about.vault.root}: files are made and moved only in it")


def takes_document_changes(server: KhojServer) -> bool:
    """Whether the client takes versioned edits."""
    workspace = server.client_capabilities.workspace
    edit = workspace.workspace_edit if workspace else None
    return bool(edit and edit.document_changes)


def can(server: KhojServer, operation: types.ResourceOperationKind) -> bool:
    """Whether the client makes, moves or deletes files as a part of an edit."""
    workspace = server.client_capabilities.workspace
    edit = workspace.workspace_edit if workspace else None
    return bool(edit and edit.resource_operations and operation in edit.resource_operations)


def applies_edits(server: KhojServer) -> bool:
    """Whether the client makes the edits that it is sent (workspace/applyEdit)."""
    workspace = server.client_capabilities.workspace
    return bool(workspace and workspace.apply_edit)


def _check_operations(server: KhojServer, edit: VaultEdit) -> None:
    if edit.moves and not can(server, types.ResourceOperationKind.Rename):
        old, new = edit.moves[0]
        raise UsageError(
            f"this editor cannot rename files by an edit: rename {old} to {new} yourself, its links are then offered"
        )
    if edit.created and not can(server, types.ResourceOperationKind.Create):
        raise UsageError(f"this editor cannot create files by an edit: create an empty {edit.created[0][0]} first")
    if edit.deleted and not can(server, types.ResourceOperationKind.Delete):
        raise UsageError(f"this editor cannot delete files by an edit: {edit.deleted[0]} would have to go")


def _text_edits(text: str, edits: Sequence[Edit], about: Asked) -> list[types.TextEdit]:
    places = Positions(text, about.codec)
    return [types.TextEdit(range=places.range(edit.start, edit.end), new_text=edit.text) for edit in edits]


def _key(uri: str) -> str:
    return unquote(uri)


def _document_edit(versions: Versions, uri: str, edits: list[types.TextEdit]) -> types.TextDocumentEdit:
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=versions.get(_key(uri)))
    return types.TextDocumentEdit(text_document=identifier, edits=list(edits))
