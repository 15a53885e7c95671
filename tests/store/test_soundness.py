"""Damage is found: by SQLite where it can, by the vectors' length where it cannot, and by what two indexes hold."""

from __future__ import annotations

import math
import sqlite3
import struct
from contextlib import closing

import pytest

from khoj_ls.store import chunks as store
from khoj_ls.store.contents import digests
from khoj_ls.store.database import Database
from khoj_ls.store.recovery import rebuild_database
from khoj_ls.store.soundness import fault_in, is_sound, unsound_vectors


def packed(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        (packed(1.0, 0.0), True),
        (packed(0.6, -0.8), True),
        (packed(*[1 / math.sqrt(384)] * 384), True),
        (packed(0.6, 0.9), False),
        (packed(math.nan, 0.0), False),
        (packed(math.inf, 0.0), False),
        (packed(0.0, 0.0), False),
        (b"", False),
        (b"abc", False),
    ],
)
def test_what_is_a_vector(vector, expected):
    assert is_sound(vector) is expected


def test_a_vector_that_is_none_is_counted_and_not_taken_over(tmp_path):
    path = tmp_path / "index.db"
    database = Database(path)
    with database.write() as connection:
        model = store.use_model(connection, "m", "tiny", 2, "c")
        good, bad = (b"g" * 16, packed(0.6, 0.8)), (b"b" * 16, packed(6e9, 0.8))
        store.store_vectors(connection, model, [good, bad])
    database.close()
    assert (fault_in(path), unsound_vectors(path)) == ("", 1), "SQLite sees nothing wrong with it"
    new, _ = rebuild_database(path)
    with new.read() as connection:
        assert connection.execute("SELECT hash FROM embedding").fetchall() == [(b"g" * 16,)]
    new.close()


@pytest.mark.parametrize(
    ("damage", "sound"),
    [
        (lambda data: data, True),
        (lambda data: data[: len(data) // 2], False),
        (lambda data: b"\xff" * 100 + data[100:], False),
        (lambda data: data[:4096] + b"\xff" * 40_000 + data[44_096:], False),
        (lambda data: b"", True),
    ],
)
def test_a_file_that_sqlite_cannot_use_has_a_fault(tmp_path, damage, sound):
    path = tmp_path / "index.db"
    Database(path).close()
    path.write_bytes(damage(path.read_bytes()))
    assert (fault_in(path) == "") is sound


def test_a_file_that_somebody_writes_has_no_fault_for_it(tmp_path, monkeypatch):
    path = tmp_path / "index.db"
    database = Database(path)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **more: connect(*given, **{**more, "timeout": 0}))
    with database.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        fault_in(path)
    database.close()


def test_two_indexes_of_the_same_hold_the_same_whatever_the_order_and_the_numbers(tmp_path):
    def made(name: str, *paths: str) -> dict[str, int]:
        database = Database(tmp_path / name)
        with database.write() as connection:
            for path in paths:
                connection.execute(
                    "INSERT INTO file (path, type, size, mtime_ns, ctime_ns, inode, content_hash, status, origin, private) "
                    "VALUES (?, 'markdown', 1, 0, 0, 0, x'00', 'indexed', 'disk', 0)",
                    (path,),
                )
                connection.execute(
                    "INSERT INTO name (file_id, key, full, source) VALUES (last_insert_rowid(), :path, :path, 'path')",
                    {"path": path},
                )
            connection.execute("DELETE FROM file WHERE path = 'gone'")
            connection.execute("DELETE FROM name WHERE key = 'gone'")
        database.close()
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            return digests(connection)

    first = made("1", "a", "b")
    assert made("2", "gone", "b", "a") == first
    other = made("3", "a", "c")
    assert [table for table in first if first[table] != other[table]] == ["file", "name"]
