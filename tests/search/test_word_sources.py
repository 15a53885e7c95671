"""Searches find the same by arrays and by FTS5, and no array is asked for what it cannot tell."""

from __future__ import annotations

import pytest

from khoj_ls.query.parse import parse
from khoj_ls.search import word_sources
from khoj_ls.search.bm25 import ENTRIES
from khoj_ls.search.bm25 import NOTES as NOTES_TABLE
from khoj_ls.search.lexical import match_words
from khoj_ls.search.scope import scope_of
from khoj_ls.search.statistics import StatisticsCache
from khoj_ls.search.stems import Stems
from khoj_ls.search.word_sources import FromArrays, FromIndex, word_source
from khoj_ls.search.word_states import WordStates
from khoj_ls.search.words import phrase

NOTES = {
    "router.md": "# Router\n\nThe router moved to channel 36.\n\n## Fixing the router\n\nPull the plug of the router.\n",
    "work/pond.md": "# Pond\n\nA heron waits. The heron fishes.\n",
    "herons.md": "# Birds\n\nHerons, ducks and the pond.\n\n## The pond\n\nDeep.\n",
    "naïve.md": "# Naïve plans\n\nThe naïve plan and café.\n",
    "lu.md": "# 路由器\n\n路由器 moved to channel 36.\n",
}


@pytest.fixture
def notes(vault):
    for path, text in NOTES.items():
        vault.put(path, text, aliases=("the bird",) if path == "herons.md" else ())
    return vault


@pytest.mark.parametrize("filters", ["", "file:work/", "-file:work/"])
@pytest.mark.parametrize(
    "text",
    [
        *("router", "heron pond", "the pond", "fixing the router", "birds", "the bird", "bird", "channel 36 router"),
        *("naive plans", "CAFÉ", "moved to channel 36", "zebra heron", "zebra", "route fixed fixing", "hern", "路由 channel"),
    ],
)
def test_both_find_the_same(notes, text, filters):
    with notes.database.read() as connection:
        scope = scope_of(connection, parse(f"{text} {filters}"), None)
        statistics = StatisticsCache().of(connection, None)
        state = WordStates().of(connection)
        by_arrays = match_words(connection, statistics, text, 50, state=state, scope=scope)
        by_index = match_words(connection, statistics, text, 50, scope=scope)
    for name in ("entries", "notes", "names", "terms"):
        assert getattr(by_arrays, name) == pytest.approx(dict(getattr(by_index, name)), rel=1e-5), name
    for name in ("exact", "titled", "respelled", "known"):
        assert getattr(by_arrays, name) == getattr(by_index, name), name


@pytest.mark.parametrize(
    ("terms", "prefix", "source"),
    [
        (["router", "channel"], False, FromArrays),
        (["router", "chan"], True, FromIndex),
        (["路由"], False, FromIndex),
        (["路"], False, FromArrays),
        (["hot dog"], False, FromIndex),
    ],
)
def test_arrays_are_asked_for_single_words_typed_in_full(notes, terms, prefix, source):
    with notes.database.read() as connection:
        statistics, state = StatisticsCache().of(connection, None), WordStates().of(connection)
        strings = {phrase(term, prefix=prefix and term == terms[-1]): term for term in terms}
        assert type(word_source(connection, statistics, state, strings, prefix=prefix)) is source
        assert type(word_source(connection, statistics, None, strings, prefix=prefix)) is FromIndex


def test_of_many_that_are_called_so_fts5_tells_the_one(notes, monkeypatch):
    monkeypatch.setattr(word_sources, "_MOST_NAMED", 0)
    with notes.database.read() as connection:
        statistics, state = StatisticsCache().of(connection, None), WordStates().of(connection)
        source = word_source(connection, statistics, state, {'"router"': "router"}, prefix=False)
        assert (source.named(ENTRIES), source.named(NOTES_TABLE)) == (None, None)
        found = match_words(connection, statistics, "router", 50, state=state)
        assert (len(found.exact), found.titled) == (1, {notes.files["router.md"]})


def test_stems_are_those_of_the_word_index():
    assert Stems().of(["ponds", "hot dogs", "", "Über-fixing", "ponds"]) == [
        ("pond",),
        ("hot", "dog"),
        (),
        ("uber", "fix"),
        ("pond",),
    ]


def test_a_row_with_all_words_is_before_one_with_more_of_some(vault):
    vault.put("all.md", "# All\n\nA heron by the pond, and so on and on about other things that nobody asks for.\n")
    vault.put("some.md", "# Some\n\nA heron, a heron, a heron.\n")
    vault.put("none.md", "# None\n\nNothing.\n")
    vault.put("others.md", "# Others\n\nPonds.\n")
    with vault.database.read() as connection:
        statistics = StatisticsCache().of(connection, None)
        for state in (WordStates().of(connection), None):
            found = match_words(connection, statistics, "heron pond", 10, state=state).notes
            assert max(found, key=found.__getitem__) == vault.files["all.md"]
