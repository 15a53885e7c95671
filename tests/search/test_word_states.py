"""Arrays of words follow the notes: a few that were written are read at once, many when somebody has the time."""

from __future__ import annotations

import shutil
import time

import pytest

from khoj_ls.core.errors import Cancelled
from khoj_ls.search import word_states
from khoj_ls.search.word_states import WordStates
from khoj_ls.store.database import Database


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(word_states, "_MOST_FRESH", 4)
    monkeypatch.setattr(word_states, "_RENEWED_AFTER", 2)
    monkeypatch.setattr(word_states, "_SHARE_OF_TIME", 0)


@pytest.fixture
def states(tmp_path):
    return WordStates(tmp_path / "words.postings")


def write(vault, first, last):
    for number in range(first, last):
        vault.put(f"note{number}.md", f"# Note {number}\n\nA pond with {number} herons.\n")


def holding(states, database, word="pond"):
    """How many entries hold a word, by the arrays; None where they are not to be asked."""
    with database.read() as connection:
        state = states.of(connection)
        return len(state.entries.look_up(word).rows) if state else None


def test_of_much_that_was_written_nothing_is_told_before_it_is_read(vault, states):
    write(vault, 0, 2)
    assert (holding(states, vault.database), states.worn) == (2, False)
    write(vault, 2, 3)
    assert (holding(states, vault.database), states.worn) == (3, True)
    write(vault, 3, 5)
    assert (holding(states, vault.database), states.worn) == (None, True)
    states.renew(vault.database)
    assert not states.worn
    assert (holding(states, vault.database), states.worn) == (5, False)
    write(vault, 4, 6)
    assert (holding(states, vault.database), states.worn) == (6, False)


def test_many_files_are_not_looked_into(vault, states, monkeypatch):
    write(vault, 0, 6)
    seen = []
    monkeypatch.setattr(
        word_states, "_entries", lambda _, files, real=word_states._entries: seen.append(len(files)) or real(None, files)
    )
    assert (holding(states, vault.database), seen) == (None, [6])


def test_a_state_is_read_once(vault, states, monkeypatch):
    write(vault, 0, 2)
    read = []
    monkeypatch.setattr(WordStates, "_read", lambda *args, real=WordStates._read: read.append(1) or real(*args))
    assert [holding(states, vault.database) for _ in range(3)] == [2, 2, 2]
    assert len(read) == 1
    write(vault, 2, 3)
    assert (holding(states, vault.database), len(read)) == (3, 2)


def test_a_search_that_began_before_a_change_is_told_of_its_own_state(vault, states):
    write(vault, 0, 2)
    with vault.database.read() as before:
        before.execute("SELECT count(*) FROM file").fetchone()
        write_elsewhere = Database(vault.database.path)
        with write_elsewhere.write() as connection:
            connection.execute("DELETE FROM file WHERE path = 'note0.md'")
        assert holding(states, write_elsewhere) == 1
        assert len(states.of(before).entries.look_up("pond").rows) == 2
        assert holding(states, write_elsewhere) == 1
        write_elsewhere.close()


def test_what_is_kept_is_of_no_other_database(vault, states, tmp_path, empty_vault):
    write(vault, 0, 5)
    states.renew(vault.database)
    other = tmp_path / "other"
    other.mkdir()
    anew = empty_vault(other)
    write(anew, 0, 5)
    anew.put("note0.md", "# Note 0\n\nA roof.\n")
    shutil.copy(tmp_path / "words.postings", other)
    shutil.copy(tmp_path / "words.postings.json", other)
    theirs = WordStates(other / "words.postings")
    assert (holding(theirs, anew.database), theirs.worn) == (None, True)
    theirs.renew(anew.database)
    assert holding(theirs, anew.database) == 4
    anew.database.close()


def test_what_cannot_be_kept_is_told_all_the_same(vault, tmp_path):
    states = WordStates(tmp_path / "nowhere" / "words.postings")
    write(vault, 0, 5)
    states.renew(vault.database)
    assert holding(states, vault.database) == 5


def test_a_reader_keeps_nothing(vault, states, tmp_path):
    write(vault, 0, 5)
    reader = Database(vault.database.path, read_only=True)
    states.renew(reader)
    assert (holding(states, reader), list(tmp_path.glob("words*"))) == (5, [])
    reader.close()


def test_a_damaged_file_is_read_anew(vault, states, tmp_path):
    write(vault, 0, 5)
    states.renew(vault.database)
    (tmp_path / "words.postings").write_bytes(b"\xa5" * 5000)
    again = WordStates(tmp_path / "words.postings")
    assert holding(again, vault.database) is None
    again.renew(vault.database)
    assert holding(WordStates(tmp_path / "words.postings"), vault.database) == 5


def test_reading_that_is_called_off_leaves_what_was_there(vault, states):
    write(vault, 0, 5)
    states.renew(vault.database)
    vault.put("note0.md", "# Note 0\n\nA roof.\n")

    def over():
        raise Cancelled

    with pytest.raises(Cancelled):
        states.renew(vault.database, over)
    assert (holding(states, vault.database), holding(states, vault.database, "roof")) == (4, 1)


def test_it_is_renewed_no_more_often_than_it_is_worth(vault, states, monkeypatch):
    monkeypatch.setattr(word_states, "_SHARE_OF_TIME", 1e9)
    write(vault, 0, 5)
    assert (holding(states, vault.database), states.worn) == (None, True)
    states.renew(vault.database)
    write(vault, 5, 9)
    assert (holding(states, vault.database), states.worn) == (9, False)
    later = time.monotonic() + 1e9
    monkeypatch.setattr(word_states.time, "monotonic", lambda: later)
    assert states.worn
