"""How a command of chat files is served: its parameters typed, its errors those of the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from pygls.exceptions import JsonRpcInvalidParams

from khoj_ls.core.errors import KhojError, UsageError
from khoj_ls.lsp.server import KhojServer, rpc_error
from khoj_ls.wire.chat_file_messages import ChatCommand


def serve(server: KhojServer, command: ChatCommand, run: Callable[[Any], Awaitable[object]]) -> None:
    """Serve `command` by `run`, which is given its params, gives its result, and may raise KhojError or JsonRpcException."""

    @server.command(command.command)
    async def called(*arguments: Any) -> Any:
        try:
            params: Any = msgspec.convert(arguments[0] if arguments else {}, command.params)
        except msgspec.ValidationError as error:
            message = f"{command.command}: {str(error).replace('$', 'params')}"
            raise JsonRpcInvalidParams(message=message, data={"code": UsageError.code}) from error
        try:
            return msgspec.to_builtins(await run(params))
        except KhojError as error:
            raise rpc_error(error) from error
