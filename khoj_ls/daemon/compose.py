"""What the daemon is made of: the open vaults, and the faces over them."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import Settings
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken, ProgressCallback
from khoj_ls.daemon.admission import Hello
from khoj_ls.daemon.allocator import NowAndThen
from khoj_ls.daemon.measured import measured
from khoj_ls.daemon.rpc import Handler, MethodNotFound
from khoj_ls.daemon.server import Serving, Status
from khoj_ls.vaults import OpenVaults
from khoj_ls.wire.messages import DaemonStatus
from khoj_ls.wire.operations import OPERATIONS, Job, Session, perform
from khoj_ls.wire.turns import Follow

if TYPE_CHECKING:
    from khoj_ls.automation.webhooks import Webhooks

_LSP = "khoj_ls.lsp.build"
_IDLE_VAULT_SECONDS = 900.0
"""A vault that no session has asked for so long is closed."""


def compose(settings: Settings, folders: Folders) -> Serving:
    """Put the program together; opens no vault yet."""
    hooks = _webhooks(settings, folders)
    vaults = OpenVaults(settings, folders, tell=hooks.tell if hooks else None)

    def takes_part(hello: Hello) -> None:
        vaults.add_environment(hello.environment)
        if hooks:
            hooks.add_environment(hello.environment)

    def make_room() -> None:
        vaults.close_idle(0)
        if hooks:
            hooks.hand_over()

    memory = NowAndThen()

    def tidy() -> None:
        vaults.close_idle(_IDLE_VAULT_SECONDS)
        vaults.follow_settings()
        memory.look()

    def close() -> None:
        if hooks:
            hooks.close()
        vaults.close()

    async def lsp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello, status: Status) -> None:
        takes_part(hello)
        # Importing pygls takes half a second, which the other sessions must not wait for.
        build = await asyncio.to_thread(importlib.import_module, _LSP)
        server = build.create_server(vaults, lambda: _daemon_status(status()))
        await build.serve_connection(server, reader, writer)

    def rpc(hello: Hello, status: Status) -> Handler:
        takes_part(hello)
        return _operations(Session(vaults, daemon=lambda: _daemon_status(status())))

    return Serving(
        lsp=lsp,
        rpc=rpc,
        idle_exit_seconds=settings.daemon.idle_exit_seconds,
        busy=lambda: any(vault.busy for vault in vaults.open_vaults()) or (hooks is not None and hooks.busy),
        tidy=tidy,
        make_room=make_room,
        describe=lambda: {
            "rss_bytes": psutil.Process().memory_info().rss,
            "worker": _worker(vaults),
            "metrics": measured(vaults.metrics, folders),
        },
        log_path=str(folders.log),
        close=close,
        prepare_lsp=lambda: (importlib.import_module(_LSP), None)[1],
    )


def _webhooks(settings: Settings, folders: Folders) -> Webhooks | None:
    """The user's webhooks, under way; None where there are none, and nothing of them is imported."""
    if not any(table.get("active", True) for table in settings.webhooks):
        return None
    from khoj_ls.automation.webhooks import Webhooks
    from khoj_ls.config.webhooks import webhooks

    hooks = Webhooks(webhooks(settings.webhooks), folders, os.environ)
    hooks.start()
    return hooks


def _operations(session: Session) -> Handler:
    """The requests khoj/* for one client."""
    known = {f"khoj/{operation.name}": operation for operation in OPERATIONS}

    def handle(method: str, params: Mapping[str, Any], token: CancelToken, progress: ProgressCallback, follow: Follow) -> Any:
        operation = known.get(method)
        if operation is None:
            raise MethodNotFound(method)
        try:
            typed: Any = msgspec.convert(dict(params), operation.params)
        except msgspec.ValidationError as error:
            raise UsageError(f"{method}: {error}") from error
        return perform(operation, session, typed, Job(token, progress, follow))

    return handle


def _daemon_status(status: Mapping[str, Any]) -> DaemonStatus:
    return msgspec.convert(dict(status), DaemonStatus)


def _worker(vaults: OpenVaults) -> dict[str, Any] | None:
    """The encoder process that runs, or the first one that could (see `wire.messages.WorkerStatus`)."""
    workers = [encoder.status() for encoder in vaults.encoders()]
    running = [worker for worker in workers if worker.pid is not None]
    return next((asdict(worker) for worker in running or workers), None)
