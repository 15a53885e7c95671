"""The queue of webhook deliveries: an SQLite file of its own in the user's data folder, which outlives every process.

What was added is on the disk (synchronous = FULL). Several processes may use it. The text of a delivery that has arrived is
deleted, also from the disk (secure_delete). Times are Unix times.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from khoj_ls.core.errors import StoreError
from khoj_ls.store.backups import back_up
from khoj_ls.store.database import set_aside
from khoj_ls.store.trouble import guarded, place_of

log = logging.getLogger(__name__)

VERSION = 1
"""Of the tables below, kept as `PRAGMA user_version`."""

KEPT_SECONDS = 30 * 86_400.0
"""How long deliveries are kept: as a record when they have arrived, to be tried again when they have not."""

_BUSY_SECONDS = 10.0
_TABLES = (
    "CREATE TABLE IF NOT EXISTS delivery (id TEXT PRIMARY KEY, number INTEGER NOT NULL, webhook TEXT NOT NULL, "
    "event TEXT NOT NULL, body BLOB, created REAL NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, "
    "due REAL NOT NULL, status INTEGER, error TEXT NOT NULL DEFAULT '', ended REAL)",
    "CREATE INDEX IF NOT EXISTS idx_delivery_due ON delivery (webhook, due, number) WHERE state = 'waiting'",
    "CREATE INDEX IF NOT EXISTS idx_delivery_number ON delivery (number)",
    "CREATE TABLE IF NOT EXISTS webhook (name TEXT PRIMARY KEY, failures INTEGER NOT NULL DEFAULT 0, "
    "open_until REAL NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0)",
    f"PRAGMA user_version = {VERSION}",
)
_COLUMNS = "id, webhook, event, created, state, attempts, due, status, error, ended"

State = Literal["waiting", "arrived", "failed"]


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one webhook."""

    id: str
    webhook: str
    event: str
    created: float
    state: State
    attempts: int
    due: float
    """When it is tried next, where it waits."""
    status: int | None
    """HTTP status of the last attempt."""
    error: str
    """Of the last attempt."""
    ended: float | None


@dataclass(frozen=True)
class Circuit:
    """How a webhook has done lately."""

    failures: int = 0
    """Attempts that failed since one was last taken."""
    open_until: float = 0.0
    """Nothing is sent before."""
    dropped: int = 0
    """Events that were not taken down for it: its queue was full."""


class _Damaged(StoreError):
    """The file is no intact database."""


