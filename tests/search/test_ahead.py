"""The nearest vectors, looked for by the thread that brings the query's vector, while words are looked up."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

import khoj_ls.search.context
from khoj_ls.core.jobs import CancelToken
from khoj_ls.search.ahead import NearestAhead
from khoj_ls.search.pipeline import search
from khoj_ls.search.types import SearchRequest
from khoj_ls.store.exact_vectors import ExactVectors
from khoj_ls.store.hnsw_vectors import HnswVectors, hnsw_available
from khoj_ls.store.vectors import VectorIndex

QUERY = "where does the plum router stand"


class Signals(CancelToken):
    """Does something when the search looks at it for the second time: that is while words are looked up."""

    def __init__(self, then) -> None:
        super().__init__()
        self.looks = 0
        self.then = then

    def raise_if_cancelled(self) -> None:
        self.looks += 1
        if self.looks == 2:
            self.then()


@pytest.fixture(params=["hnsw", "exact"])
def house(vault, request, monkeypatch):
    """In which the vectors count as many."""
    if request.param == "hnsw" and not hnsw_available():
        pytest.skip("no hnswlib on this machine: exact search serves")
    monkeypatch.setattr(khoj_ls.search.context, "_MANY", 1)
    for number in range(36):
        sections = (f"# Plum {number}.{room}\n\nThe router number {number} stands in room {room}.\n" for room in range(20))
        vault.put(f"{number}.md", "\n".join(sections))
    vault.put("garden/plum.md", "# Plums\n\nThe plum beside the router.\n")
    cache, exact_below = vault.database.path.with_suffix(".hnsw"), 1 if request.param == "hnsw" else 10**6
    vault.index = VectorIndex(vault.database, vault.model, cache, exact_below=exact_below)
    vault.search("warm")
    return vault


@pytest.fixture
def looks(monkeypatch):
    """On which thread vectors were looked through, for how many."""
    asked = []

    def watch(kind):
        nearest = kind.nearest

        def told(self, vector, k, **options):
            asked.append((threading.current_thread().name, k))
            return nearest(self, vector, k, **options)

        monkeypatch.setattr(kind, "nearest", told)

    watch(HnswVectors)
    watch(ExactVectors)
    return asked


def on_a_thread(work, *arguments):
    thread = threading.Thread(target=work, args=arguments, name="brings")
    thread.start()
    thread.join()


def asked_for(house, when, request):
    """The hits of a search whose vector is brought `when`: as it begins, while words are looked up, when it is waited for."""
    vector = house.embed_query(QUERY)
    told = []

    def begin(text, passage, then):
        told.append(then)
        if when == "as it begins":
            on_a_thread(then, vector)

        def coming(seconds):
            if when == "when it is waited for":
                on_a_thread(then, vector)
            return vector

        return coming

    token = Signals(lambda: on_a_thread(told[0], vector) if when == "meanwhile" else None)
    return search(replace(house.context, begin_query=begin), request, token).hits


@pytest.mark.parametrize(
    ("query", "when", "thread"),
    [
        (QUERY, "as it begins", "MainThread"),  # nobody knows yet how many are wanted
        (QUERY, "meanwhile", "brings"),
        (QUERY, "when it is waited for", "brings"),
        (QUERY, "never", "MainThread"),
        (f"{QUERY} -path:garden", "meanwhile", "brings"),
    ],
)
def test_the_nearest_are_looked_for_once(house, looks, query, when, thread):
    expected = house.search(query).hits
    [(_, count)] = looks
    looks.clear()
    assert asked_for(house, when, SearchRequest(query)) == expected
    assert looks == [(thread, count)]


def test_for_a_narrow_filter_its_own_are_compared(house, looks):
    request = SearchRequest(f"{QUERY} path:garden")
    assert [hit.path for hit in asked_for(house, "meanwhile", request)] == ["garden/plum.md"]
    assert looks == []


def test_where_words_are_not_asked_nothing_is_looked_for_ahead(house, looks):
    request = SearchRequest(QUERY, mode="dense")
    assert asked_for(house, "when it is waited for", request) == house.search(QUERY, mode="dense").hits
    assert {thread for thread, _ in looks} == {"MainThread"}


def test_what_was_stored_after_the_look_is_found(house):
    ahead = NearestAhead(house.index)
    ahead.expect(3)
    vector = house.embed_query("kitten")
    ahead.arrived(vector)
    house.put("cat.md", "# Cat\n\nfeline\n")
    assert ahead.search(vector, 3) == house.index.search(vector, 3)
    assert ahead.search(vector, 3)[0][1] > 0.6


def test_who_searches_waits_for_a_look_that_has_begun(house, looks, monkeypatch):
    begun, go_on, found = threading.Event(), threading.Event(), []
    glance = house.index.glance

    def slowly(vector, k):
        begun.set()
        go_on.wait(20)
        return glance(vector, k)

    monkeypatch.setattr(house.index, "glance", slowly)
    ahead, vector = NearestAhead(house.index), house.embed_query(QUERY)
    ahead.expect(5)
    brings = threading.Thread(target=ahead.arrived, args=(vector,), name="brings")
    brings.start()
    assert begun.wait(20)
    searches = threading.Thread(target=lambda: found.append(ahead.search(vector, 5)))
    searches.start()
    go_on.set()
    for thread in (brings, searches):
        thread.join(20)
    assert looks == [("brings", 5)]
    assert found == [house.index.search(vector, 5)]


def test_of_few_vectors_nothing_is_looked_for_ahead(vault, looks):
    vault.put("plum.md", "# Plum\n\nThe router stands here.\n")
    vault.search("warm")
    looks.clear()
    heard = []

    def begin(text, passage, then):
        heard.append(then)
        return lambda seconds: vault.embed_query(text)

    assert search(replace(vault.context, begin_query=begin), SearchRequest(QUERY)).hits
    assert heard == [None]
    assert [thread for thread, _ in looks] == ["MainThread"]
