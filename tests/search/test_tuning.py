"""Which candidates become hits, and how retrievers are put together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.config.settings import Tuning
from khoj_ls.core.types import Span
from khoj_ls.search.bm25 import affordable, bound, saturated
from khoj_ls.search.dense import DenseMatch, EntryRef
from khoj_ls.search.fusion import Candidate, fuse, reciprocal_ranks
from khoj_ls.search.lexical import LexicalMatches
from khoj_ls.search.notes import WholeNotes
from khoj_ls.search.tuning import above_threshold, apart, capped
from khoj_ls.store.chunks import ChunkRow


@pytest.mark.parametrize(
    ("notes", "limit", "most", "expected"),
    [
        ([1, 1, 1, 1, 2], 4, 3, [0, 1, 2, 4]),
        ([1, 1, 1, 1], 4, 3, [0, 1, 2, 3]),  # relaxed: nothing else fills the limit
        ([1, 1, 2, 1, 3], 3, 1, [0, 2, 4]),
        ([1, 1, 2], 3, 0, [0, 1, 2]),
        ([], 5, 3, []),
    ],
)
def test_the_cap_gives_way_to_the_limit(notes, limit, most, expected):
    assert capped(notes, limit, most) == expected


@given(st.lists(st.integers(0, 3)), st.integers(1, 10), st.integers(0, 4))
def test_the_limit_is_filled_and_order_kept(notes, limit, most):
    taken = capped(notes, limit, most)
    assert len(taken) == min(limit, len(notes))
    assert taken == sorted(set(taken))


def chunk(number: int = 1) -> ChunkRow:
    return ChunkRow(number, 1, 0, 0, Span(0, 1, 1, 1), b"")


def candidate(entry: int, score: float, *, lexical: float = 0.0, covered: tuple[int, ...] = ()) -> Candidate:
    return Candidate(EntryRef(entry, 1, entry), score, lexical, DenseMatch(score, chunk(), covered))


def test_a_threshold_spares_what_words_found():
    kept = above_threshold([candidate(1, 0.1, lexical=0.01), candidate(2, 0.1), candidate(3, 0.5)], 0.3)
    assert [c.entry.id for c in kept] == [1, 3]


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ([(1, (1, 2, 3)), (2, ()), (4, ())], [(1, (1, 2, 3)), (4, ())]),  # the passage holds entry 2
        ([(2, ()), (1, (1, 2, 3)), (3, ())], [(2, ()), (1, ()), (3, ())]),  # entry 2 is shown already: the passage yields
        ([(1, (1, 2)), (3, (2, 3))], [(1, (1, 2)), (3, ())]),
    ],
)
def test_no_line_is_shown_twice(candidates, expected):
    kept = apart([candidate(entry, 0.5, covered=covered) for entry, covered in candidates])
    assert [(c.entry.id, c.dense.covered) for c in kept] == expected


UNIT = st.floats(0, 1)


@given(
    st.dictionaries(st.integers(1, 9), UNIT),
    st.dictionaries(st.integers(1, 9), UNIT),
    st.sampled_from(["hybrid", "lexical", "dense"]),
)
def test_fused_scores_are_absolute_and_fall(lexical, dense, mode):
    entries = [EntryRef(i, 1, i) for i in range(1, 10)]
    matches = {EntryRef(i, 1, i): DenseMatch(score, chunk()) for i, score in dense.items()}
    words = LexicalMatches(entries=lexical, exact=frozenset({3}))
    candidates = fuse(entries, words, matches, WholeNotes(), mode, Tuning())
    scores = [c.score for c in candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    if mode != "dense":
        assert all(c.score < 0.9 + 1e-9 for c in candidates if not c.exact)
        assert [c.entry.id for c in candidates if c.exact] == [c.entry.id for c in candidates[:1] if c.exact]


def test_reciprocal_ranks():
    scores = reciprocal_ranks([["a", "b"], ["b", "c"]])
    assert sorted(scores, key=lambda item: -scores[item]) == ["b", "a", "c"]
    assert scores["b"] == 1 / 61 + 1 / 62


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({'"a"': 3, '"b"': 5, '"c"': 0}, ['"a" OR "b"']),
        ({'"a"': 10, '"b"': 1500, '"c"': 9000}, ['"a" AND "b" AND "c"', '"a" OR "b"']),
        ({'"a"': 9000, '"b"': 20000}, ['"a" AND "b"', '- body : "a"']),
        ({'"a"': 0}, []),
        ({}, []),
    ],
)
def test_a_query_of_common_words_is_asked_by_its_rarest(counts, expected):
    assert affordable(counts) == expected


def test_a_score_says_how_much_of_the_query_stands_there():
    most = bound(1000, [10, 10])
    once = bound(1000, [10]) / 2.2  # one of two words, once, in a row of average length
    assert saturated(0, most) == 0
    assert saturated(once, most) < 0.5 < saturated(2 * once, most) < 0.8 < saturated(most, most) < 1
