"""From nothing to a connection that the daemon has accepted, starting the daemon on the way. Standard library only."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon import endpoint, handshake

REQUEST_LIMIT = 16 * 1024 * 1024
"""Longest request of the rpc face in bytes."""
_ATTEMPTS = 5
"""A daemon that is being replaced, stopped or killed under us costs an attempt; more than a few is a fault."""


class Link:
    """An accepted connection."""

    __slots__ = ("reply", "socket")

    def __init__(self, connected: socket.socket, reply: handshake.Reply) -> None:
        """Hold both."""
        self.socket = connected
        self.reply = reply


def dial(face: str, *, start: bool = True, command: Sequence[str] | None = None) -> Link:
    """Connect as `face`; `start` starts a daemon (by `command`, if not the usual one) when none runs.

    Raises NotRunning when none runs and none is to be started, DaemonError when it cannot be reached or started.
    """
    folder = endpoint.runtime_folder()
    for _ in range(_ATTEMPTS):
        link = _attempt(folder, face)
        if link is not None:
            return link
        if not start:
            raise endpoint.NotRunning("no daemon is running")
        from khoj_ls.daemon.launch import ensure_running

        ensure_running(folder, face, command)
    raise DaemonError("the daemon keeps ending as soon as it starts: khoj-ls daemon logs shows why")


def _attempt(folder: str, face: str) -> Link | None:
    """A link, or None when no daemon runs or the one that does is making room for a new one."""
    try:
        address = endpoint.connect(folder)
    except endpoint.NotRunning:
        return None
    try:
        return Link(address.socket, handshake.greet(address, face))
    except (ConnectionError, handshake.Replaced):
        address.socket.close()
        return None
    except BaseException:  # whatever it was, the socket is not left open; it is raised again
        address.socket.close()
        raise
