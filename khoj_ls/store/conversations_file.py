"""The database file of a vault's conversations: several processes use it at once, and nothing in it is thrown away.

Unlike the index it is written through to the disk with every transaction. A damaged file is kept aside, what can be read of it
moves to a new one, and the user hears of it.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from khoj_ls.core.errors import StoreError
from khoj_ls.store.backups import back_up
from khoj_ls.store.conversations_rescue import rescue_conversations
from khoj_ls.store.conversations_schema import CONVERSATIONS_VERSION, migrate_conversations
from khoj_ls.store.database import set_aside, set_log_aside
from khoj_ls.store.soundness import fault_in
from khoj_ls.store.trouble import guarded, place_of

log = logging.getLogger(__name__)

_BUSY_SECONDS = 30.0

Answer = TypeVar("Answer")


class _Damaged(StoreError):
    """The file is no intact database."""


class ConversationsFile:
    """One connection to the file, for one thread at a time. It is opened when it is first needed."""

    def __init__(self, path: Path) -> None:
        """Name the file; opens nothing yet."""
        self.path = path
        self.message = ""
        """What happened to the file, for people; empty when nothing did."""
        self._rescued = path.with_name(f"{path.name}.rescued")
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._place: tuple[int, int] | None = None

    def read(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """What `question` makes of one consistent state. Raises StoreError."""
        return self._run("BEGIN", question)

    def write(self, change: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Make a change: all of it is on the disk when this returns, or nothing. Raises StoreError."""
        return self._run("BEGIN IMMEDIATE", change)

    def write_for_good(self, change: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Make a change, and leave no copy of what was there before: neither in the file nor in its log."""
        with self._lock:
            answer = self.write(change)
            with _guarded(self.path):
                assert self._connection is not None
                busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                log.info("the log of %s is in use by another process, and is emptied later", self.path)
            return answer

    def mend(self) -> str:
        """Read all of the file and, where something is wrong, save what can be read; what was done, or nothing."""
        with self._lock:
            if not self.path.exists() and not self._rescued.exists():
                return ""
            before = self.message
            self.read(lambda connection: None)
            if self.message == before and (fault := fault_in(self.path)):
                self._recover(_Damaged(f"{self.path} is damaged ({fault})"))
            return "" if self.message == before else self.message

    def close(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        with self._lock:
            self._close()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _run(self, begin: str, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with self._lock:
            try:
                return self._once(begin, work)
            except _Damaged as error:
                self._recover(error)
                return self._once(begin, work)

    def _once(self, begin: str, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with _guarded(self.path):
            connection = self._opened()
            connection.execute(begin)
            try:
                answer = work(connection)
                connection.execute("COMMIT")
            except BaseException:  # a transaction is whole or not there, whatever ended it; it is raised again
                if connection.in_transaction:  # some errors make SQLite roll back by itself
                    connection.execute("ROLLBACK")
                raise
            return answer

    def _opened(self) -> sqlite3.Connection:
        """The connection to the file that is there now: another process may have set a damaged one aside."""
        if self._connection is not None and self._place == place_of(self.path):
            return self._connection
        self._close()
        with self._alone():
            return self._open()

    def _open(self) -> sqlite3.Connection:
        """Open the file, which nobody else opens or replaces meanwhile."""
        if self._rescued.exists() and not self.path.exists():
            self._end_rescue()
        self.path.touch(mode=0o600)
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # FULL: what was kept is on the disk. secure_delete: what was deleted is not.
            for pragma in ("synchronous = FULL", "foreign_keys = OFF", "secure_delete = ON", "temp_store = MEMORY"):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > CONVERSATIONS_VERSION:
                raise StoreError(
                    f"the conversations in {self.path} were written by a newer khoj-ls (schema {version}, this one knows "
                    f"{CONVERSATIONS_VERSION}): upgrade khoj-ls; they are left as they are"
                )
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            if 0 < version < CONVERSATIONS_VERSION:
                back_up(connection, self.path, version)
            if version < CONVERSATIONS_VERSION:
                migrate_conversations(connection)
        except UnicodeDecodeError:  # SQLite's own words about a damaged schema
            connection.close()
            raise _Damaged(f"{self.path} is damaged (its schema is not UTF-8)") from None
        except BaseException:  # not to be used, whatever it was; it is raised again
            connection.close()
            raise
        self._connection, self._place = connection, place_of(self.path)
        return connection

    def _recover(self, error: _Damaged) -> None:
        """Make a new file of what can be read of the damaged one, which is kept; another process may just have done so."""
        damaged = self._place
        self._close()
        with self._alone(), _guarded(self.path):
            replaced = damaged is not None and damaged != place_of(self.path)
            if (replaced or "i/o" in str(error).lower()) and _intact(self.path):
                return
            log.error("%s", error)
            saved = rescue_conversations(self.path, self._rescued)
            kept = set_aside(self.path)
            self._rescued.replace(self.path)
            self.message = (
                f"the saved conversations were damaged: {saved.turns} turns of {saved.conversations} conversations could be "
                f"saved; the old file is kept as {kept}"
            )
            log.error("%s", self.message)

    def _end_rescue(self) -> None:
        """Take the last steps of a process that ended while it put the rescued file in the place of the damaged one."""
        kept = max(self.path.parent.glob(f"{self.path.name}.damaged-*[0-9]"), default=None)
        set_log_aside(self.path, kept or self.path.with_name(f"{self.path.name}.damaged"))
        self._rescued.replace(self.path)
        self.message = "the saved conversations were damaged, and what could be read of them was saved" + (
            f"; the old file is kept as {kept}" if kept else ""
        )
        log.error("%s", self.message)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from opening or replacing the file meanwhile."""
        from filelock import FileLock

        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(self.path.with_suffix(".lock"), mode=0o600, thread_local=False):
            yield

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):  # nothing is lost by it: what was written is on the disk
                self._connection.close()
        self._connection = self._place = None


def _intact(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with the file. Reads all of it."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            return bool(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error:
        return False


def _guarded(path: Path) -> contextlib.AbstractContextManager[None]:
    return guarded(path, damaged=_Damaged, full="; nothing more is saved until then")
