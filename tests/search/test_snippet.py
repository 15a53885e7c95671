"""Excerpts, what is marked in them, and which lines of a long block they are of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.search.snippet import excerpt

WORDS = " ".join(f"word{i:02}" for i in range(60))  # 7 characters each with the blank


def span(first, last):
    return " ".join(f"word{i:02}" for i in range(first, last))


@pytest.mark.parametrize(
    ("text", "matches", "expected"),
    [
        ("short text", [(0, 5)], ("short text", ("short",))),
        (WORDS, [], (span(0, 5) + "…", ())),
        (WORDS, [(210, 216)], ("…" + span(29, 34) + "…", ("word30",))),
        (WORDS, [(0, 6), (203, 209), (210, 216)], ("…" + span(28, 33) + "…", ("word29", "word30"))),
        (WORDS, [(0, 104)], (span(0, 5) + "…", (span(0, 5),))),  # a match longer than the room
        ("汉" * 100, [(50, 52)], ("…" + "汉" * 40 + "…", ("汉汉",))),
    ],
)
def test_an_excerpt_shows_most_matches(text, matches, expected):
    snippet, marked = excerpt(text, matches, room=40)
    assert (snippet, tuple(snippet[start:end] for start, end in marked)) == expected


@given(st.text(alphabet="ab 汉é\u0301", max_size=400), st.data())
def test_marks_cover_what_matched(text, data):
    edges = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    matches = list(zip(edges[::2], edges[1::2], strict=False))
    room = data.draw(st.integers(40, 240))
    snippet, marked = excerpt(text, matches, room)
    kept = [text[start:end] for start, end in matches]
    assert len(snippet) <= room + 2
    assert all(0 <= start < end <= len(snippet) for start, end in marked)
    assert all(any(part.startswith(snippet[start:end]) for part in kept) for start, end in marked)


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ([7], (7, 7)),
        ([5, 40, 43, 49], (40, 49)),
        ([5, 16, 17, 40, 51, 52], (5, 16)),  # as many as in any other twelve lines, and the first
        ([5, 40, 44, 51, 52, 60], (40, 51)),
        (range(3, 4000), (3, 14)),
    ],
)
def test_of_a_long_table_the_lines_are_shown_that_hold_most(vault, held, shown):
    rows = (f"| {'valve' if line in held else 'hose'} | {line} |\n" for line in range(3, 4000))
    vault.put("parts.md", "# Spare parts\n\n" + "".join(rows))
    [hit] = vault.search("valve", mode="lexical").hits
    assert (hit.span.line, hit.span.end_line) == shown
