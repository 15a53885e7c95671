"""The protocol page says what the code does."""

from __future__ import annotations

from pathlib import Path

from khoj_ls.wire.describe import protocol_page

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == protocol_page(), "run: python -m khoj_ls.wire.describe > docs/protocol.md"


def test_every_field_is_explained():
    unexplained = [line for line in protocol_page().splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert unexplained == []
