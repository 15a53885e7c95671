"""The word index as arrays: what FTS5 says of each word, and what a file of them gives back."""

from __future__ import annotations

import os
import sqlite3

import numpy as np
import pytest

from khoj_ls.core.errors import Cancelled, StoreError
from khoj_ls.store.postings import WordTable, read_postings
from khoj_ls.store.postings_file import load_postings, save_postings

TABLE = WordTable("t", ("title", "body"), ((2.0, 1.0), (0.5, 0.0)), "SELECT id, file FROM owner")
ROWS = {
    3: ("Router", "the router fixes routers"),
    5: ("Garden", "a pond"),
    9: ("", "Ünder the pond, pond by pond"),
    12: ("", ""),
}


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(title, body, tokenize = 'porter unicode61 remove_diacritics 2')")
    connection.execute("CREATE VIRTUAL TABLE t_hit USING fts5vocab(t, 'instance')")
    connection.execute("CREATE TABLE owner (id INTEGER PRIMARY KEY, file INTEGER)")
    connection.executemany(
        "INSERT INTO t (rowid, title, body) VALUES (?, ?, ?)", ((row, *texts) for row, texts in ROWS.items())
    )
    connection.executemany("INSERT INTO owner VALUES (?, ?)", ((row, 100 + row) for row in ROWS))
    return connection


def told(postings, word):
    """What is known of a word: by row id, its hits by each weighting."""
    hits = postings.hits[postings.of(word)]
    worth = map(tuple, (hits["worth"] / 2).tolist())
    return dict(zip(postings.ids[hits["row"]].tolist(), worth, strict=True))


@pytest.mark.parametrize(
    ("word", "hits"),
    [
        ("router", {3: (4.0, 0.5)}),
        ("pond", {5: (1.0, 0.0), 9: (3.0, 0.0)}),
        ("the", {3: (1.0, 0.0), 9: (1.0, 0.0)}),
        ("under", {9: (1.0, 0.0)}),
        ("garden", {5: (2.0, 0.5)}),
        *((missing, {}) for missing in ("", "a0", "pon", "ponds", "zebra", "ünder")),
    ],
)
def test_a_word_has_its_rows_with_the_worth_of_its_hits(connection, word, hits):
    assert told(read_postings(connection, TABLE), word) == hits


def test_rows_have_their_length_and_their_file(connection):
    postings = read_postings(connection, TABLE)
    assert postings.ids.tolist() == [3, 5, 9, 12]
    assert postings.sizes.tolist() == [5, 3, 6, 0]
    assert postings.files.tolist() == [103, 105, 109, 112]


def test_an_index_without_words_has_none(connection):
    connection.execute("DELETE FROM t")
    postings = read_postings(connection, TABLE)
    assert (told(postings, "pond"), postings.sizes.tolist()) == ({}, [0, 0, 0, 0])
    connection.execute("DELETE FROM owner")
    assert len(read_postings(connection, TABLE).ids) == 0


def test_words_of_rows_that_are_gone_are_left_out(connection):
    connection.execute("DELETE FROM owner WHERE id = 5")
    postings = read_postings(connection, TABLE)
    assert (told(postings, "pond"), told(postings, "garden")) == ({9: (3.0, 0.0)}, {})
    assert postings.sizes.tolist() == [5, 6, 0]


def test_hits_past_counting_are_as_many_as_can_be_told(connection):
    connection.execute("INSERT INTO t (rowid, body) VALUES (20, ?)", ("echo " * 40_000,))
    connection.execute("INSERT INTO owner VALUES (20, 120)")
    assert told(read_postings(connection, TABLE), "echo") == {20: (32767.5, 0.0)}


def test_many_words_are_read_in_pieces_and_given_up_between_them(connection):
    rows = range(100, 1100)
    connection.executemany(
        "INSERT INTO t (rowid, body) VALUES (?, ?)", ((row, " ".join(f"w{row}x{at}" for at in range(200))) for row in rows)
    )
    connection.executemany("INSERT INTO owner VALUES (?, 1)", ((row,) for row in rows))
    pieces = []
    postings = read_postings(connection, TABLE, lambda: pieces.append(1))
    assert len(pieces) > 1
    assert [told(postings, f"w{row}x{row % 100}") for row in rows] == [{row: (1.0, 0.0)} for row in rows]

    def give_up():
        raise Cancelled

    with pytest.raises(Cancelled):
        read_postings(connection, TABLE, give_up)


@pytest.fixture
def saved(connection, tmp_path):
    path = tmp_path / "words"
    save_postings(path, connection, [TABLE], {"drawn": np.array([7, -(2**62)])})
    return path


def test_a_file_gives_back_what_was_saved(connection, saved):
    postings, more = load_postings(saved, [TABLE])
    assert more["drawn"].tolist() == [7, -(2**62)]
    kept = read_postings(connection, TABLE)
    for name, array in vars(kept).items():
        again = getattr(postings[TABLE], name)
        again = again[0 : len(kept.hits)] if name == "hits" else again
        assert (again.dtype, again.tobytes()) == (array.dtype, array.tobytes()), name


def test_a_file_that_was_opened_stays_what_it_was(connection, saved):
    before, _ = load_postings(saved, [TABLE])
    connection.execute("DELETE FROM t WHERE rowid = 5")
    save_postings(saved, connection, [TABLE], {})
    after, _ = load_postings(saved, [TABLE])
    assert (told(before[TABLE], "garden"), told(after[TABLE], "garden")) == ({5: (2.0, 0.5)}, {})
    os.truncate(saved, 0)
    with pytest.raises(StoreError, match="delete it"):
        told(after[TABLE], "pond")


def test_no_words_are_kept_as_well(connection, tmp_path):
    connection.execute("DELETE FROM t")
    save_postings(tmp_path / "words", connection, [TABLE], {})
    postings, _ = load_postings(tmp_path / "words", [TABLE])
    assert told(postings[TABLE], "pond") == {}


def test_what_is_called_off_leaves_what_was_there(connection, saved):
    def give_up():
        raise Cancelled

    with pytest.raises(Cancelled):
        save_postings(saved, connection, [TABLE], {}, give_up)
    assert sorted(path.name for path in saved.parent.iterdir()) == ["words", "words.json"]
    assert load_postings(saved, [TABLE]) is not None


def test_what_is_not_the_file_that_was_saved_is_left(saved):
    other = WordTable("t", ("title", "body"), ((3.0, 1.0), (0.5, 0.0)), "SELECT id, file FROM owner")
    assert load_postings(saved, [other]) is None
    content = saved.read_bytes()
    state = saved.with_name("words.json")
    described = state.read_text()
    for damaged in (content[:-1], bytes([content[0] ^ 1]) + content[1:], b""):
        saved.write_bytes(damaged)
        assert load_postings(saved, [TABLE]) is None
    saved.write_bytes(content)
    for wrong in ("", "[]", "{}", described.replace('"checksum": ', '"checksum": 1'), described[:-2]):
        state.write_text(wrong)
        assert load_postings(saved, [TABLE]) is None
    state.write_text(described)
    assert load_postings(saved, [TABLE]) is not None
    saved.unlink()
    assert load_postings(saved, [TABLE]) is None
