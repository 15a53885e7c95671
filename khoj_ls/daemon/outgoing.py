"""What one rpc connection says, from any thread: whole lines, in the order in which they were said.

A thread that has an answer writes it itself where nothing waits before it. To have the event loop write it would take two
threads' waking up, and somebody waits for each answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket


class Outgoing:
    """The lines of one connection. `send` may be called by any thread, all else on the connection's loop, where it is made."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        """Write to `writer`, to which nobody else may write until this is closed."""
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._draining = asyncio.Lock()
        self._direct = _own_socket(writer)
        self._waiting: list[bytes] = []
        """What the loop is to write: it has been called."""
        self._by_loop = True
        """Whether lines are the loop's to write: the writer may hold some that are older."""
        self._hand_over()

    def send(self, line: bytes) -> None:
        """Write a line, or leave to the loop what cannot be written at once. Nothing happens once the client is gone."""
        with self._lock:
            if not self._by_loop:
                line = line[self._written(line) :]
                if not line:
                    return
            self._by_loop = True
            self._waiting.append(line)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon has ended
            self._loop.call_soon_threadsafe(self._hand_over)

    async def drain(self) -> None:
        """Wait until the client has read most of what was written. Raises ConnectionError."""
        self._hand_over()
        async with self._draining:  # Python 3.10 lets only one wait
            await self._writer.drain()

    def close(self) -> None:
        """Leave the writer to its owner, with all that was said."""
        with self._lock:
            if self._direct is not None:
                self._direct.close()
                self._direct = None
        self._hand_over()

    def _written(self, line: bytes) -> int:
        """How many bytes of it could be written at once."""
        if self._direct is None:
            return 0
        try:
            return self._direct.send(line)
        except OSError:  # the socket is full, or the client is gone: that is for the loop to find
            return 0

    def _hand_over(self) -> None:
        with self._lock:
            for line in self._waiting:
                if not self._writer.is_closing():
                    self._writer.write(line)
            self._waiting.clear()
            # Only here, where nothing is being written, the size says whether something is left.
            self._by_loop = self._direct is None or self._writer.transport.get_write_buffer_size() > 0


def _own_socket(writer: asyncio.StreamWriter) -> socket.socket | None:
    """The connection's socket under a number of its own, so that it can never be another's; None where only the loop writes."""
    if os.name != "posix":  # there the loop may be writing while it does something else
        return None
    shared: TransportSocket = writer.get_extra_info("socket")
    return shared.dup()
