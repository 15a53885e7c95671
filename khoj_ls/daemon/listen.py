"""The daemon's side of the endpoint: one daemon per runtime folder, its socket, and both put back when they are taken away."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon import endpoint
from khoj_ls.daemon.lockfile import FileLock

PeerUid = Callable[[socket.socket], "int | None"]
"""User id of a connection's other end; None where the platform does not tell."""

_BACKLOG = 128
_LOCK_SECONDS = 0.2
"""Who asks for the lock's holder takes it for a moment: one failure to get it proves nothing."""


class AlreadyRunning(DaemonError):
    """Another daemon serves this runtime folder."""


class Listener:
    """The listening socket with its lock and its published address. Take it once, give it back once."""

    def __init__(self, folder: str) -> None:
        """Listen in the runtime folder `folder`. Raises AlreadyRunning, DaemonError."""
        self.folder = folder
        self.token: str | None = None
        """What clients must prove to know; None on a unix socket."""
        endpoint.check_folder(folder, create=True)
        self._lock = _take_lock(folder)
        try:
            self.socket = self._open()
        except OSError as error:
            self._lock.release()
            raise DaemonError(f"the daemon cannot listen in {folder}: {error.strerror or error}") from error

    @property
    def transport(self) -> str:
        """`unix` or `tcp`."""
        return "tcp" if self.token is not None else "unix"

    @property
    def intact(self) -> bool:
        """Whether the lock and the address still stand where clients look for them."""
        return self._lock.intact and _identity(self._published) == self._identity

    def withdraw(self) -> None:
        """Stop listening; what is connected stays so. No other daemon can start yet. Harmless when done twice."""
        # Without the lock the address may be a successor's, even if it was given the same inode.
        if self.intact:
            with contextlib.suppress(OSError):
                self._published.unlink()
        self.socket.close()

    def release(self) -> None:
        """Let another daemon start. Without this it can as soon as our process has ended."""
        self._lock.release()

    def _open(self) -> socket.socket:
        # The lock is ours, so what lies here was left by a daemon that was killed.
        for name in (endpoint.SOCKET, endpoint.ADDRESS):
            with contextlib.suppress(FileNotFoundError):
                Path(self.folder, name).unlink()
        listening = self._open_tcp() if endpoint.wants_tcp(self.folder) else self._open_unix()
        self._identity = _identity(self._published)
        return listening

    def _open_unix(self) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._published = Path(self.folder, endpoint.SOCKET)
        making = f"{self._published}.{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            Path(making).unlink()
        listening.bind(making)
        Path(making).chmod(0o600)
        listening.listen(_BACKLOG)
        # Clients see the socket only when it answers.
        Path(making).rename(self._published)
        return listening

    def _open_tcp(self) -> socket.socket:
        listening = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.token = secrets.token_hex(32)
        self._published = Path(self.folder, endpoint.ADDRESS)
        making = Path(f"{self._published}.{os.getpid()}")
        making.unlink(missing_ok=True)
        address = {"port": listening.getsockname()[1], "token": self.token}
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(address, file)
        making.replace(self._published)
        return listening


def peer_uid(connected: socket.socket) -> int | None:
    """User id of the process at the other end of a unix socket; None on TCP and where the system does not tell."""
    if connected.family != getattr(socket, "AF_UNIX", None):
        return None
    system = os.uname().sysname
    if system == "Linux":
        credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[1])
    if system in ("Darwin", "FreeBSD"):
        # struct xucred of sys/ucred.h by SOL_LOCAL (0), LOCAL_PEERCRED (1): version, user id, groups.
        return int(struct.unpack_from("=II", connected.getsockopt(0, 1, 128))[1])
    return None


def _take_lock(folder: str) -> FileLock:
    lock = FileLock(f"{folder}/{endpoint.LOCK}")
    deadline = time.monotonic() + _LOCK_SECONDS
    while not lock.acquire():
        if time.monotonic() > deadline:
            raise AlreadyRunning("a daemon is running already")
        time.sleep(_LOCK_SECONDS / 20)  # a file lock has nobody to wake who waits
    return lock


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
