"""The whole language server in one process, on its standard streams."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import threading
from collections.abc import Mapping
from typing import Any

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import folders
from khoj_ls.daemon.log import DiscreetFormatter
from khoj_ls.lsp.build import create_server, serve_connection
from khoj_ls.vaults import OpenVaults

log = logging.getLogger(__name__)

_CHUNK = 1 << 16
_FOLLOW_SECONDS = 5.0
"""How often the files of settings are looked at, as often as a daemon does."""
_FLUSH_SECONDS = 2.0
"""How long an editor may take to read our last answers."""


def serve(overrides: Mapping[str, Any]) -> int:
    """Serve the editor on our standard streams until it leaves; returns the exit status that LSP wants."""
    source, sink = _own_streams()
    _log_to_stderr()
    here = folders()
    settings, problems = load_user_settings(here, overrides)
    for problem in problems:
        log.warning("%s", problem)
    vaults = OpenVaults(settings, here, environment=os.environ)
    try:
        return asyncio.run(_serve(vaults, source, sink))
    finally:
        vaults.close()


async def _serve(vaults: OpenVaults, source: int, sink: int) -> int:
    # A socket pair, because the event loops of some systems cannot wait for standard streams.
    ours, editors = socket.socketpair()
    threading.Thread(target=_to_socket, args=(source, editors), name="stdin", daemon=True).start()
    answers = threading.Thread(target=_from_socket, args=(editors, sink), name="stdout", daemon=True)
    answers.start()
    reader, writer = await asyncio.open_connection(sock=ours)
    following = asyncio.create_task(_follow_settings(vaults))
    try:
        return await serve_connection(create_server(vaults), reader, writer)
    finally:
        following.cancel()
        writer.close()
        await asyncio.to_thread(answers.join, _FLUSH_SECONDS)


async def _follow_settings(vaults: OpenVaults) -> None:
    while True:
        await asyncio.sleep(_FOLLOW_SECONDS)
        await asyncio.to_thread(vaults.follow_settings)


def _own_streams() -> tuple[int, int]:
    """Descriptors of the editor's two ends. Whatever else writes to standard output reaches standard error instead."""
    source, sink = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (source, sink):
            msvcrt.setmode(descriptor, os.O_BINARY)
    return source, sink


def _to_socket(source: int, editors: socket.socket) -> None:
    try:
        while data := os.read(source, _CHUNK):
            editors.sendall(data)
        editors.shutdown(socket.SHUT_WR)
    except OSError as error:  # one side is gone; the server hears of it by the end of its stream
        log.debug("standard input ended: %s", error)


def _from_socket(editors: socket.socket, sink: int) -> None:
    try:
        while data := editors.recv(_CHUNK):
            view = memoryview(data)
            while view:
                view = view[os.write(sink, view) :]
    except OSError as error:
        log.debug("standard output ended: %s", error)
    # An editor that stopped reading has left: end the server's stream, too.
    editors.close()


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(DiscreetFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
