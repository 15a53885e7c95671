"""Vectors of texts that no note has any more: not searched, kept for an undo, forgotten in the end."""

from __future__ import annotations

import pytest
from vectors_kit import add_note, cut, embed, vector_of

from khoj_ls.store import chunks as store
from khoj_ls.store.hnsw_vectors import hnsw_available
from khoj_ls.store.vectors import VectorIndex

DAY = 86_400.0
TEXTS = tuple(f"text {number}" for number in range(40))
KINDS = pytest.mark.parametrize(
    "exact_below",
    [
        pytest.param(10**6, id="exact"),
        pytest.param(10, id="hnsw", marks=pytest.mark.skipif(not hnsw_available(), reason="no hnswlib on this machine")),
    ],
)


@pytest.fixture
def note(database, model):
    """A note with all the texts, embedded; and one behind it, so that the highest id is not theirs."""
    file_id = add_note(database, model, "a.md", *TEXTS)
    add_note(database, model, "b.md", "the last")
    embed(database, model, *TEXTS, "the last")
    return file_id


def set_aside(database, model, now=0.0, most=1000) -> int:
    with database.write() as connection:
        return store.set_aside(connection, model, now, most)


def forget(database, now, keep_days=14.0) -> int:
    with database.write() as connection:
        return store.forget_unused(connection, now, keep_days)


def ids_of(database, texts) -> dict[str, int]:
    with database.read() as connection:
        rows = dict(connection.execute("SELECT hash, id FROM embedding").fetchall())
    return {text: rows[store.chunk_hash(text)] for text in texts if store.chunk_hash(text) in rows}


def found(index, texts) -> list[str]:
    """Those of the texts whose vector is found by itself."""
    return [text for text in texts if index.search(vector_of(text), 1)[0][1] > 0.9999]


@KINDS
def test_what_no_note_has_is_not_searched(database, model, note, tmp_path, exact_below):
    index = VectorIndex(database, model, tmp_path / "v", exact_below=exact_below)
    assert found(index, TEXTS) == [*TEXTS]
    cut(database, model, note, *TEXTS[:10])
    assert (set_aside(database, model), set_aside(database, model)) == (30, 0)
    assert found(index, TEXTS) == [*TEXTS[:10]]
    assert (len(index), len(index.search(vector_of("text 1"), 100))) == (11, 11)
    fresh = VectorIndex(database, model, tmp_path / "other", exact_below=exact_below)
    assert found(fresh, TEXTS) == [*TEXTS[:10]]


@KINDS
def test_a_text_that_comes_back_is_found_with_the_vector_it_had(database, model, note, tmp_path, exact_below):
    index = VectorIndex(database, model, tmp_path / "v", exact_below=exact_below)
    before = ids_of(database, TEXTS)
    index.catch_up()
    cut(database, model, note, *TEXTS[:10])
    set_aside(database, model)
    assert cut(database, model, note, *TEXTS[:20]) == 0, "nothing waits for a vector"
    after = ids_of(database, TEXTS)
    assert [*after] == [*TEXTS[:20]]
    assert min(after[text] for text in TEXTS[10:20]) > max(before.values()), "an id is never given twice"
    assert found(index, TEXTS) == [*TEXTS[:20]]
    assert forget(database, 100 * DAY) == 20, "what came back is kept no second time"


def test_an_id_is_not_given_to_another_text(database, model, tmp_path):
    """SQLite gives the highest id again when its row is gone: an index that has it would not take the new row in."""
    file_id = add_note(database, model, "a.md", "one", "two")
    embed(database, model, "one", "two")
    index = VectorIndex(database, model, tmp_path / "v", exact_below=100)
    index.catch_up()
    cut(database, model, file_id, "one")
    set_aside(database, model)
    cut(database, model, file_id, "one", "three")
    embed(database, model, "three")
    assert found(index, ["one", "two", "three"])[-1] == "three"
    set_aside(database, model)
    assert found(index, ["one", "two", "three"]) == ["one", "three"]


def test_the_vectors_of_another_model_are_set_aside(database, model, note, tmp_path):
    with database.write() as connection:
        other = store.use_model(connection, "model-2", "other", model.dimensions, "chunker-1")
    embed(database, other, *TEXTS)
    assert set_aside(database, other) == len(TEXTS) + 1
    assert found(VectorIndex(database, other, tmp_path / "v", exact_below=100), TEXTS) == [*TEXTS]


def test_many_are_set_aside_bit_by_bit(database, model, note):
    cut(database, model, note, TEXTS[0])
    assert [set_aside(database, model, most=25) for _ in range(3)] == [25, 14, 0]


def test_they_are_forgotten_after_some_days(database, model, note):
    cut(database, model, note, *TEXTS[:10])
    set_aside(database, model, now=0.0)
    cut(database, model, note, *TEXTS[:5])
    set_aside(database, model, now=10 * DAY)
    assert [forget(database, now * DAY) for now in (13, 15, 23, 25)] == [0, 30, 0, 5]


def test_of_very_many_the_last_are_kept(database, model, note, monkeypatch):
    monkeypatch.setattr(store, "_LEAST_UNUSED", 5)
    cut(database, model, note, *TEXTS[:10])
    set_aside(database, model, now=0.0)
    assert forget(database, 0.0) == 30 - 11, "as many as are used"
    cut(database, model, note)
    set_aside(database, model, now=1.0)
    forget(database, 1.0)
    with database.read() as connection:
        assert connection.execute("SELECT since, count(*) FROM unused_embedding GROUP BY since").fetchall() == [(1.0, 5)]
