"""Which place of a note a fragment means."""

from __future__ import annotations

import pytest

from khoj_ls.core.types import Span
from khoj_ls.links.anchors import NotePlaces, Place, find_places
from khoj_ls.links.target import markdown_fragment, org_fragment

HEADINGS = (
    (1, "Fruit & Trees"), (2, "Harvest"), (1, "Work"), (2, "Harvest"), (3, "Plums, *ripe*: now"), (2, "Größe (cm)"),
    (2, "`code` and [[Link|text]]"), (2, "Progress [2/3]"), (2, "snake_case_name"),
)  # fmt: skip
OTHERS = (("block", "b-1"), ("custom_id", "my-id"), ("target", "The Spot"), ("footnote", "1"))
PLACES = NotePlaces(
    [Place("heading", name, Span(at * 10, at * 10 + 9, at + 1, at + 1), at, level) for at, (level, name) in enumerate(HEADINGS)]
    + [Place(kind, name, Span(at * 10, at * 10 + 9, at + 1, at + 1), at) for at, (kind, name) in enumerate(OTHERS, 50)]
)
TEXT = "one\ntwo words\n  three (ref:here)\n"


def lines(fragment) -> list[int]:
    return [place.span.line for place in find_places(fragment, PLACES, lambda: TEXT)]


@pytest.mark.parametrize(
    ("fragment", "line"),
    [
        ("Harvest", 2), ("harvest", 2), ("Work#Harvest", 4), ("Nowhere#Harvest", None), ("harvest-1", 4), ("harvest-2", None),
        ("fruit--trees", 1), ("fruit-trees", 1), ("Fruit & Trees", 1), ("plums-ripe-now", 5), ("Plums, ripe now", 5),
        ("größe-cm", 6), ("code and text", 7), ("code-and-text", 7), ("Progress", 8), ("snake_case_name", 9),
        ("^b-1", 51), ("my-id", 52), ("L2", 2), ("L99", None), ("nothing", None), ("^nothing", None),
    ],
)  # fmt: skip
def test_markdown(fragment, line):
    assert lines(markdown_fragment(fragment)) == ([line] if line else [])


@pytest.mark.parametrize(
    ("fragment", "line"),
    [
        ("*Harvest", 2), ("#my-id", 52), ("#harvest-1", 4), ("The Spot", 53), ("the spot", 53), ("Work", 3), ("2", 2),
        ("(here)", 3), ("(there)", None), ("two   WORDS", 2), ("four", None),
    ],
)  # fmt: skip
def test_org(fragment, line):
    assert lines(org_fragment(fragment)) == ([line] if line else [])
