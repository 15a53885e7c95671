"""Where the daemon is reached, and the way there. Standard library only: what an editor starts must start at once.

In the runtime folder (0700, ours) lie `daemon.sock`, the unix socket, or `daemon.tcp`, the loopback port and its token where
there are no unix sockets; `daemon.lock`, held by the running daemon; and `start.lock`, held by who is starting one.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys

from khoj_ls.core.errors import DaemonError

SOCKET = "daemon.sock"
ADDRESS = "daemon.tcp"
LOCK = "daemon.lock"
START_LOCK = "start.lock"
TRANSPORT_VARIABLE = "KHOJ_LS_TRANSPORT"
"""`tcp` makes a daemon listen on the loopback interface even where there are unix sockets."""

CONNECT_SECONDS = 5.0
_LONGEST_SOCKET_FOLDER = 84
"""A socket's path has 103 bytes on macOS, 107 on Linux; while it is being made it also carries a process id."""


class NotRunning(DaemonError):
    """No daemon listens."""


class Address:
    """A connected socket, and the token that both sides must prove to know (TCP only)."""

    __slots__ = ("socket", "token")

    def __init__(self, connected: socket.socket, token: str | None) -> None:
        """Hold both."""
        self.socket = connected
        self.token = token


def runtime_folder() -> str:
    """`config.paths.folders().runtime`, found without its imports in the ordinary cases on Linux (a test compares them)."""
    folder = _plain_linux_folder() if sys.platform == "linux" else None
    if folder is not None and len(os.fsencode(folder)) <= 80:
        return folder
    from khoj_ls.config.paths import folders

    return str(folders().runtime)


def _plain_linux_folder() -> str | None:
    home = os.environ.get("KHOJ_LS_HOME")
    if home:
        return f"{home}/run" if _plain(home) else None
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime):  # noqa: PTH112 - pathlib costs milliseconds of the editor's start
        return f"{runtime}/khoj-ls" if _plain(runtime) else None
    user, state = os.environ.get("HOME"), os.environ.get("XDG_STATE_HOME")
    if not state:
        state = f"{user}/.local/state" if user else ""
    return f"{state}/khoj-ls/run" if _plain(state) else None


def _plain(path: str) -> bool:
    """Whether `path` is absolute and written in the one way that pathlib would leave as it is."""
    return path.startswith("/") and path == os.path.normpath(path) and not path.startswith("//")


def wants_tcp(folder: str) -> bool:
    """Whether a daemon with this runtime folder listens on TCP: asked for, no unix sockets, or no room for a socket's path."""
    return (
        os.environ.get(TRANSPORT_VARIABLE) == "tcp"
        or not hasattr(socket, "AF_UNIX")
        or len(os.fsencode(folder)) > _LONGEST_SOCKET_FOLDER
    )


def check_folder(folder: str, *, create: bool = False) -> None:
    """Make sure that the runtime folder is ours alone: whoever owns it could read keys off the socket.

    Raises NotRunning when it is missing and is not to be created, DaemonError when it is another user's, may be written by
    others, or is no folder.
    """
    if create:
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103 - see above
        except OSError as error:
            raise DaemonError(f"{folder} cannot be made: {error.strerror}") from error
    try:
        found = os.lstat(folder)
    except FileNotFoundError as error:
        raise NotRunning("no daemon is running") from error
    if not stat.S_ISDIR(found.st_mode):
        raise DaemonError(f"{folder} is not a folder: move it away")
    if os.name == "nt":  # user folders are private by their access lists there
        return
    if found.st_uid != os.geteuid():
        raise DaemonError(f"{folder} belongs to user {found.st_uid}, not to you: remove it, or set XDG_RUNTIME_DIR")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DaemonError(f"{folder} can be written by others: run chmod 700 {folder}")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        os.chmod(folder, 0o700)  # noqa: PTH101 - see above


def connect(folder: str) -> Address:
    """Connect to the daemon, over whichever transport it published. Raises NotRunning, DaemonError."""
    check_folder(folder)
    return _connect_unix(folder) or _connect_tcp(folder)


def answers(folder: str) -> bool:
    """Whether a daemon listens."""
    try:
        connect(folder).socket.close()
    except NotRunning:
        return False
    return True


def _connect_unix(folder: str) -> Address | None:
    path = f"{folder}/{SOCKET}"
    if not hasattr(socket, "AF_UNIX") or not os.path.lexists(path):
        return None
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.settimeout(CONNECT_SECONDS)
    try:
        connected.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        # The socket of a daemon that was killed; the next one replaces it.
        connected.close()
        return None
    except OSError as error:
        connected.close()
        raise DaemonError(f"the daemon cannot be reached at {path}: {error.strerror or error}") from error
    return Address(connected, None)


def _connect_tcp(folder: str) -> Address:
    try:
        with open(f"{folder}/{ADDRESS}", encoding="ascii") as file:
            published = json.load(file)
        connected = socket.create_connection(("127.0.0.1", int(published["port"])), CONNECT_SECONDS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotRunning("no daemon is running") from error
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Address(connected, str(published.get("token")))
