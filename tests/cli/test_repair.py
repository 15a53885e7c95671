"""`khoj-ls doctor --repair`: what is damaged is made right, nothing that can be saved is lost, and what was done is said."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from random import Random

import pytest
from crash.ground import Ground
from crash.workload import Workload

from khoj_ls.store.hnsw_vectors import hnsw_available

QUESTION = "What about the river?"


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """Some notes that are indexed, and a conversation about them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("KHOJ_LS_HOME", "KHOJ_LS_CRASH_KEY"):
            patch.setenv(name, "")
        ground = Ground(tmp_path_factory.mktemp("ground").resolve())
        work = Workload(ground, Random(1))
        work.plant(6)
        ground.ask("reindex")
        ground.chat(QUESTION)
        yield ground
        ground.close()


def repaired(ground: Ground) -> dict[str, tuple[str, str]]:
    """State and message by what was looked at."""
    done = ground.cli("doctor", "--repair", "--vault", str(ground.vault), "--json")
    report = json.loads(done.stdout)
    assert (report["ok"], done.returncode) == (True, 0), done.stdout
    return {each["name"]: (each["state"], each["message"]) for each in report["repairs"]}


def change(ground: Ground, sql: str, name: str = "index.db") -> None:
    """Write to a database that nobody uses, as damage would that SQLite does not see."""
    ground.stop()
    with closing(sqlite3.connect(ground.own / name)) as connection:
        connection.execute(sql)
        connection.commit()


def found(ground: Ground, mode: str = "lexical") -> int:
    return len(ground.ask("search", query="mark1x0", mode=mode)["hits"])


def test_what_is_sound_is_left_alone(ground):
    ground.stop()
    before = {path.name for path in ground.own.iterdir()}
    assert {name: state for name, (state, _) in repaired(ground).items()} == {"index": "intact", "conversations": "intact"}
    assert {path.name for path in ground.own.iterdir()} - {"index.db-shm", "index.db-wal"} <= before


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE entry SET raw = replace(raw, 'mark1x0', 'mbrk1x0')", "differs from the notes in entry, entry_fts, file_fts"),
        ("UPDATE link SET start_byte = start_byte + 1", "differs from the notes in link"),
        ("UPDATE chunk SET line = line + 1", "differs from the notes in chunk"),
        ("DELETE FROM name", "differs from the notes in name"),
        ("UPDATE embedding SET vector = zeroblob(length(vector)) WHERE id = 1", "1 vectors are damaged"),
    ],
)
def test_an_index_that_sqlite_finds_nothing_wrong_with_is_held_against_the_notes(ground, sql, told):
    assert found(ground) == 1
    change(ground, sql)
    done = repaired(ground)
    assert done["index"][0] == "repaired"
    # The words of a changed text can be told apart from those in the word index only where both are looked at.
    assert told.split(", ")[0] in done["index"][1]
    assert "kept as" in done["index"][1]
    assert found(ground) == 1
    assert repaired(ground)["index"][0] == "intact"


def test_an_index_that_is_no_database_is_made_again(ground):
    ground.stop()
    ground.database.write_bytes(b"\xa5" * 50_000)
    state, message = repaired(ground)["index"]
    assert (state, "not a database" in message) == ("repaired", True)
    assert found(ground) == 1


def test_a_file_of_words_that_is_not_what_it_says_is_deleted(ground):
    ground.stop()
    cache = ground.own / "words.postings"
    cache.write_bytes(b"more")
    assert repaired(ground)["words"] == ("repaired", "words.postings was damaged and was deleted: searches make it anew")
    assert not cache.exists()
    assert "words" not in repaired(ground)
    assert found(ground) > 0


@pytest.mark.skipif(not hnsw_available(), reason="no hnswlib on this machine: exact search serves")
def test_an_hnsw_file_that_is_not_what_it_says_is_deleted(ground):
    ground.ask("search", query="river", mode="dense")
    ground.stop()
    (cache,) = ground.own.glob("vectors-*.hnsw")
    with cache.open("ab") as stream:
        stream.write(b"more")
    assert repaired(ground)["vectors"] == ("repaired", f"{cache.name} was damaged and was deleted: searches make it anew")
    assert list(ground.own.glob("vectors-*.hnsw")) == []
    assert found(ground, "dense") > 0


def test_conversations_are_saved_as_far_as_they_can_be_read(ground):
    ground.stop()
    path = ground.own / "conversations.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'idx_conversation_updated'").fetchone()
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    damaged = bytearray(path.read_bytes())
    damaged[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(damaged)
    state, message = repaired(ground)["conversations"]
    assert (state, "1 turns of 1 conversations could be saved" in message) == ("repaired", True)
    assert [each["title"] for each in ground.ask("conversations")["conversations"]] == [QUESTION]
    assert len(list(ground.own.glob("conversations.db.damaged-*"))) >= 1


def test_deliveries_that_wait_are_saved(ground):
    ground.ask("search", query="river")
    ground.stop()
    path = ground.data / "webhooks" / "queue.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'idx_delivery_number'").fetchone()
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        (count,) = connection.execute("SELECT count(*) FROM delivery").fetchone()
    damaged = bytearray(path.read_bytes())
    damaged[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(damaged)
    done = ground.cli("doctor", "--repair", "--json")
    told = [each["message"] for each in json.loads(done.stdout)["repairs"] if each["name"] == "webhooks"]
    assert f"{count} deliveries could be saved" in told[0]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM delivery").fetchone() == (count,)


def test_unfinished_files_of_a_killed_process_are_removed(ground):
    ground.stop()
    (ground.own / "vectors-1.hnsw.4711.tmp").write_bytes(b"half")
    assert repaired(ground)["leftovers"][0] == "repaired"
    assert list(ground.own.glob("*.tmp")) == []


def test_it_says_what_it_does_to_people_too(ground):
    ground.ask("status")
    done = ground.cli("doctor", "--repair")
    assert done.stdout.startswith("intact  daemon: it was ended for this; whoever needs it starts it again\nintact  index: ")
