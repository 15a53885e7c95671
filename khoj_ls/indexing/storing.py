"""What is to be written to the word index, gathered into transactions: many files of a backlog at once, an edit on its own."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from khoj_ls.core.errors import StoreError
from khoj_ls.core.types import ParsedFile
from khoj_ls.indexing.queue import Lane
from khoj_ls.links.names import link_key, stored_names
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, Naming, Origin, move_file, remove_file, replace_file, touch_file

log = logging.getLogger(__name__)

_MOST_EFFECTS = 128
_MOST_BYTES = 2_000_000
_LONGEST_WAIT = 0.25

NAMING = Naming(stored_names, link_key)
"""How links name notes, for the store."""


@dataclass(frozen=True)
class Effect:
    """One change to the store, decided but not yet written."""

    kind: Literal["replaced", "touched", "moved", "removed"]
    paths: tuple[str, ...]
    """The file's path, and its old one if it moved."""
    apply: Callable[[sqlite3.Connection], int | None]
    """Makes the change in the caller's transaction; returns the id of a replaced file."""
    lane: Lane
    file_id: int = 0
    """0 where `apply` tells it."""
    size: int = 0


def replacing(
    stat: FileStat, digest: bytes, parsed: ParsedFile, origin: Origin, lane: Lane, size: int, *, private: bool, reader: str
) -> Effect:
    """Store what `reader` made of `size` bytes of the file at `stat.path`; `private`: whether a rule makes it private."""
    apply = partial(
        replace_file,
        stat=stat,
        digest=digest,
        parsed=parsed,
        origin=origin,
        naming=NAMING,
        private=private,
        reader=reader,
    )
    return Effect("replaced", (stat.path,), apply, lane, size=size)


def touching(file_id: int, stat: FileStat, origin: Origin, lane: Lane) -> Effect:
    """Take note of a new stat of unchanged content."""
    return Effect("touched", (stat.path,), partial(touch_file, file_id=file_id, stat=stat, origin=origin), lane, file_id)


def moving(file_id: int, old: str, stat: FileStat, lane: Lane) -> Effect:
    """Give the file that was at `old` its new path."""
    return Effect("moved", (stat.path, old), partial(move_file, file_id=file_id, stat=stat, naming=NAMING), lane, file_id)


def removing(file_id: int, path: str, lane: Lane) -> Effect:
    """Forget a file."""
    return Effect("removed", (path,), partial(remove_file, file_id=file_id), lane, file_id)


class Storing:
    """The effects that wait for their transaction. For the writer thread only."""

    def __init__(self, database: Database, on_stored: Callable[[Effect, int], None]) -> None:
        """Write to `database`; `on_stored` is called with each effect and its file's id once it is committed."""
        self._database = database
        self._on_stored = on_stored
        self._effects: list[Effect] = []
        self._size = 0
        self._since = 0.0
        self._one_by_one = False
        self.paths: set[str] = set()
        """Paths whose row is about to change: they must not be looked at before it has."""
        self.refused: dict[str, str] = {}
        """Files whose rows could not be written for a reason of their own, by path."""

    def __len__(self) -> int:
        """How many effects wait."""
        return len(self._effects)

    def add(self, effect: Effect) -> None:
        """Take in an effect."""
        if not self._effects:
            self._since = time.monotonic()
        self._effects.append(effect)
        self._size += effect.size
        self.paths.update(effect.paths)

    def due_in(self, *, more_comes: bool) -> float | None:
        """Seconds until the next transaction should be made; None when nothing waits."""
        if not self._effects:
            return None
        full = len(self._effects) >= _MOST_EFFECTS or self._size >= _MOST_BYTES
        if full or not more_comes or any(effect.lane < Lane.BACKLOG for effect in self._effects):
            return 0.0
        return max(0.0, self._since + _LONGEST_WAIT - time.monotonic())

    def commit(self) -> None:
        """Write all that waits. What fails stays and is written one by one the next time, so that only what is to blame waits.

        Raises StoreError.
        """
        batches = [[effect] for effect in self._effects] if self._one_by_one else [self._effects]
        self._effects = []
        failures = [failure for batch in batches if (failure := self._attempt(batch))]
        self._size = sum(effect.size for effect in self._effects)
        self.paths = {path for effect in self._effects for path in effect.paths}
        self._one_by_one = bool(self._effects)
        if failures:
            raise failures[0]

    def _attempt(self, batch: list[Effect]) -> StoreError | None:
        try:
            done = self._write(batch)
        except StoreError as error:
            self._effects += batch
            return error
        except Exception as error:
            log.warning("writing %s failed", batch[0].paths[0], exc_info=True)
            if len(batch) == 1:
                self.refused[batch[0].paths[0]] = f"it cannot be stored ({type(error).__name__}: {error})"
            else:
                self._effects += batch
            return None
        for effect, file_id in done:
            self.refused.pop(effect.paths[0], None)
            self._on_stored(effect, file_id)
        return None

    def _write(self, batch: list[Effect]) -> list[tuple[Effect, int]]:
        with self._database.write() as connection:
            return [(effect, effect.apply(connection) or effect.file_id) for effect in batch]
