"""What a query asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.search.query import MAX_QUERY_CHARS, Query, occurs, parse

CASES = [
    ("plain words", Query("plain words")),
    ('fix "the router" now', Query("fix the router now", ("the router",))),
    ('+"two words" x', Query("two words x", ("two words",))),
    ('x -"not this"', Query("x", (), ("not this",))),
    ('-"über" -"alles" x', Query("x", (), ("über", "alles"))),
    ("“curly” and „low“", Query("curly and low", ("curly", "low"))),
    ('"across\n  lines"', Query("across lines", ("across lines",))),
    ('24" screen and 27" screen', Query('24" screen and 27" screen')),
    ('print("hello")', Query("print( hello )", ("hello",))),
    ('half "open', Query('half "open')),
    ('""', Query("")),
    ("-word --flag a-b", Query("-word --flag a-b")),
    ("tab\tNUL\0bell\a", Query("tab NUL bell")),
    ("", Query("")),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_query_is_read(text, expected):
    assert parse(text) == expected


@given(st.text())
def test_every_text_is_a_query(text):
    query = parse(text)
    assert not any(char < " " for char in query.text)
    assert all(phrase.strip() for phrase in (*query.required, *query.excluded))


def test_a_book_is_not_read_to_its_end():
    assert len(parse("x" * 100_000).text) == MAX_QUERY_CHARS


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("the router", "Fix The  Router!", True),
        ("the router", "the\nrouter", True),
        ("router", "routers", False),
        ("über", "ÜBER alles", True),
        ("über", "uber", False),
        ("u\u0308ber", "über", True),  # decomposed as macOS types it
        ("路由", "修复路由器", True),
        ("c++", "in C++ now", True),
        ("->", "a->b", True),
        ("a.b", "axb", False),
        ("STRASSE", "Straße", True),
    ],
)
def test_a_phrase_occurs_as_typed(phrase, text, expected):
    assert occurs(phrase, text) is expected
