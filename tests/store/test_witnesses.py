"""A graph that misses what is near is given up, and only such a one."""

from __future__ import annotations

import numpy as np
import pytest
from vectors_kit import add_note, cut, embed, vector, vector_of

from khoj_ls.store import chunks as store
from khoj_ls.store.hnsw_vectors import HnswVectors, hnsw_available
from khoj_ls.store.trust import Trust
from khoj_ls.store.vectors import VectorIndex
from khoj_ls.store.witnesses import MOST, Witnesses, spread

pytestmark = pytest.mark.skipif(not hnsw_available(), reason="hnswlib is not installed")

TEXTS = tuple(f"text {i}" for i in range(300))
QUERY = vector(5)
EAST = np.array([1, 0], np.float32).tobytes()


@pytest.fixture
def filled(database, model):
    add_note(database, model, "a.md", *TEXTS)
    embed(database, model, *TEXTS)
    return database


@pytest.fixture
def opened(filled, model, tmp_path):
    """Opens the index, as often as it is called."""
    return lambda exact_below=10: VectorIndex(filled, model, tmp_path / "v.hnsw", exact_below=exact_below)


def lose(index, count: int) -> None:
    """Have the graph not find the `count` nearest to the query, as if no step led to them."""
    for number, _ in index.search(QUERY, count):
        index._held._graph.mark_deleted(number)


def witnesses_at(*cosines: float) -> Witnesses:
    """Witnesses 0, 1, 2, ... with these cosines to `EAST`."""
    vectors = np.array([[cosine, (1 - cosine**2) ** 0.5] for cosine in cosines], np.float32)
    return Witnesses(np.arange(len(cosines)), vectors, len(cosines))


def ids(found) -> list[int]:
    return [number for number, _ in found]


@pytest.mark.parametrize(
    ("lost", "asked", "kind"),
    [
        (0, 10, "hnsw"),
        (1, 10, "hnsw"),  # one of ten is what a sound graph may miss
        (4, 10, "hnsw"),
        (60, 10, "exact"),
        (60, 1, "exact"),
        (295, 10, "exact"),  # fewer are left than are asked for
    ],
)
def test_a_graph_that_misses_most_of_what_is_near_is_given_up(opened, lost, asked, kind):
    index = opened()
    lose(index, lost)
    found = [ids(index.search(QUERY, asked)) for _ in range(3)]
    assert index.kind == kind
    assert kind == "hnsw" or found[-1] == ids(opened(10**9).search(QUERY, asked))
    assert len(index) == len(TEXTS)


@pytest.mark.parametrize(
    ("doubted", "held"),
    [
        ([True, True], True),
        ([True, True, True], False),
        ([True, True, *[False] * 297, True], False),
        ([True, True, *[False] * 298, True, True], True),
    ],
)
def test_a_graph_is_trusted_until_three_answers_of_300_are_doubted(doubted, held):
    trust = Trust()
    assert [trust.holds(doubted=each) for each in doubted][-1] is held


