"""Chunks, the queue of texts that want a vector, and nearest neighbours."""

from __future__ import annotations

import threading

import pytest
from vectors_kit import add_note, cut, embed, vector, vector_of

from khoj_ls.core.types import ParsedFile
from khoj_ls.store import chunks as store
from khoj_ls.store import hnsw_vectors
from khoj_ls.store.files import FileStat, remove_file, replace_file
from khoj_ls.store.hnsw_vectors import hnsw_available
from khoj_ls.store.vectors import VectorIndex


def pending(database, model, **kwargs) -> list[str]:
    with database.read() as connection:
        return sorted(item.text for item in store.next_pending(connection, model, 100, **kwargs))


def test_equal_texts_want_one_vector_and_live_in_both_notes(database, model):
    add_note(database, model, "a.md", "same", "only a")
    add_note(database, model, "b.md", "same")
    assert pending(database, model) == ["only a", "same"]
    embed(database, model, "same", "only a")
    index = VectorIndex(database, model, database.path.with_suffix(".hnsw"), exact_below=100)
    [(nearest, score)] = index.search(vector_of("same"), 1)
    with database.read() as connection:
        homes = store.files_of_embeddings(connection, model, [nearest])
        assert store.coverage(connection, model) == (3, 3)
    assert score == pytest.approx(1.0, abs=1e-5)
    assert [embedding for embedding, _ in homes] == [nearest, nearest]
    assert len({file_id for _, file_id in homes}) == 2


@pytest.mark.parametrize(("uncut_bytes", "covered"), [((), (3, 4)), ((1, 1), (3, 6)), ((200,), (3, 12)), ((50, 50), (3, 8))])
def test_notes_not_cut_yet_count_as_many_chunks_as_others_of_their_size(database, model, uncut_bytes, covered):
    add_note(database, model, "a.md", "one", "two", "three", "four")
    embed(database, model, "one", "two", "three")
    with database.write() as connection:
        connection.execute("UPDATE file SET size = 100")
        for size in uncut_bytes:
            path = f"{len(store.files_without_chunks(connection, model.chunker_id, 9))}.md"
            replace_file(connection, FileStat(path, size, 1, 1, 1), path.encode(), ParsedFile("text", None, ()))
    with database.read() as connection:
        assert store.coverage(connection, model) == covered


def test_a_text_that_comes_back_needs_no_new_vector(database, model):
    file_id = add_note(database, model, "a.md", "text")
    embed(database, model, "text")
    with database.write() as connection:
        remove_file(connection, file_id)
    add_note(database, model, "b.md", "text")
    assert pending(database, model) == []


def test_a_text_that_no_note_has_any_more_is_not_embedded(database, model):
    file_id = add_note(database, model, "a.md", "short lived")
    with database.write() as connection:
        remove_file(connection, file_id)
    assert pending(database, model) == []


def test_private_texts_can_be_held_back(database, model):
    add_note(database, model, "a.md", "diary", private=True)
    add_note(database, model, "b.md", "diary", "recipe")
    assert pending(database, model, private=False) == ["recipe"]


TEXTS = tuple(f"text {i}" for i in range(300))


@pytest.fixture
def filled(database, model):
    add_note(database, model, "a.md", *TEXTS)
    embed(database, model, *TEXTS)
    return database


needs_hnsw = pytest.mark.skipif(not hnsw_available(), reason="no hnswlib on this machine: exact search serves")


@needs_hnsw
def test_hnsw_agrees_with_exact_search(filled, model, tmp_path):
    exact = VectorIndex(filled, model, tmp_path / "a.hnsw", exact_below=10**9)
    hnsw = VectorIndex(filled, model, tmp_path / "b.hnsw", exact_below=10)
    for seed in range(20):
        expected = [key for key, _ in exact.search(vector(seed), 10)]
        assert len(set(expected) & {key for key, _ in hnsw.search(vector(seed), 10)}) >= 9
    assert (exact.kind, hnsw.kind) == ("exact", "hnsw")


