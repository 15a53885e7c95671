"""From notes to their entries and back, whatever ids edits have left."""

from __future__ import annotations

import sqlite3

import pytest

from khoj_ls.search.filters.layout import read_layout
from khoj_ls.search.filters.rows import RowSet

FILE_OF = {2: 1, 3: 1, 5: 4, 9: 1}


def layout(file_of):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL)")
    connection.executemany("INSERT INTO entry VALUES (?, ?)", file_of.items())
    return read_layout(connection)


@pytest.mark.parametrize(
    ("files", "entries"),
    [([], []), ([1], [2, 3, 9]), ([4], [5]), ([1, 4], [2, 3, 5, 9]), ([2], []), ([4, 5, 700], [5])],
)
def test_entries_of_notes_of_which_some_have_none(files, entries):
    assert list(layout(FILE_OF).entries_of(files)) == entries
    assert not layout({}).entries_of(files)


@pytest.mark.parametrize(("entries", "files"), [([], []), ([3], [1]), ([5], [4]), ([2, 5, 9], [1, 4])])
def test_notes_of_entries(entries, files):
    assert list(layout(FILE_OF).files_of(RowSet.of(entries))) == files


def test_all_entries():
    assert (list(layout(FILE_OF).everything), list(layout({}).everything)) == ([2, 3, 5, 9], [])
