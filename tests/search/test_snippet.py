"""Excerpts and what is marked in them."""

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