class Deliveries:
    """The queue. Any thread may ask. All methods raise StoreError where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        """Name the file; opens nothing yet."""
        self.path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._place: tuple[int, int] | None = None
        self._told = ""
        """What was done about a damaged file."""

    def add(self, items: Sequence[tuple[str, str, bytes]], created: float, *, most: int) -> list[str]:
        """Take down (webhook, event, body) of an event, due at once; returns the ids. On the disk when this returns.

        A webhook with `most` deliveries that wait is given none; that is counted.
        """
        added = []
        with self._write() as connection:
            for webhook, event, body in items:
                (waiting,) = connection.execute(
                    "SELECT count(*) FROM delivery WHERE webhook = ? AND state = 'waiting'", (webhook,)
                ).fetchone()
                if waiting >= most:
                    connection.execute(
                        "INSERT INTO webhook (name, dropped) VALUES (?, 1) ON CONFLICT (name) DO UPDATE "
                        "SET dropped = dropped + 1",
                        (webhook,),
                    )
                    continue
                added.append(secrets.token_hex(16))
                connection.execute(
                    "INSERT INTO delivery (id, number, webhook, event, body, created, state, due) "
                    "VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM delivery), ?, ?, ?, ?, 'waiting', ?)",
                    (added[-1], webhook, event, body, created, created),
                )
        return added

    def next(self, webhook: str) -> tuple[Delivery, bytes] | None:
        """The delivery of a webhook that is due first, with its body, whether it is due yet or not."""
        with self._write() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS}, body FROM delivery WHERE webhook = ? AND state = 'waiting' ORDER BY due, number LIMIT 1",
                (webhook,),
            ).fetchone()
        return (Delivery(*row[:-1]), bytes(row[-1])) if row else None

    def arrived(self, delivery: Delivery, status: int | None, now: float) -> None:
        """The receiver has taken it: its text is deleted, and the circuit of its webhook closed."""
        with self._write() as connection:
            connection.execute(
                "UPDATE delivery SET state = 'arrived', attempts = attempts + 1, status = ?, error = '', ended = ?, "
                "body = NULL WHERE id = ?",
                (status, now, delivery.id),
            )
            connection.execute("UPDATE webhook SET failures = 0, open_until = 0 WHERE name = ?", (delivery.webhook,))

    def failed(
        self, delivery: Delivery, status: int | None, error: str, now: float, *, due: float | None, open_until: float
    ) -> None:
        """An attempt has failed: it is due again, or (None) given up; `open_until`: the circuit of its webhook."""
        with self._write() as connection:
            connection.execute(
                "UPDATE delivery SET state = ?, attempts = attempts + 1, status = ?, error = ?, due = coalesce(?, due), "
                "ended = ? WHERE id = ?",
                ("failed" if due is None else "waiting", status, error, due, now if due is None else None, delivery.id),
            )
            connection.execute(
                "INSERT INTO webhook (name, failures, open_until) VALUES (?, 1, ?) ON CONFLICT (name) DO UPDATE "
                "SET failures = failures + 1, open_until = excluded.open_until",
                (delivery.webhook, open_until),
            )

    def postponed(self, delivery: Delivery, error: str, due: float) -> None:
        """It could not be tried (there is no key); that counts as no attempt."""
        with self._write() as connection:
            connection.execute("UPDATE delivery SET error = ?, due = ? WHERE id = ?", (error, due, delivery.id))

    def retry(self, beginnings: Sequence[str] | None, now: float) -> list[str]:
        """Make failed deliveries due now, with all their attempts: those whose id begins so, or all; returns their ids.

        Waiting ones that are named are due now, too. The circuits of their webhooks are closed.
        """
        with self._write() as connection:
            if beginnings is None:
                rows = connection.execute("SELECT id, webhook FROM delivery WHERE state = 'failed' ORDER BY number").fetchall()
            else:
                rows = [
                    row
                    for each in beginnings
                    for row in connection.execute(
                        "SELECT id, webhook FROM delivery WHERE substr(id, 1, length(:id)) = :id AND state != 'arrived'",
                        {"id": each},
                    )
                ]
            for name, webhook in rows:
                connection.execute(
                    "UPDATE delivery SET state = 'waiting', attempts = 0, due = ?, ended = NULL WHERE id = ?", (now, name)
                )
                connection.execute("UPDATE webhook SET failures = 0, open_until = 0 WHERE name = ?", (webhook,))
        return list(dict.fromkeys(name for name, _ in rows))

    def latest(self, limit: int, webhook: str | None = None, state: str | None = None) -> list[Delivery]:
        """The deliveries that were taken down last, the newest first."""
        with self._write() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM delivery WHERE coalesce(webhook = ?, 1) AND coalesce(state = ?, 1) "
                "ORDER BY number DESC LIMIT ?",
                (webhook, state, limit),
            ).fetchall()
        return [Delivery(*row) for row in rows]

    def counts(self, webhook: str) -> dict[str, int]:
        """How many deliveries of a webhook are in each state."""
        with self._write() as connection:
            rows = connection.execute(
                "SELECT state, count(*) FROM delivery WHERE webhook = ? GROUP BY state", (webhook,)
            ).fetchall()
        return {"waiting": 0, "arrived": 0, "failed": 0, **dict(rows)}

    def circuit(self, webhook: str) -> Circuit:
        """How a webhook has done lately."""
        with self._write() as connection:
            row = connection.execute("SELECT failures, open_until, dropped FROM webhook WHERE name = ?", (webhook,)).fetchone()
        return Circuit(*row) if row else Circuit()

    def clear_old(self, now: float) -> None:
        """Forget deliveries that were taken down too long ago."""
        with self._write() as connection:
            connection.execute("DELETE FROM delivery WHERE created < ?", (now - KEPT_SECONDS,))

    def mend(self) -> str:
        """Read all of the file, and save what can be read where something is wrong; what was done, or nothing."""
        with self._lock:
            self._close()
            self._told = ""
            with self._guarded():
                self._opened()
            return self._told

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            self._close()

    # -- inside ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with self._lock:
            try:
                with self._guarded():
                    connection = self._opened()
                    connection.execute("BEGIN IMMEDIATE")
                    try:
                        yield connection
                        connection.execute("COMMIT")
                    except BaseException:  # a transaction is whole or not there, whatever ended it; it is raised again
                        if connection.in_transaction:
                            connection.execute("ROLLBACK")
                        raise
            except _Damaged:
                self._close()  # the next one that opens it finds it damaged, and makes a new one
                raise

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and self._place == place_of(self.path):
            return self._connection
        self._close()
        try:
            self._connection = self._open()
        except _Damaged as error:
            kept = set_aside(self.path)
            self._connection = self._open()
            saved = _saved(kept, self._connection)
            self._told = f"{error}; {saved} deliveries could be saved, the old file is kept as {kept}"
            log.error("%s", self._told)
        self._place = place_of(self.path)
        return self._connection

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.touch(mode=0o600)
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            with self._guarded():
                for pragma in ("synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY"):
                    connection.execute(f"PRAGMA {pragma}").fetchall()
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version > VERSION:
                    raise StoreError(f"{self.path} was written by a newer khoj-ls: upgrade khoj-ls; it is left as it is")
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
                if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                    raise _Damaged(f"{self.path} is damaged")
                if 0 < version < VERSION:
                    back_up(connection, self.path, version)
                for statement in _TABLES if version < VERSION else ():
                    connection.execute(statement)
        except BaseException:  # not to be used, whatever it was; it is raised again
            connection.close()
            raise
        return connection

    def _guarded(self) -> contextlib.AbstractContextManager[None]:
        return guarded(self.path, damaged=_Damaged, full="; no delivery is taken down until then")

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):  # nothing is lost by it: what was written is on the disk
                self._connection.close()
        self._connection = self._place = None


def _saved(damaged: Path, connection: sqlite3.Connection) -> int:
    """Copy every delivery that can be read from a damaged queue; returns how many."""
    columns = "id, number, webhook, event, body, created, state, attempts, due, status, error, ended"
    saved = 0
    with contextlib.suppress(sqlite3.Error):  # what comes behind the damage is lost
        source = sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=rw", uri=True)
        with contextlib.closing(source):
            for row in source.execute(f"SELECT {columns} FROM delivery NOT INDEXED"):
                with contextlib.suppress(sqlite3.Error):  # a row that is not whole
                    saved += connection.execute(
                        f"INSERT OR IGNORE INTO delivery ({columns}) VALUES ({', '.join('?' * len(row))})", row
                    ).rowcount
    return saved
