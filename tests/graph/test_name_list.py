"""Names found by what is written of them: the best first, as if every name had been looked at."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.graph.name_list import Named, NameList
from khoj_ls.links.text import fold

NAMES = ("Apple pie", "apple", "Pineapple", "crab-apple tree", "grape", "Application", "tree of apples", "Ünïcode apple")


def listed(*names: str) -> NameList:
    return NameList(Named(f"{at}.md", at, (name,), name, weight=1 - at / (len(names) + 1)) for at, name in enumerate(names))


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("apple", ["apple", "Apple pie", "Ünïcode apple", "tree of apples", "crab-apple tree", "Pineapple"]),
        ("APPLE P", ["Apple pie"]),
        ("app", ["apple", "Apple pie", "Application", "Ünïcode apple", "tree of apples", "crab-apple tree", "Pineapple"]),
        ("tree apple", ["tree of apples", "crab-apple tree"]),
        ("crab apple", ["crab-apple tree"]),
        ("-apple", ["crab-apple tree"]),
        ("ünï", ["Ünïcode apple"]),
        ("apl", ["apple"]),
        ("graep", ["grape"]),
        ("\n", ["Apple pie", "apple"]),
        ("", ["Apple pie", "apple"]),
    ],
)
def test_the_names_that_fit_best_come_first(written, found):
    assert [match.name for match in listed(*NAMES).match(written)][: len(found)] == found


def tier(name: str, query: str) -> tuple[int, float] | None:
    """Whole, beginning, beginning of a word, inside; and within these the shorter name."""
    folded = fold(name)
    begins_word = re.search(r"(?<![^\W_])" + re.escape(query), folded)
    place = 0 if folded == query else 1 if folded.startswith(query) else 2 if begins_word else 3 if query in folded else None
    return None if place is None else (place, len(folded))


@given(st.lists(st.text("ab -_é", min_size=1, max_size=6), min_size=0, max_size=600), st.text("abé", min_size=1, max_size=2))
def test_what_is_left_out_fits_no_better_than_what_is_found(names, query):
    known = sorted(place for name in names if (place := tier(name, fold(query))) is not None)
    found = [place for match in listed(*names).match(query) if (place := tier(match.name, fold(query))) is not None]
    assert sorted(found) == known[: len(found)]
    assert len(found) >= min(len(known), 200)


def test_of_notes_near_in_meaning_a_name_is_told_however_many_fit_better():
    names = listed(*(f"a{number}" for number in range(500)), "something long with an a in it")
    assert "something long with an a in it" not in [match.name for match in names.match("a")]
    assert "something long with an a in it" in [match.name for match in names.match("a", {500})]
    assert "something long with an a in it" not in [match.name for match in names.match("xyz", {500})]


def test_a_thing_with_many_names_is_found_once_by_the_best():
    item = Named("one.md", 1, ("Alpha of the long name", "alpha", "Alphabet"), "Alpha")
    assert [(match.name, match.score) for match in NameList([item]).match("alpha")] == [("alpha", 1.0)]


def test_paths_that_hold_what_is_written():
    items = [Named(path, at, ("x",), "x") for at, path in enumerate(("a/B/c.md", "d/b.md", "a/bb/c.org"))]
    assert [item.path for item in NameList(items).on_path("A/b")] == ["a/B/c.md", "a/bb/c.org"]
