"""Whether a phrase occurs."""

from __future__ import annotations

import pytest

from khoj_ls.query.phrases import occurs


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
