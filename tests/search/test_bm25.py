"""How many rows hold a word: exactly where it matters, nearly where the word is everywhere, and that only once."""

from __future__ import annotations

import sqlite3

import pytest

from khoj_ls.search.bm25 import ENTRIES, FEW_ROWS, counted, idf
from khoj_ls.search.statistics import Statistics


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE VIRTUAL TABLE entry_fts USING fts5(body)")
    rows = [(row, ("often " if row % 2 else "") + ("seldom" if row % 10 == 0 else "")) for row in range(1, 4 * FEW_ROWS + 1)]
    connection.executemany("INSERT INTO entry_fts (rowid, body) VALUES (?, ?)", rows)
    connection.executemany("INSERT INTO entry VALUES (?)", ((row,) for row, _ in rows))
    return connection


@pytest.mark.parametrize(
    ("word", "rows", "off_by"), [("seldom", 0.4 * FEW_ROWS, 0), ("often", 2 * FEW_ROWS, 2), ("never", 0, 0)]
)
def test_rows_that_hold_a_word(connection, word, rows, off_by):
    assert abs(counted(connection, ENTRIES, ["other", word, "seldom"], 4 * FEW_ROWS)[word] - rows) <= off_by


def test_a_word_that_is_everywhere_is_counted_once_in_a_state_of_the_index(connection):
    asked, total = ["often", "seldom", "never"], 4 * FEW_ROWS
    state = Statistics(entries=total, notes=1, coverage=1.0)
    rows = state.holding(connection, asked)
    assert rows == counted(connection, ENTRIES, asked, total)
    connection.execute("DELETE FROM entry_fts")
    assert state.holding(connection, asked) == {"often": rows["often"], "seldom": 0, "never": 0}
    assert Statistics(entries=total, notes=1, coverage=1.0).holding(connection, asked) == dict.fromkeys(asked, 0)


@pytest.mark.parametrize(
    "gone",
    [
        # An edit takes a row away and adds one at the end: what is edited over and over leaves its ids behind.
        pytest.param("id % 8 > 2", id="everywhere"),
        pytest.param("id BETWEEN 5000 AND 30000", id="behind the notes that were there first"),
        pytest.param("id < 24000 AND id % 10", id="among the notes that were there first"),
    ],
)
def test_rows_that_hold_a_word_where_most_ids_are_gone(gone):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE VIRTUAL TABLE entry_fts USING fts5(body)")
    ids = ((row,) for row in range(1, 16 * FEW_ROWS + 1))
    connection.executemany("INSERT INTO entry VALUES (?)", ids)
    connection.execute(f"DELETE FROM entry WHERE {gone}")
    connection.execute("INSERT INTO entry_fts (rowid, body) SELECT id, iif(id % 7, 'often', 'seldom') FROM entry")
    (total,) = connection.execute("SELECT count(*) FROM entry").fetchone()
    (held,) = connection.execute("SELECT count(*) FROM entry_fts WHERE entry_fts MATCH 'often'").fetchone()
    assert counted(connection, ENTRIES, ["often"], total)["often"] == pytest.approx(held, rel=0.2)


def test_a_word_that_more_rows_are_thought_to_hold_than_there_are_tells_next_to_nothing():
    assert idf(100, 250) == idf(100, 100) == 1e-6
