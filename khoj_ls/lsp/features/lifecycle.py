"""initialized, shutdown, and workspace folders that come and go."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.lsp.folders import add_folders, remove_folder
from khoj_ls.lsp.server import KhojServer


def register(server: KhojServer) -> None:
    """Open the vaults of the client's folders, and give them back with the folder."""

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        folders = [folder.uri for folder in server.workspace.folders.values()]
        if not folders and server.workspace.root_uri:
            folders = [server.workspace.root_uri]
        await add_folders(server, folders)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders_changed(params: types.DidChangeWorkspaceFoldersParams) -> None:
        for folder in params.event.removed:
            remove_folder(server, folder.uri)
        await add_folders(server, [folder.uri for folder in params.event.added])

    @server.feature(types.SHUTDOWN)
    def shutdown(params: None) -> None:
        # Editors may kill the relay right after this: nothing is left for later.
        server.protocol.cancel_all()
        server.session.close()
