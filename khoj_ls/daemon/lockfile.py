"""A lock on a file that dies with its holder, however that ends. Standard library only: the relay takes it."""

from __future__ import annotations

import os
import sys


class FileLock:
    """An advisory lock on one file, between processes. The file holds the holder's process id and is never deleted."""

    def __init__(self, path: str) -> None:
        """Name the lock; takes nothing yet."""
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock without waiting and write our process id into it; False when another process holds it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _try_lock(descriptor):
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def intact(self) -> bool:
        """Whether the lock is held and its file still stands under its name."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self.path))  # noqa: PTH116 - the relay has no time for pathlib
        except OSError:
            return False


def holder(path: str) -> int | None:
    """Process id of who holds the lock at `path`; None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        if _try_lock(descriptor):
            return None
        text = os.read(descriptor, 32).strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    # Windows forbids reading a locked region: lock one byte far behind the process id.
    _REGION = 1 << 20

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _REGION, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
