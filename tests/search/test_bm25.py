"""How many rows hold a word: exactly where it matters, nearly where the word is everywhere."""

from __future__ import annotations

import sqlite3

import pytest

from khoj_ls.search.bm25 import ENTRIES, FEW_ROWS, counted


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
    assert abs(counted(connection, ENTRIES, ["other", word, "seldom"])[word] - rows) <= off_by
