"""Workspace folders and the vaults behind them: opened in the background, leased for as long as the client has the folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lsprotocol import types

from khoj_ls.config.load import session_table_problems, settings_problems
from khoj_ls.core.errors import Cancelled, KhojError, UsageError, VaultError
from khoj_ls.lsp.background import on_index_event
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vault import Vault
from khoj_ls.vaults import to_path

_SHOWN_PROBLEMS = 3


async def add_folders(server: KhojServer, uris: Sequence[str]) -> None:
    """Open the vaults of workspace folders and make them the session's; says so to the user when one cannot be opened.

    The session knows them before this first waits: a request that comes right behind is about them already.
    """
    wanted = {}
    for uri in uris:
        try:
            path = to_path(uri)
            if not path.is_dir():
                raise VaultError(f"{path} is not a folder; the others are searched")
            wanted[server.session.vaults.root_of(path)] = uri
        except KhojError as error:
            _complain(server, error)
    for root in wanted:
        if root not in server.session.roots:
            server.session.roots.append(root)
    for root in wanted:
        await _lease(server, root)


async def _lease(server: KhojServer, root: Path) -> None:
    try:
        vault = await server.in_thread(server.session.vaults.lease, root)
    except Cancelled:
        return
    except KhojError as error:
        server.session.roots.remove(root)
        _complain(server, error)
        return
    if server.over or vault.root in server.leases:  # left meanwhile; two folders of one vault
        server.session.vaults.release(vault.root)
        return
    unsubscribe = vault.subscribe(partial(on_index_event, server, vault))

    def release() -> None:
        unsubscribe()
        server.session.vaults.release(vault.root)

    server.leases[vault.root] = release
    overlay_open_documents(server, vault)
    file = server.session.vaults.folders.user_settings
    wrong = await server.in_thread(_wrong_settings, file, vault.root)
    wrong += [str(problem) for problem in session_table_problems(server.session.overrides, vault.settings)]
    for problems in wrong:
        if problems not in server.told:
            server.told.add(problems)
            _complain(server, problems)


def _wrong_settings(user_file: Path, root: Path) -> list[str]:
    """What is wrong with the user's settings file and with that of the vault: one message each."""
    wrong: dict[str, list[str]] = {}
    for problem in settings_problems(user_file, root):
        about = f"{problem.key}: {problem.message}" if problem.key else problem.message
        wrong.setdefault(problem.source, []).append(about)
    messages = []
    for source, found in wrong.items():
        more = f"; and {len(found) - _SHOWN_PROBLEMS} more (khoj-ls doctor tells all)" if len(found) > _SHOWN_PROBLEMS else ""
        messages.append(f"{source}: {'; '.join(found[:_SHOWN_PROBLEMS])}{more}")
    return messages


def _complain(server: KhojServer, message: object) -> None:
    server.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=f"khoj-ls: {message}"))


def remove_folder(server: KhojServer, uri: str) -> None:
    """Give the vault of a folder back, unless another folder of the workspace lies in it."""
    root = _root_of(server, uri)
    staying = {_root_of(server, folder.uri) for folder in server.workspace.folders.values()}
    if root in server.leases and root not in staying:
        server.leases.pop(root)()
        server.session.roots.remove(root)


def _root_of(server: KhojServer, uri: str) -> Path | None:
    """Root of the vault of a folder; None where it is none on this machine, which was never added then."""
    try:
        return server.session.vaults.root_of(to_path(uri))
    except UsageError:
        return None


def overlay_open_documents(server: KhojServer, vault: Vault) -> None:
    """Hand the vault the buffers that were opened before it was."""
    for document in list(server.workspace.text_documents.values()):
        if server.vault_of(document.uri) is vault:
            vault.overlay(to_path(document.uri), document.source, document.version or 0, server.name_of_session)
