"""Filters of plugins stand for queries in terms of the built-in ones."""

from __future__ import annotations

import pytest

from khoj_ls.core.errors import UsageError
from khoj_ls.plugins.kinds import QueryFilter
from khoj_ls.query.complete import complete_filters
from khoj_ls.query.own_filters import expanded


def refuses(value: str) -> str:
    raise UsageError(f"{value} is no year")


OWN = {
    each.name: each
    for each in (
        QueryFilter("read", "books read in a year", lambda year: f"tag:book dt:{year}"),
        QueryFilter("mine", "my own", lambda value: f'tag:"{value}"'),
        QueryFilter("fails", "", lambda value: 1 / 0),
        QueryFilter("odd", "", lambda value: 3),
        QueryFilter("wrong", "", lambda value: 'nofilter:"x"'),
        QueryFilter("refuses", "", refuses),
    )
}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("whales", "whales"),
        ("whales read:2024", "whales tag:book dt:2024"),
        ("read:2024 -tag:x whales", "tag:book dt:2024 -tag:x whales"),
        ('mine:"two words" and mine:[[link]]', 'tag:"two words" and tag:"link"'),
        ("-mine:x", '-tag:"x"'),
        ('"read:2024"', '"read:2024"'),
        ("already read: 2024", "already read: 2024"),
        ("READ:2024", "READ:2024"),
        ("thread:2024", "thread:2024"),
        ("https://read:2024", "https://read:2024"),
        ("read:2024\nmany lines", "read:2024\nmany lines"),
    ],
)
def test_a_filter_gives_way_to_what_it_stands_for(query: str, wanted: str) -> None:
    assert expanded(query, OWN) == wanted
    assert expanded(query, {}) == query


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("-read:2024", "cannot be turned round"),
        ("fails:x", "the filter fails: of a plugin failed: ZeroDivisionError"),
        ("odd:x", "it stands for no text"),
        ("wrong:x", "there is no filter nofilter:"),
        ("refuses:x", "x is no year"),
        ('read:""', "read: wants a value"),
        ("mine:x " * 31, "30 filters"),
    ],
)
def test_what_stands_for_nothing_is_told(query: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        expanded(query, OWN)


def test_they_are_offered_where_a_query_is_typed() -> None:
    offered = complete_filters("whales re", 9, lambda kind: [], own={"read": "books read in a year"})
    assert [(each.text, each.detail, each.start, each.end) for each in offered] == [("read:", "books read in a year", 7, 9)]
