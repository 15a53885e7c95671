"""Documents follow incremental edits by LSP's lines, whatever characters stand in them."""

from __future__ import annotations

import random

import pytest
from lsprotocol import types
from marked_text import WIDTHS
from pygls.workspace import PositionCodec

from khoj_ls.lsp.text_document import NoteDocument

ALPHABET = ["a", "b", " ", "\n", "\r\n", "\r", "\f", "\v", "\u2028", "\u2029", "\x85", "\x1c", "é", "中", "🦉", "e\u0301"]


@pytest.mark.parametrize("odd", ["\f", "\v", "\u2028", "\u2029", "\x85", "\x1c"])
def test_characters_that_end_no_line_in_lsp_do_not_move_edits(odd):
    document = NoteDocument("file:///a.md", f"one{odd}two\nthree\n", position_codec=PositionCodec("utf-32"))
    assert list(document.lines) == [f"one{odd}two\n", "three\n"]
    document.apply_change(change(1, 0, 1, 5, "four"))
    assert document.source == f"one{odd}two\nfour\n"


@pytest.mark.parametrize("encoding", WIDTHS)
def test_edits_at_any_place_are_those_of_the_client(encoding):
    numbers = random.Random(7)
    for _ in range(300):
        text = "".join(numbers.choices(ALPHABET, k=numbers.randint(0, 30)))
        document = NoteDocument("file:///a.md", text, position_codec=PositionCodec(encoding))
        for _ in range(4):
            places = boundaries(text)
            start, end = sorted(numbers.choices(range(len(places)), k=2))
            new = "".join(numbers.choices(ALPHABET, k=numbers.randint(0, 4)))
            document.apply_change(change(*position(text, places[start], encoding), *position(text, places[end], encoding), new))
            text = text[: places[start]] + new + text[places[end] :]
            assert document.source == text


def test_a_file_that_is_not_there_is_an_empty_text(tmp_path):
    assert NoteDocument((tmp_path / "new.md").as_uri()).source == ""
    (tmp_path / "old.md").write_bytes("﻿# café".encode())
    assert NoteDocument((tmp_path / "old.md").as_uri()).source == "# café"


def change(line, character, end_line, end_character, text):
    place = types.Range(
        start=types.Position(line=line, character=character), end=types.Position(line=end_line, character=end_character)
    )
    return types.TextDocumentContentChangePartial(range=place, text=text)


def boundaries(text: str) -> list[int]:
    """Every place in `text` that a client may name: not between CR and LF."""
    return [at for at in range(len(text) + 1) if not (at and text[at - 1 : at + 1] == "\r\n")]


def position(text: str, at: int, encoding: str) -> tuple[int, int]:
    """Line and character of a place, told by nothing but LSP's three line breaks."""
    line, begun, here = 0, 0, 0
    while here < at:
        step = 2 if text[here : here + 2] == "\r\n" else 1
        if text[here] in "\r\n" and here + step <= at:
            line, begun = line + 1, here + step
        here += step
    return line, WIDTHS[encoding](text[begun:at])
