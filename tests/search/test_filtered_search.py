"""A search with filters, from the query to the hits."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WORDS = ("car", "plum", "router", "kitten")
TEXTS = {
    "a.md": "# Alpha\nplum car\n## Beta\nrouter plum\n",
    "b.org": "plum\n# Gamma\nkitten router car\n",
    "sub/c.md": "# Delta\ncar car plum\n# Epsilon\nkitten\n## Beta\nplum router car\n",
    "sub/2024-05-01.md": "# Zeta\nautomobile\n# Eta\nplum bicycle\n",
}
FILTERS = {
    "file:.md": lambda path, heading: path.endswith(".md"),
    "path:/sub/": lambda path, heading: path.startswith("sub/"),
    "heading:beta": lambda path, heading: heading == "Beta",
    "title:beta": lambda path, heading: False,
    "tag:fruit": lambda path, heading: path == "b.org",
    "dt:2024-05-01": lambda path, heading: "2024" in path,
    "dt>=2030": lambda path, heading: False,
}


@pytest.fixture
def house(vault):
    for path, text in TEXTS.items():
        vault.put(path, text, tags=("fruit",) if path == "b.org" else ())
    return vault


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    filters=st.dictionaries(st.sampled_from(sorted(FILTERS)), st.booleans(), min_size=1, max_size=3),
    mode=st.sampled_from(("hybrid", "lexical", "dense")),
)
def test_hits_are_those_of_the_whole_that_pass(house, words, filters, mode):
    def passes(hit) -> bool:
        return all(FILTERS[name](hit.path, hit.heading) is not excluded for name, excluded in filters.items())

    text = " ".join([words, *(f"-{name}" if excluded else name for name, excluded in filters.items())])
    confined = house.search(text, mode=mode, limit=100, max_per_file=0).hits
    everything = house.search(words, mode=mode, limit=100, max_per_file=0).hits
    assert all(passes(hit) for hit in confined)
    assert {(hit.path, hit.span.line) for hit in everything if passes(hit)} <= {(hit.path, hit.span.line) for hit in confined}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("heading:beta", ["a.md:4-4", "sub/c.md:6-6"]),
        ("tag:fruit", ["b.org:1-1", "b.org:3-3"]),
        ('tag:fruit -"kitten"', ["b.org:1-1"]),
        ("tag:none", []),
        ('-"kitten"', []),
        ("", []),
    ],
)
def test_filters_alone_list_what_passes(house, query, expected):
    assert house.found(query) == expected


def test_what_stands_sign_for_sign_is_found_so_beside_a_filter(house):
    house.put("x.md", "# One\nif a == b: call(plum, car)\n# Two\nif a b call plum car now\n")
    assert house.found("if a == b: call(plum, car) file:x.md", mode="lexical") == house.found(
        "if a == b: call(plum, car)", mode="lexical", paths=("x.md",)
    )
