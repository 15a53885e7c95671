"""Getting over a damaged database: it is set aside, a new one is made, and what can still be read of the vectors moves over.

Everything else is made anew from the notes in seconds; vectors are what takes minutes, and each is named by its content, so a
vector that can be read whole is as good as new.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from khoj_ls.core.errors import StoreError
from khoj_ls.store.database import DamagedDatabase, Database, set_aside
from khoj_ls.store.soundness import is_sound

log = logging.getLogger(__name__)


def open_database(path: Path) -> tuple[Database, Path | None]:
    """Open the database, or build a new one where it is damaged; returns it and where the damaged file is kept, if any.

    Raises StoreError when it is from a newer version, cannot be opened, or the disk is full.
    """
    try:
        return Database(path), None
    except DamagedDatabase as error:
        log.warning("%s", error)
    return rebuild_database(path)


def rebuild_database(path: Path) -> tuple[Database, Path]:
    """Set the closed, damaged database at `path` aside and make a new one with the vectors that can still be read."""
    kept = set_aside(path)
    database = Database(path)
    saved = salvage_vectors(kept, database)
    log.warning("the damaged database is kept as %s; %d vectors were saved from it", kept, saved)
    return database, kept


def rescue(database: Database) -> Path | None:
    """A copy of the open database `database`, whose file was deleted; None when it cannot be made or is not needed.

    What the deleted file's log left behind is deleted, too: it belongs to no other database.
    """
    path = database.path
    if path.exists():
        return None
    copy = path.with_name(f"{path.name}.rescued")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy.unlink(missing_ok=True)
        copy.touch(mode=0o600)
        with database.read() as connection, contextlib.closing(sqlite3.connect(copy)) as target:
            connection.backup(target)
    except (OSError, sqlite3.Error, StoreError) as error:
        log.warning("the vectors of %s, which was deleted, could not be saved: %s", path, error)
        copy.unlink(missing_ok=True)
        return None
    finally:
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    return copy


def take_over_vectors(copy: Path, database: Database) -> None:
    """Move the vectors of a rescued copy to the new, empty `database`; the copy is deleted."""
    saved = salvage_vectors(copy, database)
    log.warning("%s was deleted while it was in use; %d vectors were saved", database.path, saved)
    copy.unlink(missing_ok=True)


def salvage_vectors(damaged: Path, database: Database) -> int:
    """Copy models and vectors that can be read, and are vectors; returns how many of these."""
    try:
        source = sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return 0
    with contextlib.closing(source), database.write() as connection:
        rows = list(_readable(source, "SELECT id, key FROM chunker WHERE id > ? ORDER BY id"))
        connection.executemany("INSERT OR IGNORE INTO chunker (id, key) VALUES (?, ?)", rows)
        models = list(_readable(source, "SELECT id, key, name, dimensions, chunker_id FROM model WHERE id > ? ORDER BY id"))
        connection.executemany(
            "INSERT OR IGNORE INTO model (id, key, name, dimensions, chunker_id) VALUES (?, ?, ?, ?, ?)", models
        )
        lengths = {row[0]: row[3] * 4 for row in models if isinstance(row[3], int)}
        saved = 0
        for _, model_id, digest, vector in _readable(
            source, "SELECT id, model_id, hash, vector FROM embedding WHERE id > ? ORDER BY id"
        ):
            if isinstance(vector, bytes) and isinstance(digest, bytes) and lengths.get(model_id) == len(vector):
                if not is_sound(vector):
                    continue
                saved += connection.execute(
                    "INSERT OR IGNORE INTO embedding (model_id, hash, vector) VALUES (?, ?, ?)", (model_id, digest, vector)
                ).rowcount
    return saved


def _readable(source: sqlite3.Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a query over ids that still can be read, until the first page that cannot."""
    try:
        yield from source.execute(sql, (0,))
    except sqlite3.Error as error:
        log.warning("reading the damaged database stopped: %s", error)
