"""Measures beside what they come to by hand: 1/log2(3) = .63093 is what a hit in second place is worth."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.core.errors import KhojError
from khoj_ls.evaluation.measures import Run, check_installed, figures, misses

OTHERS = [f"other {place}" for place in range(1, 200)]

CASES = {
    # name: (grades, ranking, nDCG@10, recall@100, MRR@10)
    "first": ({"a": 1}, ["a", "b", "c"], 1.0, 1.0, 1.0),
    "second": ({"b": 1}, ["a", "b"], 1 / log2(3), 1.0, 0.5),
    # DCG 1/1 + 0 + 2/log2(4) = 2; the best is 2/1 + 1/log2(3)
    "grades": ({"c": 2, "d": 1}, ["d", "x", "c"], 2 / (2 + 1 / log2(3)), 1.0, 1.0),
    "tenth": ({"e": 1}, [*OTHERS[:9], "e"], 1 / log2(11), 1.0, 0.1),
    "eleventh": ({"e": 1, "f": 1}, [*OTHERS[:10], "e"], 0.0, 0.5, 0.0),
    "hundredth": ({"e": 1}, [*OTHERS[:99], "e"], 0.0, 1.0, 0.0),
    "too late": ({"e": 1}, [*OTHERS[:100], "e"], 0.0, 0.0, 0.0),
    "nothing found": ({"g": 1}, [], 0.0, 0.0, 0.0),
    "more answers than places": ({name: 1 for name in OTHERS[:20]}, OTHERS[:10], 1.0, 0.5, 1.0),
    "names that C would cut": ({"\0a": 1}, ["\0b", "\0a"], 1 / log2(3), 1.0, 0.5),
}


@pytest.mark.parametrize(("grades", "ranking", "ndcg", "recall", "mrr"), CASES.values(), ids=CASES)
def test_one_query(grades, ranking, ndcg, recall, mrr):
    found = figures({"q": grades}, Run({"q": ranking}))
    assert (found.ndcg, found.recall, found.mrr) == pytest.approx((ndcg, recall, mrr), abs=1e-6)


def test_a_run_is_the_mean_of_its_queries():
    relevant = {name: grades for name, (grades, *_) in CASES.items()} | {"not asked": {"z": 1}}
    run = Run({name: ranking for name, (_, ranking, *_) in CASES.items()}, [float(ms) for ms in range(1, 102)])
    found = figures(relevant, run)
    means = [sum(case[at] for case in CASES.values()) / len(CASES) for at in (2, 3, 4)]
    assert (found.ndcg, found.recall, found.mrr) == pytest.approx(means, abs=1e-6)
    assert (found.p50_ms, found.p95_ms) == pytest.approx((51.0, 96.0))


@given(st.permutations([*"abcdefghijkl"]), st.dictionaries(st.sampled_from("abcdefghijklxyz"), st.integers(1, 3), min_size=1))
def test_measures_hold_to_the_formula(ranking, grades):
    gains = [grades.get(answer, 0) / log2(place + 1) for place, answer in enumerate(ranking[:10], 1)]
    best = [grade / log2(place + 1) for place, grade in enumerate(sorted(grades.values(), reverse=True)[:10], 1)]
    found = figures({"q": grades}, Run({"q": ranking}))
    assert found.ndcg == pytest.approx(sum(gains) / sum(best), abs=1e-6)
    assert found.recall == pytest.approx(len(grades.keys() & set(ranking)) / len(grades), abs=1e-6)


@pytest.mark.parametrize(
    ("times", "json"),
    [([], {}), ([3.0], {"p50_ms": 3.0, "p95_ms": 3.0}), ([1.0, 2.0], {"p50_ms": 1.5, "p95_ms": 1.95})],
)
def test_the_names_that_programs_know(times, json):
    found = figures({"q": {"a": 1}}, Run({"q": ["b", "a"]}, times)).json()
    assert found == {"ndcg@10": 0.63093, "recall@100": 1.0, "mrr@10": 0.5, **json}


def test_misses_are_the_queries_without_an_answer_among_the_first_ten():
    relevant = {name: grades for name, (grades, *_) in CASES.items()}
    run = Run({name: ranking for name, (_, ranking, *_) in CASES.items()})
    assert misses(relevant, {"hybrid": run}, {name: f"text of {name}" for name in CASES}) == {
        "hybrid": [
            {"query": "text of eleventh", "answers": ["e", "f"], "rank": 11},
            {"query": "text of hundredth", "answers": ["e"], "rank": 100},
            {"query": "text of too late", "answers": ["e"], "rank": None},
            {"query": "text of nothing found", "answers": ["g"], "rank": None},
        ]
    }


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ir_measures", None)
    with pytest.raises(KhojError, match=r"pip install 'khoj-ls\[eval\]'"):
        check_installed()
