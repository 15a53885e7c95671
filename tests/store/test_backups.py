"""Before a schema is changed the database is copied, the newest copies are kept, and an older khoj-ls can use them again."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing

import pytest

from khoj_ls.store import backups, conversations_file, database, deliveries
from khoj_ls.store.conversations_file import ConversationsFile
from khoj_ls.store.database import Database, get_meta, set_meta
from khoj_ls.store.deliveries import Deliveries


def version(path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def use(kind: str, path) -> None:
    """Open a database of this kind as the program does, and close it."""
    match kind:
        case "index":
            Database(path).close()
        case "conversations":
            file = ConversationsFile(path)
            file.read(lambda connection: None)
            file.close()
        case "queue":
            queue = Deliveries(path)
            queue.counts("x")
            queue.close()


@pytest.fixture
def next_version(monkeypatch):
    """As if the program had become newer by a schema that adds nothing: what the version of each kind is now."""

    def after(connection):
        connection.execute("PRAGMA user_version = 1000")

    monkeypatch.setattr(database, "SCHEMA_VERSION", 1000)
    monkeypatch.setattr(database, "migrate", after)
    monkeypatch.setattr(conversations_file, "CONVERSATIONS_VERSION", 1000)
    monkeypatch.setattr(conversations_file, "migrate_conversations", after)
    monkeypatch.setattr(deliveries, "VERSION", 1000)
    monkeypatch.setattr(deliveries, "_TABLES", ("PRAGMA user_version = 1000",))


@pytest.mark.parametrize("kind", ["index", "conversations", "queue"])
def test_an_upgrade_leaves_a_copy_that_the_older_program_can_use(kind, tmp_path, request):
    path = tmp_path / "it.db"
    use(kind, path)
    before = version(path)
    assert backups.backups(path) == [], "a new database needs none"
    request.getfixturevalue("next_version")
    use(kind, path)
    (copy,) = backups.backups(path)
    assert (version(path), version(copy), copy.stat().st_mode & 0o777) == (1000, before, 0o600)
    use(kind, path)
    assert backups.backups(path) == [copy], "it is made once"
    copy.replace(path)
    request.getfixturevalue("monkeypatch").undo()
    use(kind, path)
    assert version(path) == before


def test_what_was_written_is_in_the_copy(tmp_path, next_version, monkeypatch):
    path = tmp_path / "it.db"
    monkeypatch.undo()
    written = Database(path)
    with written.write() as connection:
        set_meta(connection, "mine", "kept")
    # It is still open: what was written may lie in the log alone.
    copy = backups.back_up(written._writer, path, 7)
    written.close()
    kept = Database(copy)
    with kept.read() as connection:
        assert get_meta(connection, "mine") == "kept"
    kept.close()


def test_the_newest_copies_are_kept(database):
    made = []
    for number in range(backups.KEPT + 2):
        made.append(backups.back_up(database._writer, database.path, number))
        os.utime(made[-1], (number, number))
    assert backups.backups(database.path) == made[: -backups.KEPT - 1 : -1]


def test_a_copy_that_cannot_be_made_keeps_nobody_from_the_new_version(tmp_path, next_version, monkeypatch, caplog):
    path = tmp_path / "it.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups.os, "open", full)
    with caplog.at_level(logging.WARNING):
        use("index", path)
    assert version(path) == 1000
    assert "could not be copied" in caplog.text
    assert list(tmp_path.glob("*before*")) == []
