"""All that is served, in one place: the features, and how a connection is run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from types import ModuleType

from lsprotocol.types import PositionEncodingKind

from khoj_ls.lsp.features import (
    call_hierarchy,
    chat,
    chat_apply,
    chat_file,
    code_action,
    code_lens,
    completion,
    configuration,
    definition,
    diagnostics,
    document_highlight,
    document_link,
    document_symbol,
    documents,
    folding_range,
    hover,
    implementation,
    inlay_hint,
    lifecycle,
    note_commands,
    notebooks,
    operations,
    quick_fix,
    refactor,
    references,
    rename,
    will_rename,
    work_done,
    workspace_symbol,
)
from khoj_ls.lsp.framing import Frames, Garbled
from khoj_ls.lsp.incoming import PARSE_ERROR, Refusal
from khoj_ls.lsp.open_text import open_text
from khoj_ls.lsp.protocol import KhojProtocol
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vaults import OpenVaults
from khoj_ls.wire.messages import DaemonStatus
from khoj_ls.wire.operations import Session

log = logging.getLogger(__name__)

FEATURES: tuple[ModuleType, ...] = (
    lifecycle,
    configuration,
    documents,
    notebooks,
    operations,
    chat,
    workspace_symbol,
    document_symbol,
    definition,
    references,
    hover,
    document_link,
    document_highlight,
    folding_range,
    code_lens,
    inlay_hint,
    call_hierarchy,
    implementation,
    completion,
    diagnostics,
    code_action,
    quick_fix,
    rename,
    will_rename,
    note_commands,
    refactor,
    chat_file,
    chat_apply,
    work_done,
)
"""Every feature file; each has `register(server)`."""


def create_server(vaults: OpenVaults, daemon: Callable[[], DaemonStatus | None] = lambda: None) -> KhojServer:
    """Make the server side of one connection, with every feature registered."""
    quiet_pygls()
    server = KhojServer(Session(vaults, daemon=daemon))
    server.session.open_text = partial(open_text, server)
    server.session.units = lambda: PositionEncodingKind(server.workspace.position_codec.encoding or "utf-16").value
    for feature in FEATURES:
        feature.register(server)
    return server


async def serve_connection(server: KhojServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Speak LSP on a stream until the client says `exit` or is gone; returns the exit status that LSP wants."""
    stopped = asyncio.Event()
    server.loop = asyncio.get_running_loop()
    server.protocol.closed = stopped.set
    server.protocol.set_writer(_StreamWriter(writer))
    server.drain = _Drain(writer)
    # It ends at the end of the stream; `exit` ends it from our side.
    running = asyncio.create_task(_listen(Frames(reader), server.protocol))
    exited = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({running, exited}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (running, exited):
            task.cancel()
        # A stream that breaks in the middle of a message is an ordinary end of a connection.
        await asyncio.gather(running, exited, return_exceptions=True)
        await server.close()
    return server.protocol.exit_code


async def _listen(frames: Frames, protocol: KhojProtocol) -> None:
    while (message := await frames.next()) is not None:
        if isinstance(message, Garbled):
            protocol.refuse(Refusal(PARSE_ERROR, message.reason))
        else:
            try:
                protocol.receive(message)
            except Exception as error:  # one message must not end the connection
                log.error("a message could not be handled", exc_info=error)
        # Other sessions have their turn between two messages.
        await asyncio.sleep(0)


def quiet_pygls() -> None:
    """Keep pygls from logging: it logs whole messages, and they hold the user's notes."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)


class _StreamWriter:
    """A StreamWriter as pygls wants it; a client that is gone is not an error."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def write(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    def close(self) -> None:
        self._writer.close()


class _Drain:
    """Waits for the client to read; for one at a time, as Python 3.10 wants it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._lock = asyncio.Lock()

    async def __call__(self) -> None:
        async with self._lock:
            await self._writer.drain()
