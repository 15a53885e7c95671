"""Settings of the session: sent at the start, pushed, or pulled when the editor says that they changed."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from khoj_ls.config.load import session_table_problems, session_values
from khoj_ls.lsp.protocol import POSITION_ENCODING
from khoj_ls.lsp.server import KhojServer

SECTION = "khoj_ls"


def register(server: KhojServer) -> None:
    """Follow the editor's settings; only those of session scope are taken from it."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.protocol.use_own_documents()
        # Of the folders it is told when they are open: they have profiles of their own.
        homeless = not (params.workspace_folders or params.root_uri or params.root_path)
        options = params.initialization_options
        if isinstance(options, dict):  # one key there is no setting, but how the client counts
            options = {name: value for name, value in options.items() if name != POSITION_ENCODING}
        apply(server, options, look=homeless)
        for listener in server.on_initialize:
            listener(params)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def changed(params: types.DidChangeConfigurationParams) -> None:
        pushed = params.settings if isinstance(params.settings, dict) else {}
        values = pushed.get(SECTION, pushed.get("khoj-ls"))
        apply(server, await pull(server) if values is None else values)


def apply(server: KhojServer, values: Any, *, look: bool = True) -> None:
    """Take over what the editor set in the place of all that it set before; says what it may not set.

    With `look` it is also said what of it names nothing there is (search profiles), in the vaults that are open.
    """
    if not isinstance(values, dict):
        return
    session = server.session
    session.overrides, problems = session_values(values)
    for listener in server.on_settings:
        listener()
    if look:
        opened = [vault for root in session.roots if (vault := session.vaults.get(root)) is not None]
        for settings in [vault.settings for vault in opened] or [session.vaults.settings]:
            problems += session_table_problems(session.overrides, settings)
    for problem in dict.fromkeys(problems):
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=f"khoj-ls: {problem}"))


async def pull(server: KhojServer) -> Any:
    """Ask the editor for its settings, if it can be asked (LSP 3.17, workspace/configuration)."""
    workspace = server.client_capabilities.workspace
    if not (workspace and workspace.configuration):
        return None
    items = [types.ConfigurationItem(section=SECTION)]
    values = await server.workspace_configuration_async(types.ConfigurationParams(items=items))
    return values[0] if values else None
