"""The file of conversations: never thrown away, whatever has happened to it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import sys

import pytest

from khoj_ls.core.errors import StoreError
from khoj_ls.store import conversations as store
from khoj_ls.store.conversations_file import ConversationsFile
from khoj_ls.store.conversations_schema import CONVERSATIONS_VERSION

COUNT = 300


@pytest.fixture
def path(tmp_path):
    """A closed file with 300 turns in 100 conversations, large enough to be damaged in the middle."""
    path = tmp_path / "conversations.db"
    file = ConversationsFile(path)

    def fill(connection):
        for number in range(COUNT):
            if number % 3 == 0:
                conversation = store.add_conversation(connection, f"c{number}", f"title {number}", "", float(number))
            add(connection, conversation, number)

    file.write(fill)
    file.close()
    return path


def add(connection, conversation, number):
    store.add_turn(connection, conversation, f"t{number}", f"question {number}", persona="", model="", owner="", now=1.0)
    store.end_turn(connection, f"t{number}", "done", f"answer {number} " * 30, "{}", 2.0)


def questions(file):
    return [row[0] for row in file.read(lambda c: c.execute("SELECT question FROM turn ORDER BY id").fetchall())]


def found(file, word):
    return file.read(lambda c: c.execute("SELECT count(*) FROM turn_fts WHERE turn_fts MATCH ?", (word,)).fetchone()[0])


def spoil(path, place):
    """Overwrite the page that holds `place`."""
    pages = path.read_bytes()
    victim = place(pages) // 4096 * 4096
    path.write_bytes(pages[:victim] + b"\xff" * 4096 + pages[victim + 4096 :])


def middle(pages):
    places = [match.start() for match in re.finditer(rb"answer 150 answer 150", pages)]
    return places[0]


def test_nothing_happens_to_an_intact_file(path):
    file = ConversationsFile(path)
    assert (len(questions(file)), file.message) == (COUNT, "")
    file.close()


def test_a_broken_page_costs_its_own_rows_alone(path):
    spoil(path, middle)
    file = ConversationsFile(path)
    # It is noticed where it is read, and the question is answered from what could be saved.
    left = file.read(lambda c: c.execute("SELECT question, answer FROM turn ORDER BY id").fetchall())
    assert COUNT - 20 < len(left) < COUNT
    assert {("question 0", "answer 0 " * 30), (f"question {COUNT - 1}", f"answer {COUNT - 1} " * 30)} <= set(left)
    kept = list(path.parent.glob("conversations.db.damaged-*"))
    assert len([each for each in kept if each.suffix != ".lock"]) >= 1
    assert file.message == (
        f"the saved conversations were damaged: {len(left)} turns of 100 conversations could be saved; "
        f"the old file is kept as {min(kept)}"
    )
    assert found(file, "question") == len(left)
    # It can be written, and stays so.
    file.write(lambda c: add(c, 1, 1000))
    file.close()
    again = ConversationsFile(path)
    assert (questions(again)[-1], again.message) == ("question 1000", "")
    again.close()


def test_a_conversation_whose_row_is_lost_is_known_by_its_turns(path):
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM conversation WHERE id = 2")
    connection.close()
    spoil(path, middle)
    file = ConversationsFile(path)
    rows, _ = file.read(lambda c: store.latest_conversations(c, 100, 0))
    assert next(row.title for row in rows if row.number == 2) == "question 3"
    file.close()


def test_rubbish_is_kept_and_replaced(path):
    rubbish = b"rubbish " * 4096
    path.write_bytes(rubbish)
    file = ConversationsFile(path)
    assert questions(file) == []
    assert [each.read_bytes() for each in path.parent.glob("*.damaged-*")] == [rubbish]
    assert "0 turns of 0 conversations" in file.message
    file.close()


def test_what_another_process_replaced_is_found(path):
    ours, theirs = ConversationsFile(path), ConversationsFile(path)
    assert len(questions(theirs)) == COUNT
    ours.write(lambda c: c.execute("PRAGMA user_version"))
    spoil(path, middle)
    assert len(questions(ConversationsFile(path))) < COUNT
    theirs.write(lambda c: add(c, 1, 1000))
    assert questions(ours)[-1] == "question 1000"
    # Only one of the three has set a file aside.
    assert len([each for each in path.parent.glob("*.damaged-*") if not each.name.endswith(("-wal", "-shm"))]) == 1
    ours.close()
    theirs.close()


@pytest.mark.parametrize("kept", ["conversations.db.damaged-20260102-030405", None])
def test_a_rescue_that_was_cut_short_is_completed(path, kept):
    rescued = path.with_name("conversations.db.rescued")
    shutil.copy(path, rescued)
    # The log that the damaged file leaves behind when a process is killed between two renames.
    other = ConversationsFile(path)
    other.write(lambda c: c.execute("DELETE FROM turn WHERE id > 100"))
    log = path.with_name("conversations.db-wal").read_bytes()
    other.close()
    path.rename(path.with_name(kept)) if kept else path.unlink()
    path.with_name("conversations.db-wal").write_bytes(log)
    file = ConversationsFile(path)
    assert len(questions(file)) == COUNT
    assert not rescued.exists()
    assert path.with_name(f"{kept or 'conversations.db.damaged'}-wal").read_bytes() == log
    told = f"; the old file is kept as {path.with_name(kept)}" if kept else ""
    assert file.message == f"the saved conversations were damaged, and what could be read of them was saved{told}"
    file.close()


def test_damaged_words_are_made_again(path):
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM turn_fts_data WHERE id > 10")
    connection.close()
    file = ConversationsFile(path)
    assert found(file, "question") == COUNT
    assert f"{COUNT} turns of 100 conversations" in file.message
    file.close()


def test_a_question_that_fails_does_not_make_the_file_a_damaged_one(path):
    file = ConversationsFile(path)
    with pytest.raises(StoreError, match="malformed JSON"):
        file.read(lambda c: c.execute("SELECT json('{')"))
    assert (len(questions(file)), file.message, list(path.parent.glob("*damaged*"))) == (COUNT, "", [])
    file.close()


def test_a_newer_version_is_left_alone(path):
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {CONVERSATIONS_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    file = ConversationsFile(path)
    for ask in (questions, lambda file: file.write(lambda c: add(c, 1, 1000))):
        with pytest.raises(StoreError, match=r"newer khoj-ls .* upgrade khoj-ls; they are left as they are"):
            ask(file)
    assert path.read_bytes() == before
    file.close()


def test_a_change_is_whole_or_not_there(path):
    file = ConversationsFile(path)

    def half(connection):
        add(connection, 1, 1000)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        file.write(half)
    assert len(questions(file)) == COUNT
    file.close()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_only_the_user_may_read_it(path):
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.glob("conversations*")} == {0o600}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(StoreError, match="check the permissions"):
        questions(ConversationsFile(tmp_path / "locked" / "conversations.db"))


def test_every_transaction_is_on_the_disk_and_what_is_deleted_is_not(path):
    file = ConversationsFile(path)
    # 2: FULL
    assert file.read(lambda c: c.execute("PRAGMA synchronous").fetchone()[0]) == 2
    assert file.read(lambda c: c.execute("PRAGMA secure_delete").fetchone()[0]) == 1
    assert file.read(lambda c: c.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
    file.close()