def test_what_a_query_was_compared_with_is_forgotten_with_every_change(filled, model, tmp_path):
    index = VectorIndex(filled, model, tmp_path / "a.hnsw", exact_below=10**9)
    (file_id,) = filled._writer.execute("SELECT id FROM file").fetchone()

    def put(*texts: str) -> None:
        cut(filled, model, file_id, *texts)
        embed(filled, model, *texts)
        with filled.write() as connection:
            store.set_aside(connection, model, 0.0, 1000)

    for texts in (TEXTS, TEXTS[100:], (*TEXTS[100:], "new"), TEXTS):
        put(*texts)
        fresh = VectorIndex(filled, model, tmp_path / "b.hnsw", exact_below=10**9)
        expected = dict(fresh.search(vector(3), 10**6))
        for _ in range(2):
            assert dict(index.search(vector(3), 10**6)) == pytest.approx(expected)
        assert index.cosines(vector(3), list(expected)) == pytest.approx(expected)
        assert index.cosines(vector(4), list(expected)) == pytest.approx(fresh.cosines(vector(4), list(expected)))


@needs_hnsw
def test_a_glance_is_what_the_graph_finds_as_it_is(filled, model, tmp_path):
    index = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    assert index.glance(vector(1), 5) is None  # not loaded
    found = index.search(vector(1), 5)
    glance = index.glance(vector(1), 5)
    assert glance.found == found
    assert index.search(vector(2), 5, glance) == found  # nothing has changed: it is taken at its word
    assert index.search(vector(1), 6, glance) == index.search(vector(1), 6) != found
    assert index.glance(b"\0" * 8, 5) is None  # another model's vector
    add_note(filled, model, "b.md", "later")
    embed(filled, model, "later")
    [newest] = [key for key, _ in index.search(vector_of("later"), 1, index.glance(vector_of("later"), 1))]
    assert newest not in dict(index.glance(vector(1), 5).found)
    assert newest == max(key for key, _ in index.search(vector(1), 10**6))


@needs_hnsw
def test_a_glance_waits_for_nobody(filled, model, tmp_path):
    index = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    index.search(vector(1), 5)
    glances = []
    with index._lock:
        other = threading.Thread(target=lambda: glances.append(index.glance(vector(1), 5)))
        other.start()
        other.join(20)
    assert glances == [None]


@needs_hnsw
def test_cosines_beside_hnsw_are_the_exact_ones(filled, model, tmp_path):
    exact = VectorIndex(filled, model, tmp_path / "a.hnsw", exact_below=10**9)
    hnsw = VectorIndex(filled, model, tmp_path / "b.hnsw", exact_below=10)
    ids = [key for key, _ in exact.search(vector(1), 10**6)]
    for index in (exact, hnsw):
        index.catch_up()
    expected = exact.cosines(vector(2), [*ids, 10**6])
    assert hnsw.cosines(vector(2), [*ids, 10**6]) == pytest.approx(expected, abs=1e-3)
    assert exact.cosines(vector(2), [10**6, ids[1], ids[0], ids[1]]) == {key: expected[key] for key in ids[:2]}
    assert hnsw.cosines(vector(2), ids[:3]) == pytest.approx({key: expected[key] for key in ids[:3]}, abs=1e-3)
    assert [key for key, _ in hnsw.search_among(vector(2), ids[:20], 5)] == sorted(ids[:20], key=lambda key: -expected[key])[:5]


def test_what_was_stored_since_is_among_those_compared(filled, model, tmp_path):
    index = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10**9)
    index.catch_up()
    add_note(filled, model, "b.md", "later")
    embed(filled, model, "later")
    with filled.read() as connection:
        [newest] = connection.execute("SELECT max(id) FROM embedding").fetchone()
    assert index.search_among(vector_of("later"), [newest], 1) == [(newest, pytest.approx(1.0, abs=1e-5))]


@needs_hnsw
def test_the_saved_index_is_loaded_and_caught_up(filled, model, tmp_path):
    first = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    first.catch_up()
    first.save()
    add_note(filled, model, "b.md", "later")
    embed(filled, model, "later")
    second = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    assert second.catch_up() == 1
    assert second.search(vector_of("later"), 1)[0][1] == pytest.approx(1.0, abs=1e-5)


def test_an_index_of_a_database_that_was_built_anew_is_not_loaded(filled, model, tmp_path):
    database = filled
    saved = VectorIndex(database, model, tmp_path / "v.hnsw", exact_below=0)
    saved.catch_up()
    saved.save()
    with database.write() as connection:
        rows = connection.execute("SELECT id, hash, vector FROM embedding ORDER BY id").fetchall()
        connection.execute("DELETE FROM embedding")
        # As many as before, and under the same ids, each for another text.
        connection.executemany(
            "INSERT INTO embedding (id, model_id, hash, vector) VALUES (?, ?, ?, ?)",
            [(row[0], model.id, *other[1:]) for row, other in zip(rows, reversed(rows), strict=True)],
        )
    found = VectorIndex(database, model, tmp_path / "v.hnsw", exact_below=0).search(rows[0][2], 1)
    assert [number for number, _ in found] == [rows[-1][0]]


