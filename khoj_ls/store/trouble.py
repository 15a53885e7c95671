"""What may happen to a database file, told to people; and whether the file is still the one that was opened."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from khoj_ls.core.errors import StoreError

_DAMAGED = (
    *("disk image is malformed", "malformed database schema", "not a database", "disk i/o error", "corrupt"),
    "vtable constructor failed",
)
"""Not `malformed` alone: so is JSON."""


def place_of(path: Path) -> tuple[int, int] | None:
    """What tells this file from another of the same name; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def guarded(path: Path, *, damaged: Callable[[str], StoreError], full: str) -> Iterator[None]:
    """Turn SQLite's errors into a StoreError that names the file and what to do.

    `damaged` makes that of a broken file from what is to be told of it, `full` says what comes of a full disk.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error).lower()
        if "full" in text:
            raise StoreError(f"the disk that holds {path} is full: free some space{full}") from error
        if "could not decode to utf-8" in text:  # the rest of it is the text of a note
            raise damaged(f"{path} is damaged (it holds texts that are not UTF-8)") from None
        if any(mark in text for mark in _DAMAGED):
            raise damaged(f"{path} is damaged ({error})") from error
        if "locked" in text:
            raise StoreError(
                f"{path} is in use by another program that does not let go of it: end that, and try again"
            ) from error
        if "readonly" in text or "unable to open" in text or "permission" in text:
            raise StoreError(f"{path} cannot be opened ({error}): check the permissions of its folder") from error
        raise StoreError(f"{path}: {error}") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}: check the permissions and the space of its folder") from error
