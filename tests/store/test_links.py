"""Names and keys in the store, and databases from before there were any."""

from __future__ import annotations

import sqlite3

import pytest

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.errors import StoreError
from khoj_ls.indexing.storing import NAMING
from khoj_ls.store import links
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, move_file, remove_file, replace_file

NOTE = "---\ntitle: Plum Tree\naliases: [Prune]\nid: n1\n---\n# Fruit\n[[Cherry#Harvest|cherries]] [me](#fruit) <https://a.b>\n"


def put(database, path: str, text: str) -> int:
    data = text.encode()
    with database.write() as connection:
        parsed = parse_file(default_registry(), data, path)
        return replace_file(connection, FileStat(path, len(data), 1, 1, 1), content_hash(data), parsed, naming=NAMING)


def names(database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        return sorted(connection.execute("SELECT key, full, source FROM name"))


def test_names_and_keys_are_stored_with_the_file(database):
    file_id = put(database, "garden/plum_tree.md", NOTE)
    assert names(database) == [
        ("n1", "n1", "id"),
        ("plum tree", "plum tree", "title"),
        ("plum_tree", "garden/plum_tree", "path"),
        ("prune", "prune", "alias"),
    ]
    with database.read() as connection:
        rows = links.links_of(connection, [file_id])
        assert [(row.key, row.link.target) for row in rows] == [
            ("cherry", "Cherry#Harvest"),
            (None, "#fruit"),
            (None, "https://a.b"),
        ]
        assert [row.path for row in links.links_with_keys(connection, ["cherry"])] == ["garden/plum_tree.md"]
        assert links.source_text(connection, file_id) == NOTE


def test_a_moved_file_has_the_names_of_its_new_path(database):
    file_id = put(database, "garden/plum_tree.md", NOTE)
    with database.write() as connection:
        move_file(connection, file_id, FileStat("attic/old.md", 1, 1, 1, 1), naming=NAMING)
    moved = names(database)
    with database.write() as connection:
        remove_file(connection, file_id)
    assert names(database) == []
    put(database, "attic/old.md", NOTE)
    assert names(database) == moved
    assert ("old", "attic/old", "path") in moved


@pytest.fixture
def first_schema(tmp_path):
    """A database as the first schema left it, with one note and a vector."""
    path = tmp_path / "index.db"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "DROP TABLE name; DROP INDEX idx_link_key; DROP INDEX idx_link_label; ALTER TABLE link DROP COLUMN key;"
            "DROP INDEX idx_pending_order;"
            "CREATE INDEX idx_link_target ON link (target); DELETE FROM _sqlite_migrations WHERE name = 'm002_links';"
            "INSERT INTO file (path, type, size, mtime_ns, ctime_ns, inode, content_hash, status, origin, private)"
            " VALUES ('a.md', 'markdown', 9, 8, 7, 6, x'05', 'indexed', 'disk', 0);"
            "INSERT INTO embedding (model_id, hash, vector) VALUES (1, x'01', x'00000000');"
            "PRAGMA user_version = 1;"
        )
    return path


def test_an_older_database_is_read_again_and_keeps_its_vectors(first_schema):
    database = Database(first_schema)
    with database.read() as connection:
        assert connection.execute("SELECT path, mtime_ns, content_hash FROM file").fetchall() == [("a.md", 0, b"")]
        assert connection.execute("SELECT count(*) FROM embedding").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM name").fetchone() == (0,)
    database.close()


def test_a_reader_of_an_older_database_is_told_what_to_do(first_schema):
    with pytest.raises(StoreError, match="older khoj-ls"):
        Database(first_schema, read_only=True)
