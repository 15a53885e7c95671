"""The khoj/* requests, and the khoj.* commands that are the same thing for clients that have only executeCommand."""

from __future__ import annotations

from typing import Any

import msgspec
from pygls.exceptions import JsonRpcInvalidParams

from khoj_ls.lsp.server import KhojServer
from khoj_ls.wire.operations import OPERATIONS, Operation, perform


def register(server: KhojServer) -> None:
    """Serve every operation under both names."""
    for operation in OPERATIONS:
        _register(server, operation)


def _register(server: KhojServer, operation: Operation) -> None:
    async def run(params: Any, progress_token: int | str | None = None) -> Any:
        typed = decode(operation, params)
        title = f"khoj: {operation.name}" if operation.long else None
        result = await server.answer(
            lambda job: perform(operation, server.session, typed, job), title=title, progress_token=progress_token
        )
        return msgspec.to_builtins(result)

    @server.feature(f"khoj/{operation.name}")
    async def request(params: Any) -> Any:
        return await run(params, params.get("workDoneToken") if isinstance(params, dict) else None)

    @server.command(operation.command)
    async def command(*arguments: Any) -> Any:
        return await run(arguments[0] if arguments else None)


def decode(operation: Operation, params: Any) -> Any:
    """The typed parameters of a request. Raises JsonRpcInvalidParams that names the key."""
    try:
        return msgspec.convert({} if params is None else params, operation.params)
    except msgspec.ValidationError as error:
        message = str(error).replace(" - at `$.", " - at `params.").replace(" - at `$`", "")
        raise JsonRpcInvalidParams(message=f"khoj/{operation.name}: {message}", data={"code": "khoj.usage"}) from error
