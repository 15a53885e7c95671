"""Workspace folders and the vaults behind them: opened in the background, leased for as long as the client has the folder."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from lsprotocol import types

from khoj_ls.core.errors import KhojError
from khoj_ls.lsp.background import on_index_event
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vault import Vault
from khoj_ls.vaults import to_path

log = logging.getLogger(__name__)


async def add_folder(server: KhojServer, uri: str) -> None:
    """Open the vault of a workspace folder and make it the session's; says so to the user when it cannot be opened."""
    try:
        path = to_path(uri)
        vault = await asyncio.get_running_loop().run_in_executor(server.thread_pool, server.session.vaults.lease, path)
    except KhojError as error:
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=f"khoj-ls: {error}"))
        return
    if vault.root in server.leases:  # two folders of one vault
        server.session.vaults.release(vault.root)
        return
    unsubscribe = vault.subscribe(partial(on_index_event, server, vault))

    def release() -> None:
        unsubscribe()
        server.session.vaults.release(vault.root)

    server.leases[vault.root] = release
    server.session.roots.append(vault.root)
    overlay_open_documents(server, vault)


def remove_folder(server: KhojServer, uri: str) -> None:
    """Give the vault of a folder back, unless another folder of the workspace lies in it."""
    root = server.session.vaults.root_of(to_path(uri))
    staying = {server.session.vaults.root_of(to_path(folder.uri)) for folder in server.workspace.folders.values()}
    if root in server.leases and root not in staying:
        server.leases.pop(root)()
        server.session.roots.remove(root)


def overlay_open_documents(server: KhojServer, vault: Vault) -> None:
    """Hand the vault the buffers that were opened before it was."""
    for document in list(server.workspace.text_documents.values()):
        if server.vault_of(document.uri) is vault:
            vault.overlay(to_path(document.uri), document.source, document.version or 0, server.name_of_session)
