"""Who may write a vault's index: one process at a time, decided by a lock on disk that dies with its holder."""

from __future__ import annotations

from pathlib import Path


class WriterLock:
    """The right to write one vault's index."""

    def __init__(self, folder: Path) -> None:
        """Name the lock of the vault data folder `folder`; takes nothing yet."""
        # Imported here: an editor that starts the daemon waits for all that it imports.
        from filelock import FileLock

        self._lock = FileLock(folder / "writer.lock", mode=0o600, thread_local=False)

    def acquire(self) -> bool:
        """Take the lock without waiting; False when another process holds it."""
        from filelock import Timeout

        Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        self._lock.release()
