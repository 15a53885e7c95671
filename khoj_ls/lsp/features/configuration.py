"""Settings of the session: sent at the start, pushed, or pulled when the editor says that they changed."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from khoj_ls.config.load import session_overrides
from khoj_ls.lsp.server import KhojServer

SECTION = "khoj_ls"


def register(server: KhojServer) -> None:
    """Follow the editor's settings; only those of session scope are taken from it."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.protocol.use_own_documents()
        apply(server, params.initialization_options)
        for listener in server.on_initialize:
            listener(params)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def changed(params: types.DidChangeConfigurationParams) -> None:
        pushed = params.settings if isinstance(params.settings, dict) else {}
        values = pushed.get(SECTION, pushed.get("khoj-ls"))
        apply(server, await pull(server) if values is None else values)


def apply(server: KhojServer, values: Any) -> None:
    """Take over what the editor set, from the user's own settings up; says what it may not set."""
    if not isinstance(values, dict):
        return
    settings, problems = session_overrides(server.session.vaults.settings, values)
    server.session.settings = settings
    for listener in server.on_settings:
        listener()
    for problem in problems:
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=f"khoj-ls: {problem}"))


async def pull(server: KhojServer) -> Any:
    """Ask the editor for its settings, if it can be asked (LSP 3.17, workspace/configuration)."""
    workspace = server.client_capabilities.workspace
    if not (workspace and workspace.configuration):
        return None
    items = [types.ConfigurationItem(section=SECTION)]
    values = await server.workspace_configuration_async(types.ConfigurationParams(items=items))
    return values[0] if values else None
