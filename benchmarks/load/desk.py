"""A server and its clients for the load benchmarks: as editors have them, with the memory of the processes watched."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from lsprotocol import types
from pygls.lsp.client import BaseLanguageClient

READY_SECONDS = 1800.0
_LOOK_SECONDS = 0.5


@contextmanager
def copied(folder: Path, settings: str = "") -> Iterator[Path]:
    """A copy of `folder` as a vault, and a home of its own for the server with `settings`; the daemon is stopped at the end."""
    with tempfile.TemporaryDirectory() as place:
        os.environ["KHOJ_LS_HOME"] = str(Path(place) / "home")
        vault, config = Path(place) / "vault", Path(place) / "home" / "config"
        config.mkdir(parents=True)
        (config / "config.toml").write_text(settings)
        shutil.copytree(folder, vault)
        (vault / ".khoj.toml").touch()
        try:
            yield vault.resolve()
        finally:
            subprocess.run([sys.executable, "-m", "khoj_ls", "daemon", "stop"], check=False, capture_output=True)


async def editor(vault: Path) -> BaseLanguageClient:
    """A client of the server with the vault as its folder. Messages to it are taken and forgotten."""
    client = BaseLanguageClient("load", "1")
    for message in (types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, "khoj/indexChanged", "khoj/chatEvent", types.WINDOW_LOG_MESSAGE):
        client.feature(message)(_taken)
    await start(client, vault)
    return client


async def start(client: BaseLanguageClient, vault: Path) -> None:
    """Start a server for a client whose folder is the vault."""
    await client.start_io(sys.executable, "-m", "khoj_ls", "lsp", "--stdio")
    await client.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(),
            workspace_folders=[types.WorkspaceFolder(uri=vault.as_uri(), name="vault")],
        )
    )
    client.initialized(types.InitializedParams())


def _taken(client: BaseLanguageClient, params: object) -> None:
    """What comes is not needed here."""


async def leave(client: BaseLanguageClient) -> None:
    """End a client as an editor does."""
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()


async def ask(client: BaseLanguageClient, method: str, params: dict[str, Any]) -> Any:
    """The answer to a request of the server's own."""
    return await client.protocol.send_request_async(method, params)


async def quiet(client: BaseLanguageClient, vault: Path, *phases: str) -> Any:
    """Wait until the vault's index is in one of `phases` with nothing queued; its status."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        status = (await ask(client, "khoj/status", {"vault": str(vault)})).vaults[0]
        if status.phase in phases and (status.queue == 0 or "idle" not in phases):
            return status
        await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError(f"the index is in the phase {status.phase} still")


def daemon() -> psutil.Process:
    """The process of the daemon."""
    command = [sys.executable, "-m", "khoj_ls", "daemon", "status", "--json"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return psutil.Process(told["daemon"]["pid"])


def megabytes(process: psutil.Process) -> float:
    """Memory of a process that no other shares, in MB."""
    return float(process.memory_full_info().uss) / 1e6
