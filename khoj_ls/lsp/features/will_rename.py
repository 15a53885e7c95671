"""Files and folders that are renamed: before, when the editor asks; afterwards, when only the watcher has seen it.

Of all sessions that have a vault open one offers to lead the links on, and none where they lead on already.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.edits import VaultEdit
from khoj_ls.graph.moves import all_moves, mend_moved, mend_moves
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.indexing.indexer import IndexEvent
from khoj_ls.lsp.asked import Asked, asking
from khoj_ls.lsp.edits import applies_edits, shown_versions, workspace_edit
from khoj_ls.lsp.notes import SessionNotes
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vault import Vault
from khoj_ls.vaults import to_path
from khoj_ls.wire.operations import Job

_FILES = types.FileOperationRegistrationOptions(
    filters=[types.FileOperationFilter(pattern=types.FileOperationPattern(glob="**/*"), scheme="file")]
)
_SETTLE_SECONDS = 1.0
"""A folder that moves is seen file by file."""
_MOST_FILES = 20_000
_UPDATE, _LEAVE = "Update links", "Leave them"


def register(server: KhojServer) -> None:
    """Serve renames of files, and offer what nobody asked for."""
    offers: dict[Path, dict[str, str]] = {}

    @server.feature(types.WORKSPACE_WILL_RENAME_FILES, _FILES)
    async def will_rename(params: types.RenameFilesParams) -> types.WorkspaceEdit | None:
        by_vault: dict[Path, tuple[Vault, list[tuple[str, str]]]] = {}
        for file in params.files:
            vault = server.vault_of(file.old_uri)
            if vault is not None and server.vault_of(file.new_uri) is vault:
                pair = vault.relative(to_path(file.old_uri)), vault.relative(to_path(file.new_uri))
                by_vault.setdefault(vault.root, (vault, []))[1].append(pair)
        edits = [await _mended(server, vault, renames) for vault, renames in by_vault.values()]
        return _together([edit for edit in edits if edit is not None])

    def index_changed(vault: Vault, event: IndexEvent) -> None:
        if event.moved and applies_edits(server):
            waiting = offers.setdefault(vault.root, {})
            if not waiting:
                task = asyncio.ensure_future(_offer(server, vault, offers))
                server.tasks.add(task)
                task.add_done_callback(server.tasks.discard)
            waiting.update(event.moved)

    server.on_index.append(index_changed)


async def _mended(server: KhojServer, vault: Vault, renames: Sequence[tuple[str, str]]) -> types.WorkspaceEdit | None:
    about, versions = asking(server, vault), shown_versions(server)

    def question(job: Job) -> tuple[types.WorkspaceEdit | None, tuple[str, ...]]:
        files = {old: _files_below(vault.root, old) for old, _ in renames}

        def ask(network: LinkNetwork) -> VaultEdit:
            moves = all_moves(network, renames, files)
            for move in moves.items():
                vault.first(("moved", *move))
            return mend_moves(network, SessionNotes(about), moves, job.token)

        edit = vault.links(ask)
        return (None if edit.is_empty else workspace_edit(server, about, versions, edit)), tuple(edit.unmended)

    mended, broken = await server.answer(question)
    if broken:  # the files are renamed all the same: the editor only asks what to change with them
        message = f"khoj-ls: links will break that cannot be written otherwise: {'; '.join(broken[:3])}"
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=message))
    return mended


def _files_below(root: Path, folder: str) -> list[str]:
    """Files and folders below a folder, relative to the vault; none for a file."""
    found: list[str] = []
    for at, folders, names in os.walk(root / folder):
        relative = Path(at).relative_to(root).as_posix()
        found += [f"{relative}/{name}" for name in (*folders, *names)]
        if len(found) > _MOST_FILES:
            break
    return found


def _together(edits: list[types.WorkspaceEdit]) -> types.WorkspaceEdit | None:
    """The edits of several vaults as one."""
    if len(edits) < 2:
        return edits[0] if edits else None
    if all(edit.document_changes is not None for edit in edits):
        return types.WorkspaceEdit(document_changes=[each for edit in edits for each in edit.document_changes or ()])
    return types.WorkspaceEdit(changes={uri: each for edit in edits for uri, each in (edit.changes or {}).items()})


# -- renames that were seen ----------------------------------------------------------------------------------------------


async def _offer(server: KhojServer, vault: Vault, offers: dict[Path, dict[str, str]]) -> None:
    """Ask whether the links to files that have moved should follow, once all that moved was seen."""
    known: Mapping[str, str] = {}
    while known != offers[vault.root] or not known:
        known = dict(offers[vault.root])
        await asyncio.sleep(_SETTLE_SECONDS)
    moves = {old: new for old, new in offers.pop(vault.root).items() if vault.first(("moved", old, new))}
    before = asking(server, vault)
    try:
        if not moves or not (edit := await server.answer(lambda job: _seen(before, moves))).edits:
            return
        links = sum(len(change.edits) for change in edit.edits.values())
        old, new = next(iter(moves.items()))
        what = f"{old} is now {new}" if len(moves) == 1 else f"{len(moves)} files have moved"
        where = f"{_counted(links, 'link')} in {_counted(len(edit.edits), 'note')}"
        asked_for = await server.window_show_message_request_async(
            types.ShowMessageRequestParams(
                type=types.MessageType.Info,
                message=f"khoj-ls: {what}. Update {where}?",
                actions=[types.MessageActionItem(title=_UPDATE), types.MessageActionItem(title=_LEAVE)],
            )
        )
        if asked_for is None or asked_for.title != _UPDATE:
            return
        about, versions = asking(server, vault), shown_versions(server)  # the user has had time to write
        edit = await server.answer(lambda job: _seen(about, moves))
        label = "Update links"
        params = types.ApplyWorkspaceEditParams(edit=workspace_edit(server, about, versions, edit), label=label)
        await server.workspace_apply_edit_async(params)
    except (JsonRpcException, UsageError) as error:
        server.window_log_message(types.LogMessageParams(type=types.MessageType.Warning, message=f"khoj-ls: {error}"))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _seen(about: Asked, moves: Mapping[str, str]) -> VaultEdit:
    """The edits for files that are at their new paths already; under those paths their own edits are made."""
    notes, vault = SessionNotes(about), about.vault
    edit = vault.links(lambda network: mend_moved(network, notes, moves, {}))
    return VaultEdit({moves.get(path, path): change for path, change in edit.edits.items()})
