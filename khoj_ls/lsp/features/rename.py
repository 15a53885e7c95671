"""textDocument/rename: a note, heading, tag, alias or id, with everything that names it."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.edits import VaultEdit
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.rename import rename, subject_at
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.edits import can, shown_versions, workspace_edit
from khoj_ls.lsp.notes import SessionNotes
from khoj_ls.lsp.server import KhojServer
from khoj_ls.wire.operations import Job


def register(server: KhojServer) -> None:
    """Serve renames, and what may be renamed."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        offset = about.offset(params.position)
        subject = await server.answer(
            lambda job: about.vault.links(lambda network: subject_at(network, SessionNotes(about), about.note, offset))
        )
        return types.PrepareRenamePlaceholder(range=about.positions.range(subject.start, subject.end), placeholder=subject.name)

    @server.feature(types.TEXT_DOCUMENT_RENAME)
    async def rename_symbol(params: types.RenameParams) -> types.WorkspaceEdit | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        offset = about.offset(params.position)
        versions = shown_versions(server)
        moves = can(server, types.ResourceOperationKind.Rename)
        edit = await server.answer(
            lambda job: about.vault.links(lambda network: _renamed(network, about, offset, params.new_name, job, moves=moves))
        )
        for move in edit.moves:
            about.vault.first(("moved", *move))  # the watcher will see it, and need not ask
        return await server.answer(lambda job: workspace_edit(server, about, versions, edit))


def _renamed(network: LinkNetwork, about: Asked, offset: int, name: str, job: Job, *, moves: bool) -> VaultEdit:
    notes = SessionNotes(about)
    subject = subject_at(network, notes, about.note, offset)
    edit = rename(network, notes, about.note, subject, name, job.token, moves_files=moves or not subject.by_title)
    if edit.unmended:
        raise UsageError("this name would break links that cannot be written otherwise: " + "; ".join(edit.unmended[:3]))
    return edit
