"""Byte offsets and LSP positions, in every encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position, PositionEncodingKind
from pygls.workspace import PositionCodec

from khoj_ls.lsp.positions import Positions

ENCODINGS = tuple(PositionEncodingKind)
TEXTS = st.text(st.sampled_from("ab \té名😀\u0301\n\r\x0c\u2028"), max_size=40)


@pytest.mark.parametrize(
    ("encoding", "character"),
    [(PositionEncodingKind.Utf8, 9), (PositionEncodingKind.Utf16, 4), (PositionEncodingKind.Utf32, 3)],
)
def test_what_stands_before_a_place_counts_in_the_clients_units(encoding, character):
    text = "first\r\né😀名x\n"
    places = Positions(text, PositionCodec(encoding))
    offset = text.encode().index(b"x")
    assert places.position(offset) == Position(line=1, character=character)
    assert places.offset(Position(line=1, character=character)) == offset


@pytest.mark.parametrize(
    ("text", "position", "offset"),
    [
        ("", Position(line=0, character=0), 0),
        ("", Position(line=7, character=3), 0),
        ("ab", Position(line=0, character=9), 2),
        ("ab\r\ncd", Position(line=0, character=9), 2),
        ("ab\n", Position(line=1, character=0), 3),
        ("ab\n", Position(line=9, character=9), 3),
        ("😀b", Position(line=0, character=1), 0),
        ("a\x0cb\u2028c", Position(line=0, character=4), 6),
    ],
    ids=[
        "empty",
        "below",
        "behind the end",
        "never in a line break",
        "the empty last line",
        "far below",
        "half a pair",
        "lines",
    ],
)
def test_a_position_that_is_none_means_the_nearest(text, position, offset):
    assert Positions(text, PositionCodec(PositionEncodingKind.Utf16)).offset(position) == offset


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS)
def test_every_place_comes_back(encoding, text):
    places = Positions(text, PositionCodec(encoding))
    for index in range(len(text) + 1):
        if text[index - 1 : index + 1] == "\r\n":
            continue  # no client can name the place within a line break
        offset = len(text[:index].encode())
        assert places.offset(places.position(offset)) == offset
