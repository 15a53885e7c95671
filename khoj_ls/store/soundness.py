"""Whether a database file is sound: SQLite's own checks, and vectors that are such. Reads everything, changes nothing."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import struct
from pathlib import Path

_OF_OTHERS = ("locked", "full", "readonly", "unable to open")
_NORM = 1e-3
"""How far from 1 the length of a vector may be: they are made with length 1, and float32 keeps seven digits."""


def fault_in(path: Path) -> str:
    """What SQLite finds wrong with the file at `path`; empty when nothing. The file may be open elsewhere.

    Raises sqlite3.Error where it cannot be looked at: that it is locked, or the disk full, says nothing of it.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            (told,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            words = connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5(%'")
            for (name,) in words.fetchall():
                # Older SQLite leaves the word indexes out of its check.
                connection.execute(f"INSERT INTO {name} ({name}) VALUES ('integrity-check')")
            return "" if told == "ok" else str(told)
    except UnicodeDecodeError:  # SQLite's own words about a damaged schema
        return "its schema is not UTF-8"
    except sqlite3.Error as error:
        if any(mark in str(error) for mark in _OF_OTHERS):
            raise
        return str(error)


def is_sound(vector: bytes) -> bool:
    """Whether these bytes are a vector of length 1."""
    numbers = struct.unpack(f"<{len(vector) // 4}f", vector) if len(vector) % 4 == 0 else ()
    return math.isfinite(length := math.fsum(number * number for number in numbers)) and abs(length - 1.0) < 2 * _NORM


def unsound_vectors(path: Path) -> int:
    """How many vectors of the database at `path` are none. Raises sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT v.vector, m.dimensions FROM embedding v LEFT JOIN model m ON m.id = v.model_id")
        return sum(len(vector) != 4 * (dimensions or 0) or not is_sound(vector) for vector, dimensions in rows)
