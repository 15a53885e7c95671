"""A damaged database costs time, not vectors."""

from __future__ import annotations

import re

import pytest

from khoj_ls.store import chunks as store
from khoj_ls.store.database import Database
from khoj_ls.store.recovery import open_database, rebuild_database

DIMENSIONS = 4
VECTOR = b"\0\0\x80\x3f" + bytes(12)


@pytest.fixture
def path(tmp_path):
    """A closed database with 500 vectors, large enough to be damaged in the middle."""
    path = tmp_path / "index.db"
    database = Database(path)
    with database.write() as connection:
        model = store.use_model(connection, "m", "tiny", DIMENSIONS, "c")
        store.store_vectors(connection, model, ((bytes([i % 256, i // 256]) * 8, VECTOR) for i in range(500)))
    database.close()
    return path


def vector_count(database: Database) -> int:
    with database.read() as connection:
        return connection.execute("SELECT count(*) FROM embedding").fetchone()[0]


def test_an_intact_database_is_opened_as_it_is(path):
    database, kept = open_database(path)
    assert (vector_count(database), kept) == (500, None)
    database.close()


def test_vectors_that_can_be_read_move_to_the_new_database(path):
    pages = path.read_bytes()
    # Damage one page in the middle of the table: a run of vectors is lost, those before it are not.
    places = [match.start() for match in re.finditer(re.escape(VECTOR), pages)]
    victim = places[len(places) // 2] // 4096 * 4096
    path.write_bytes(pages[:victim] + b"\xff" * 4096 + pages[victim + 4096 :])
    database, kept = rebuild_database(path)
    assert kept.exists()
    assert database.intact()
    assert 0 < vector_count(database) < 500
    database.close()


def test_rubbish_is_kept_and_replaced(path):
    path.write_bytes(b"rubbish " * 4096)
    database, kept = open_database(path)
    assert vector_count(database) == 0
    assert kept is not None and kept.read_bytes().startswith(b"rubbish")
    database.close()
