"""Entries of texts that are made from files, and of texts whose headings are known: they lie where they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.content.outlined import Head, outlined
from khoj_ls.content.registry import places_fault
from khoj_ls.content.rendering import Piece, rendered
from khoj_ls.core.places import Place, fragment, spoken
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Anchor, Link, Span


def page(number):
    return Place("page", number, number)


def test_pieces_become_entries():
    parsed = rendered(
        "pdf",
        " A\ttitle ",
        [
            Piece("first\r\n\r\nsecond \x00", page(1)),
            Piece("", page(2)),
            Piece("body", page(3), heading="One\n two", level=1),
            Piece("", page(4), heading="Below", level=2),
            Piece("no heading", page(4)),
            Piece("x\ud800y", page(5), heading="Two", level=1),
        ],
    )
    assert parsed.title == "A title"
    assert [(each.heading, each.level, each.outline, each.parent, each.place.first) for each in parsed.entries] == [
        ("", 0, (), None, 1),
        ("One two", 1, (), None, 3),
        ("Below", 2, ("One two",), 1, 4),
        ("", 0, ("One two", "Below"), 2, 4),
        ("Two", 1, (), None, 5),
    ]
    assert [(each.raw, each.text, each.blocks) for each in parsed.entries][:3] == [
        ("first\n\nsecond\n", "first\n\nsecond\n", (0, 2)),
        ("One two\nbody\n", "\nbody\n", (1,)),
        ("Below\n", "\n", ()),
    ]
    assert parsed.entries[-1].raw == "Two\nx y\n"


TEXT = "intro\n\nOne\n===\nbody [link](a)\nTwo\n"


def test_a_text_is_cut_at_its_heads():
    link = Link("markdown", "a", "link", Span(16, 30, 5, 5))
    parsed = outlined("rst", "T", TEXT, [Head(3, "One", 1, lines=2), Head(6, "Two", 2)], links=[link])
    assert [(each.heading, each.span.line, each.span.end_line, each.text, each.outline) for each in parsed.entries] == [
        ("", 1, 2, "intro\n", ()),
        ("One", 3, 5, "\n\nbody [link](a)", ()),
        ("Two", 6, 6, "", ("One",)),
    ]
    assert "".join(each.raw for each in parsed.entries) == TEXT
    assert [len(each.links) for each in parsed.entries] == [0, 1, 0]
    assert parsed.entries[1].anchors == (Anchor("heading", "One", Span(7, 11, 3, 3)),)


def test_what_stands_before_the_first_head_and_says_nothing_is_left_out():
    parsed = outlined("rst", None, "..\n\nA\n-\nB\n", [Head(3, "A", 1, lines=2), Head(5, "B", 2)], shown=["", "", "A", "", "B"])
    assert [(each.heading, each.parent) for each in parsed.entries] == [("A", None), ("B", 0)]


@given(st.text(), st.lists(st.tuples(st.integers(1, 12), st.integers(0, 4), st.integers(1, 3)), max_size=5))
def test_entries_cover_a_text_in_order(text, cuts):
    many = len(text_lines(text))
    heads = {line: Head(line, "H" * level, level, lines) for line, level, lines in cuts if line <= many}
    parsed = outlined("rst", None, text, [heads[line] for line in sorted(heads)])
    assert places_fault(parsed.entries) is None
    assert "".join(each.raw for each in parsed.entries) in {text, "".join(text_lines(text)[min(heads, default=1) - 1 :])}
    assert all(each.text.count("\n") < each.span.end_line - each.span.line + 1 for each in parsed.entries)


@given(st.lists(st.tuples(st.text(), st.text(), st.integers(0, 3)), max_size=6))
def test_any_text_can_be_a_piece(pieces):
    parsed = rendered("pdf", None, [Piece(text, page(1), heading, level) for text, heading, level in pieces])
    assert places_fault(parsed.entries) is None
    assert all(len(text_lines(each.text)) == len(text_lines(each.raw)) for each in parsed.entries)


@pytest.mark.parametrize(
    ("place", "said", "of_line_7"),
    [
        (None, None, "#L7"),
        (Place("page", 3, 3), "page 3", "#page=3"),
        (Place("page", 3, 5), "pages 3 to 5", "#page=3"),
        (Place("slide", 2, 2), "slide 2", ""),
        (Place("rows", 2, 21, "Costs"), "Costs, rows 2 to 21", ""),
        (Place("rows", 9, 9, lined=True), "row 9", "#L7"),
        (Place("cell", 4, 4, lined=True), "cell 4", "#L7"),
        (Place("chapter", 1, 1, "Loomings"), "Loomings, chapter 1", ""),
        (Place("part", 1, 1, "parse()", lined=True), "parse()", "#L7"),
    ],
)
def test_places_are_told_and_led_to(place, said, of_line_7):
    assert (place and spoken(place), fragment(place, 7)) == (said, of_line_7)
