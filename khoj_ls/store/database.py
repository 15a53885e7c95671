"""One vault's SQLite file: opening, reading beside a writer, writing one transaction at a time, and getting over damage."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.core.errors import StoreError
from khoj_ls.store.backups import back_up
from khoj_ls.store.migrations import SCHEMA_VERSION, migrate
from khoj_ls.store.trouble import guarded, place_of

_MOST_IDLE = 4
"""So many connections are kept for the next who reads."""


class DamagedDatabase(StoreError):
    """The file is no intact database; the caller may set it aside with `set_aside` and build a new one."""

    @property
    def of_the_disk(self) -> bool:
        """Whether it may be the disk's fault, or that of a quota, and the file intact all the same (see `Database.intact`)."""
        return "i/o" in str(self).lower()


class Database:
    """Connections to one database file in WAL mode: one writer, any number of reader threads that never wait for it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open `path`, creating and migrating it as needed.

        Raises StoreError when it is from a newer version, unreadable, or the disk is full; DamagedDatabase when broken.
        """
        self.path = path
        self.read_only = read_only
        self._local = threading.local()
        """What the calling thread reads with, while it does."""
        self._write_lock = threading.RLock()
        self._connections: set[sqlite3.Connection] = set()
        self._idle: list[sqlite3.Connection] = []
        """Connections that nobody reads with, the one used last at the end: what it has cached is wanted most likely."""
        self._registry_lock = threading.Lock()
        self._closed = False
        with _guarded(path):
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.touch(mode=0o600)
            self._writer = self._connect()
            version = self._writer.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                self.close()
                raise StoreError(
                    f"{path} was written by a newer khoj-ls (schema {version}, this one knows {SCHEMA_VERSION}): "
                    "upgrade khoj-ls, or delete the file to build the index anew"
                )
            if read_only and version < SCHEMA_VERSION:
                self.close()
                raise StoreError(f"{path} is being written by an older khoj-ls: end that (`khoj-ls daemon stop`) and try again")
            if not read_only:
                self._writer.execute("PRAGMA journal_mode = WAL")
                if 0 < version < SCHEMA_VERSION:
                    back_up(self._writer, path, version)
                if version < SCHEMA_VERSION:
                    migrate(self._writer)
        self._place = place_of(path)

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode={'ro' if self.read_only else 'rw'}"
        connection = sqlite3.connect(uri, uri=True, timeout=30.0, isolation_level=None, check_same_thread=False)
        # NORMAL: after a power cut the last transactions may be missing, never half there; they are found again by the scan.
        for pragma in ("synchronous = NORMAL", "foreign_keys = OFF", "secure_delete = FAST", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        with self._registry_lock:
            self._connections.add(connection)
        return connection

    def _borrow(self) -> sqlite3.Connection:
        with self._registry_lock:
            if self._closed:
                raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        """Threads come and go with sessions: a connection of each, kept for good, would use up memory and open files."""
        sound = False
        try:
            # Some errors make SQLite roll back by itself; they, not the lack of a transaction, are what is to be heard of.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            sound = True
        finally:
            with self._registry_lock:
                kept = sound and not self._closed and len(self._idle) < _MOST_IDLE
                if kept:
                    self._idle.append(connection)
                else:
                    self._connections.discard(connection)
            if not kept:
                with contextlib.suppress(sqlite3.Error):
                    connection.close()

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A consistent snapshot for the calling thread; never blocked by the writer. May be nested."""
        outer = getattr(self._local, "reader", None)
        with _guarded(self.path):
            if outer is not None:
                yield outer
                return
            connection = self._local.reader = self._borrow()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                self._local.reader = None
                self._give_back(connection)

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed at the end, rolled back on any error. Raises the revision of the index."""
        with self._write_lock, _guarded(self.path):
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'")
                connection.execute("COMMIT")
            except BaseException:  # a transaction is whole or not there, whatever ended it; it is raised again
                # A full disk makes SQLite roll back by itself; then there is nothing left to roll back.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def intact(self) -> bool:
        """Whether SQLite's quick check finds nothing wrong. Reads the whole file."""
        try:
            with self.read() as connection:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        except StoreError:
            return False

    @property
    def lost(self) -> bool:
        """Whether the file was deleted, or replaced by another, since it was opened: we read and write what nobody finds."""
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:  # rights are missing for a while, or a disk does not answer: that says nothing of the file
            return False
        return self._place != place_of(self.path)

    def size_bytes(self) -> int:
        """Size of the database with its write-ahead log."""
        return sum(path.stat().st_size for path in (self.path, self.path.with_name(self.path.name + "-wal")) if path.exists())

    def close(self) -> None:
        """Close every connection; the write-ahead log is folded into the file."""
        with self._registry_lock:
            self._closed = True
            for connection in self._connections:
                with contextlib.suppress(sqlite3.Error):
                    connection.close()
            self._connections.clear()
            self._idle.clear()


def _guarded(path: Path) -> contextlib.AbstractContextManager[None]:
    return guarded(
        path,
        damaged=lambda told: DamagedDatabase(f"{told}: it will be set aside and built anew from the notes"),
        full=", the index goes on from where it was",
    )


def set_aside(path: Path) -> Path:
    """Rename a damaged database and its log so that a new one can be made; returns where it is kept."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{path.name}.damaged-{stamp}{'' if number == 1 else f'-{number}'}" for number in itertools.count(1))
    kept = next(place for name in names if not (place := path.with_name(name)).exists())
    path.replace(kept)
    set_log_aside(path, kept)
    return kept


def set_log_aside(path: Path, kept: Path) -> None:
    """Rename what is left of the log of a database that was at `path` and is `kept`: a new one would take it for its own."""
    for suffix in ("-wal", "-shm"):
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.replace(kept.with_name(kept.name + suffix))


def get_meta(connection: sqlite3.Connection, key: str, default: str = "") -> str:
    """Value of one key of the meta table."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else default


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Set one key of the meta table."""
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
    )
