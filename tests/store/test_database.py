"""Opening, damage, newer versions, and reading beside a writer."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest

from khoj_ls.core.errors import StoreError
from khoj_ls.store.database import DamagedDatabase, Database, get_meta, set_aside, set_meta
from khoj_ls.store.lock import WriterLock


def test_the_database_is_readable_by_its_owner_only(database):
    assert database.path.stat().st_mode & 0o077 == 0


def test_a_write_that_fails_leaves_nothing(database):
    with pytest.raises(RuntimeError), database.write() as connection:
        set_meta(connection, "half", "done")
        raise RuntimeError
    with database.read() as connection:
        assert get_meta(connection, "half", "absent") == "absent"


def test_every_write_raises_the_revision(database):
    def revision() -> int:
        with database.read() as connection:
            return int(get_meta(connection, "revision"))

    before = revision()
    with database.write() as connection:
        set_meta(connection, "a", "b")
    assert revision() == before + 1


def test_a_reader_does_not_wait_for_an_open_write(database):
    seen = []

    def read() -> None:
        with database.read() as connection:
            seen.append(get_meta(connection, "a", "nothing yet"))

    with database.write() as connection:
        set_meta(connection, "a", "written")
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(10)
    assert seen == ["nothing yet"]


def test_threads_that_come_and_go_leave_no_more_files_open_each_time(database):
    all_read = threading.Barrier(30)

    def read() -> None:
        with database.read() as connection:
            get_meta(connection, "a")
            all_read.wait(20)

    def opened() -> int:
        return sum(Path(each.path) == database.path for each in psutil.Process().open_files())

    def after_a_session() -> int:
        threads = [threading.Thread(target=read) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        return opened()

    # As long as one connection is open SQLite keeps the files of closed ones for the next: as many as were open at once.
    assert after_a_session() >= after_a_session() == after_a_session()


def test_a_read_within_a_read_sees_what_that_sees(database):
    with database.read() as outer:
        assert get_meta(outer, "a", "not yet") == "not yet"
        with database.write() as connection:
            set_meta(connection, "a", "written")
        with database.read() as inner:
            assert get_meta(inner, "a", "not yet") == "not yet"
    with database.read() as later:
        assert get_meta(later, "a", "not yet") == "written"


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "index.db"
    database = Database(path)
    with database.write() as connection:
        connection.execute("PRAGMA user_version = 9999")
    database.close()
    with pytest.raises(StoreError, match="newer khoj-ls"):
        Database(path)
    assert path.exists()


@pytest.mark.parametrize(
    "content", [b"this is no database, and long enough to be read as a page" * 100, b"SQLite format 3\0" + b"\xff" * 8000]
)
def test_a_damaged_file_is_recognised_and_set_aside(tmp_path, content):
    path = tmp_path / "index.db"
    path.write_bytes(content)
    with pytest.raises(DamagedDatabase, match="damaged"):
        Database(path)
    kept = set_aside(path)
    assert kept.read_bytes() == content
    Database(path).close()


def test_a_text_that_is_none_is_damage_and_is_not_repeated(database):
    with database.write() as connection:
        connection.execute("INSERT INTO meta (key, value) VALUES ('x', CAST(x'73656372657480ff' AS TEXT))")
    with pytest.raises(DamagedDatabase, match="not UTF-8") as raised, database.read() as connection:
        get_meta(connection, "x")
    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(("error", "lost"), [(PermissionError, False), (TimeoutError, False), (FileNotFoundError, True)])
def test_a_file_that_cannot_be_looked_at_is_not_lost(database, monkeypatch, error, lost):
    def refuse(path, **more):
        raise error

    assert not database.lost
    monkeypatch.setattr(type(database.path), "stat", refuse)
    assert database.lost is lost


def test_one_writer_at_a_time(tmp_path):
    first, second = WriterLock(tmp_path), WriterLock(tmp_path)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