def test_what_a_sound_graph_misses_it_finds_on_a_second_look(opened, monkeypatch):
    index, exact = opened(), opened(10**9)
    looks = []
    nearest = HnswVectors.nearest

    def hasty(graph, query, k, *, widely=False):
        looks.append(widely)
        return nearest(graph, query, k, widely=True) if widely else nearest(graph, query, 3 * k)[k // 2 :: 2][:k]

    monkeypatch.setattr(HnswVectors, "nearest", hasty)
    for _ in range(4):
        assert ids(index.search(QUERY, 20)) == ids(exact.search(QUERY, 20))
    assert (looks, index.kind) == ([False, True] * 4, "hnsw")


def test_it_stays_given_up_until_there_are_twice_as_many(filled, model, opened, tmp_path):
    first = opened()
    lose(first, 60)
    first.save()
    for _ in range(3):
        first.search(QUERY, 10)
    first.save()
    assert not (tmp_path / "v.hnsw").exists()
    second = opened()
    assert (second.catch_up(), second.kind) == (300, "exact")
    more = [f"more {i}" for i in range(300)]
    add_note(filled, model, "b.md", *more)
    embed(filled, model, *more)
    second.catch_up()
    assert (second.kind, len(second), second.search(vector_of("more 7"), 1)[0][1]) == ("hnsw", 600, pytest.approx(1, abs=1e-5))
    second.save()
    third = opened()
    assert (third.catch_up(), third.kind) == (0, "hnsw")


def test_what_left_the_index_is_not_missed(filled, model, opened):
    (file_id,) = filled._writer.execute("SELECT id FROM file").fetchone()
    index = opened()
    near = {*ids(index.search(QUERY, 60))} - {len(TEXTS)}  # the highest id never leaves
    stay = [text for text in TEXTS if ids(index.search(vector_of(text), 1))[0] not in near]
    cut(filled, model, file_id, *stay)
    with filled.write() as connection:
        store.set_aside(connection, model, 0.0, 1000)
    assert not near & set(ids(index.search(QUERY, 10)))
    assert (index.kind, len(index)) == ("hnsw", len(TEXTS) - len(near))


@pytest.mark.parametrize(
    ("cosines", "found", "contradicted"),
    [
        ((0.9, 0.8, 0.7, 0.1), [(0, 0.9), (1, 0.8), (2, 0.7)], False),
        ((0.9, 0.8, 0.7, 0.1), [(0, 0.9), (8, 0.65)], True),  # 1 and 2 are nearer than the last
        ((0.9, 0.8, 0.7, 0.1), [(0, 0.9), (1, 0.8), (8, 0.65)], False),  # 2 alone
        ((0.9, 0.8, 0.7, 0.1), [(8, 0.85)], False),
        ((0.9, 0.8, 0.7, 0.6), [(0, 0.9), (1, 0.8), (8, 0.5)], False),  # two of four
        ((0.9, 0.8, 0.7, 0.6), [], True),
    ],
)
def test_witnesses_contradict_an_answer_that_lacks_most_of_the_nearer_ones(cosines, found, contradicted):
    assert witnesses_at(*cosines).contradict(EAST, found) is contradicted


@pytest.mark.parametrize(
    ("first", "again", "doubted"),
    [
        ([0, 8, 9], [0, 1, 2], False),
        ([8, 9, 7], [0, 1, 2], True),  # the first look was somewhere else altogether
        ([0, 8, 9], [0, 3, 8], True),  # 1 and 2 are nearer than the last, still
        ([0, 1, 9], [0, 1, 3], False),  # 2 alone
    ],
)
def test_a_second_look_is_doubted_where_a_region_was_missed(first, again, doubted):
    cosine = {0: 0.9, 1: 0.8, 2: 0.7, 3: 0.1}
    answers = [[(number, cosine.get(number, 0.05)) for number in each] for each in (first, again)]
    assert witnesses_at(*cosine.values()).doubt(EAST, *answers) is doubted


@pytest.mark.parametrize(("witnesses", "count", "few"), [(5, 5, False), (5, MOST, False), (5, 2 * MOST, True), (0, 5, True)])
def test_a_graph_that_has_grown_wants_other_witnesses(witnesses, count, few):
    assert Witnesses(np.arange(witnesses), np.zeros((witnesses, 2), np.float32), witnesses).few_for(count) is few


@pytest.mark.parametrize(("count", "chosen"), [(0, 0), (1, 1), (MOST, MOST), (10 * MOST + 7, MOST)])
def test_witnesses_are_spread_over_all(count, chosen):
    some = spread(np.arange(count))
    assert len(set(some.tolist())) == chosen
    assert count == 0 or (some[0], some[-1]) == (0, count - 1)
    assert np.diff(some).max(initial=1) <= count / MOST + 2