@needs_hnsw
@pytest.mark.parametrize("dropped_before", [True, False], ids=["dropped before it was saved", "dropped since"])
def test_what_left_since_the_index_was_saved_is_not_found(filled, model, tmp_path, dropped_before):
    (file_id,) = filled._writer.execute("SELECT id FROM file").fetchone()
    first = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    first.catch_up()
    for kept, saved in ((200, dropped_before), (100, not dropped_before)):
        cut(filled, model, file_id, *TEXTS[:kept], TEXTS[-1])
        with filled.write() as connection:
            store.set_aside(connection, model, 0.0, 1000)
        if saved:
            first.catch_up()
            first.save()
    second = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    assert second.catch_up() == 0, "the file is used"
    assert len(second) == len(second.search(vector(1), 1000)) == 101
    assert [text for text in TEXTS if second.search(vector_of(text), 1)[0][1] > 0.9999] == [*TEXTS[:100], TEXTS[-1]]


@needs_hnsw
def test_beside_an_older_copy_of_the_database_the_saved_index_is_not_used(filled, model, tmp_path):
    saved = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    saved.catch_up()
    saved.save()
    with filled.write() as connection:  # it had fewer, and gives their ids again
        connection.execute("DELETE FROM embedding WHERE id > 200")
    index = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    assert index.catch_up() == 200
    add_note(filled, model, "b.md", "later")
    embed(filled, model, "later")
    assert index.search(vector_of("later"), 1)[0][1] == pytest.approx(1.0, abs=1e-5)


@needs_hnsw
def test_a_graph_of_which_much_is_gone_is_built_anew_while_it_answers(filled, model, tmp_path, monkeypatch):
    monkeypatch.setattr(hnsw_vectors, "_ROOM", 0)
    (file_id,) = filled._writer.execute("SELECT id FROM file").fetchone()
    index = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    index.catch_up()
    assert not index.renew(lambda: False), "nothing is gone"
    cut(filled, model, file_id, *TEXTS[:200], TEXTS[-1])
    with filled.write() as connection:
        store.set_aside(connection, model, 0.0, 1000)
    index.catch_up()
    assert not index.renew(lambda: True), "it is over"

    def meanwhile() -> bool:
        """While the new graph is built, one text goes and one comes, and searches are answered."""
        cut(filled, model, file_id, *TEXTS[1:200], TEXTS[-1], "new")
        embed(filled, model, "new")
        with filled.write() as connection:
            store.set_aside(connection, model, 0.0, 1000)
        return len(index.search(vector(1), 1000)) != 201

    assert index.renew(meanwhile)
    assert len(index) == len(index.search(vector(1), 1000)) == 201
    assert [text for text in (*TEXTS, "new") if index.search(vector_of(text), 1)[0][1] > 0.9999] == [
        *TEXTS[1:200],
        TEXTS[-1],
        "new",
    ]
    assert not index.renew(lambda: False), "what is gone is not in it"


def corrupt(path):
    path.write_bytes(b"\0" * path.stat().st_size)


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


@needs_hnsw
@pytest.mark.parametrize(
    "damage", [corrupt, truncate, lambda path: path.unlink(), lambda path: path.with_name("v.hnsw.json").write_text("{")]
)
def test_a_damaged_hnsw_file_is_built_anew(filled, model, tmp_path, damage):
    first = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    first.catch_up()
    first.save()
    damage(tmp_path / "v.hnsw")
    second = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=10)
    assert second.catch_up() == len(TEXTS)
    assert second.search(vector_of("text 7"), 1)[0][1] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("exact_below", "off"), [(10, 1e-3), (10_000, 1e-5)], ids=["hnsw", "exact"])
def test_search_among_is_exact_over_the_subset(filled, model, tmp_path, exact_below, off):
    index = VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=exact_below)
    with filled.read() as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM embedding ORDER BY id LIMIT 5")]
    result = index.search_among(vector(3), [*ids, ids[0], 10**9], 3)
    known = dict(index.search(vector(3), len(index)))
    assert dict(result) == pytest.approx({key: known[key] for key, _ in result}, abs=off)
    assert {key for key, _ in result} <= set(ids)
    assert [score for _, score in result] == sorted((score for _, score in result), reverse=True)
