"""The khoj/* requests and khoj.* commands that change notes: the editor makes the edit and shows the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from khoj_ls.core.errors import NoVaultError, UsageError
from khoj_ls.graph.edits import Notes
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.lsp.asked import Asked, asking
from khoj_ls.lsp.edits import applies_edits, check_inside, shown_versions, workspace_edit
from khoj_ls.lsp.notes import SessionNotes
from khoj_ls.lsp.positions import Positions
from khoj_ls.lsp.server import REQUEST_FAILED, KhojServer
from khoj_ls.vault import Vault
from khoj_ls.vaults import to_path
from khoj_ls.wire.messages import Position
from khoj_ls.wire.note_edits import EDIT_OPERATIONS, EditOperation, Plan
from khoj_ls.wire.note_messages import NoteEditResult
from khoj_ls.wire.operations import Job


def register(server: KhojServer) -> None:
    """Serve every operation that changes notes, under both names."""
    for operation in EDIT_OPERATIONS:
        _register(server, operation)


def _register(server: KhojServer, operation: EditOperation) -> None:
    @server.feature(f"khoj/{operation.name}")
    async def request(params: Any) -> Any:
        return msgspec.to_builtins(await run(server, operation, params))

    @server.command(f"khoj.{operation.name}")
    async def command(*arguments: Any) -> Any:
        return msgspec.to_builtins(await run(server, operation, arguments[0] if arguments else None))


class SessionDesk:
    """A vault with its notes as this session sees them."""

    def __init__(self, about: Asked) -> None:
        """Of the vault that a request is about."""
        self.vault = about.vault
        self.notes: Notes = SessionNotes(about)
        self._about = about

    def note(self, uri: str) -> OpenNote:
        """The note at a URI. Raises UsageError when there is none in the vault."""
        found = self.notes.read(self.vault.relative(to_path(uri)))
        if found is None:
            raise UsageError(f"{uri} is no note that can be read")
        return found

    def offset(self, note: OpenNote, position: Position) -> int:
        """Byte offset of a position in a note."""
        at = types.Position(line=position.line, character=position.character)
        return Positions(note.text, self._about.codec).offset(at)


async def run(server: KhojServer, operation: EditOperation, params: Any) -> NoteEditResult:
    """Plan the change, have the editor make it, and show the place."""
    try:
        typed: Any = msgspec.convert({} if params is None else params, operation.params)
    except msgspec.ValidationError as error:
        message = f"khoj/{operation.name}: {str(error).replace('$', 'params')}"
        raise JsonRpcException(message, -32602, {"code": "khoj.usage"}) from error
    vault = await server.answer(lambda job: _vault(server, typed))
    about, versions = asking(server, vault), shown_versions(server)

    def question(job: Job) -> tuple[Plan, types.WorkspaceEdit | None]:
        plan = operation.plan(SessionDesk(about), typed, job.token)
        if plan.edit.unmended:
            raise UsageError("links would break that cannot be written otherwise: " + "; ".join(plan.edit.unmended[:3]))
        if plan.show:
            check_inside(about, plan.show)
        return plan, None if plan.edit.is_empty else workspace_edit(server, about, versions, plan.edit)

    plan, edit = await server.answer(question)
    return await _made(server, operation, about, plan, edit)


async def _made(
    server: KhojServer, operation: EditOperation, about: Asked, plan: Plan, edit: types.WorkspaceEdit | None
) -> NoteEditResult:
    uri = about.uri_of(plan.show) if plan.show else None
    position = _position(about, plan)
    if edit is not None and not applies_edits(server):
        plain = server.protocol._converter.unstructure(edit)
        return NoteEditResult(applied=False, uri=uri, position=position, edit=plain)
    if edit is not None:
        asked = types.ApplyWorkspaceEditParams(edit=edit, label=f"khoj: {operation.name}")
        answer = await server.workspace_apply_edit_async(asked)
        if not answer.applied:
            reason = answer.failure_reason or "the editor has not made the change"
            raise JsonRpcException(f"khoj/{operation.name}: {reason}", REQUEST_FAILED, {"code": "khoj.usage"})
    if uri is not None and _shows(server):
        at = types.Position(line=position.line, character=position.character) if position else None
        selection = types.Range(start=at, end=at) if at else None
        await server.window_show_document_async(types.ShowDocumentParams(uri=uri, take_focus=True, selection=selection))
    return NoteEditResult(applied=edit is not None, uri=uri, position=position)


def _position(about: Asked, plan: Plan) -> Position | None:
    """The place to show, in the text as it is after the edit."""
    text = dict(plan.edit.created).get(plan.show or "")
    if plan.offset is None or plan.show is None:
        return None
    if text is None:
        return Position(0, 0)
    found = Positions(text, about.codec).position(plan.offset)
    return Position(found.line, found.character)


def _shows(server: KhojServer) -> bool:
    window = server.client_capabilities.window
    return bool(window and window.show_document and window.show_document.support)


def _vault(server: KhojServer, params: Any) -> Vault:
    """The vault that a request is about. Raises UsageError when there is none."""
    vaults = server.session.vaults
    if reference := getattr(params, "vault", None):
        return vaults.open(to_path(reference), exact=True)
    if (document := getattr(params, "textDocument", None)) is not None:
        return vaults.open(to_path(document.uri))
    roots = server.session.roots or [Path(folder).expanduser() for folder in server.session.settings.vaults]
    if not roots:
        raise NoVaultError("no vault: open a folder of notes, or name one with `vault`")
    return vaults.open(roots[0])
