"""Unsaved text: versions, sessions, rest, and halves of surrogate pairs."""

from __future__ import annotations

import pytest

from khoj_ls.indexing.overlay import Overlays, to_utf8


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("plain ü 😀", "plain ü 😀".encode()),
        ("lone \ud83d half", "lone \ufffd half".encode()),
        ("\ude00", "\ufffd".encode()),
        ("pair \ud83d\ude00", "pair 😀".encode()),
    ],
)
def test_text_becomes_utf8_whatever_it_holds(text, data):
    assert to_utf8(text) == data


@pytest.mark.parametrize(
    ("puts", "expected"),
    [
        ([("s", 1, "a"), ("s", 2, "b")], b"b"),
        ([("s", 2, "b"), ("s", 1, "a")], b"b"),
        ([("s", 50, "old"), ("t", 1, "new")], b"new"),
        ([("s", 1, "a"), ("t", 1, "b"), ("s", 2, "c")], b"c"),
        ([("s", 1, "a"), ("t", 1, "b"), ("s", 1, "a")], b"b"),
    ],
)
def test_the_text_changed_last_counts(puts, expected):
    overlays = Overlays(0.0)
    for session, version, text in puts:
        overlays.put("a.md", text, version, session)
    assert overlays.get("a.md").data == expected


def test_closing_one_session_leaves_the_other_sessions_text():
    overlays = Overlays(0.0)
    overlays.put("a.md", "first", 1, "s")
    overlays.put("a.md", "second", 1, "t")
    assert overlays.drop("a.md", "t")
    assert overlays.get("a.md").data == b"first"
    assert overlays.drop("a.md", "s")
    assert not overlays.drop("a.md", "s")
    assert overlays.get("a.md") is None
    assert overlays.paths() == frozenset()


def test_a_buffer_rests_when_opened_or_saved_and_not_while_it_is_typed_in():
    overlays = Overlays(1000.0)
    overlays.put("a.md", "opened", 1)
    assert overlays.unrested("a.md") == 0
    overlays.put("a.md", "typed", 2)
    assert overlays.unrested("a.md") > 900
    overlays.saved("a.md")
    assert overlays.unrested("a.md") == 0
    assert overlays.unrested("other.md") == 0
