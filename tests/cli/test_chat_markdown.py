"""Answers drawn on a terminal: which part is settled, and that nothing in an answer is obeyed by the terminal."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from khoj_ls.cli.chatting.markdown import Drawn, last_part, settled


@pytest.mark.parametrize(
    ("text", "growing"),
    [
        ("", ""),
        ("one line", "one line"),
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\n\n", "one\n\n"),
        ("one\n\ntwo", "two"),
        ("# Title\n\ntext\n\nmore", "more"),
        ("- a\n\n- b\n\n  still b\n\n3. c", "- a\n\n- b\n\n  still b\n\n3. c"),
        ("- a\n\nafter", "after"),
        ("```\na\n\nb\n", "```\na\n\nb\n"),
        ("```\na\n\nb\n```\n\nafter", "after"),
        ("````\n```\n\nb\n", "````\n```\n\nb\n"),
        ("~~~\n```\n\nb\n~~~\n\nc", "c"),
        ("```code``` in a line\n\nafter", "after"),
        ("| a |\n|---|\n| 1 |\n\nafter", "after"),
    ],
)
def test_what_may_still_change(text: str, growing: str) -> None:
    assert text[settled(text) :] == growing


LINES = st.sampled_from(
    ["", "", "word", "so [1]", "# head", "- item", "  more of it", "    far in", "12) item", "> quote", "| a |", "|---|", "---"]
)  # fmt: skip


@given(st.lists(LINES, max_size=14).map("\n".join))
def test_pieces_are_drawn_as_the_whole_is(text: str) -> None:
    pieces, start = [], 0
    for end in range(len(text) + 1):
        if more := settled(text[start:end]):
            pieces.append(text[start : start + more])
            start += more
    assert "".join([*pieces, text[start:]]) == text
    apart = [token for piece in (*pieces, text[start:]) for token in blocks(piece)]
    assert apart == blocks(text)


def blocks(text: str) -> list[tuple[str, str]]:
    return [(token.type, token.content) for token in MarkdownIt().enable("table").disable("reference").parse(text)]


def drawn(text: str, **options: Any) -> str:
    console = Console(file=StringIO(), width=60, force_terminal=True, color_system=None, legacy_windows=False)
    console.print(Drawn(text, **options))
    return str(console.file.getvalue())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("moved to *channel 36* [1][2].", "moved to channel 36 [1][2]."),
        ("\x1b]8;;http://evil\x1b\\click\x1b[2J", "�]8;;http://evil�\\click�[2J"),
        ("a <b>bold</b> claim", "a <b>bold</b> claim"),
        ("[the fix](http://evil/?q=secret)", "the fix (http://evil/?q=secret)"),
        ("![pixel](http://evil/p.png)", "!pixel (http://evil/p.png)"),
        ("see [1]\n\n[1]: http://evil", "see [1]\n\n[1]: http://evil"),
        ("\u202etxt.exe", "�txt.exe"),
    ],
)
def test_an_answer_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    plain = drawn(text).replace("\x1b[3m", "").replace("\x1b[0m", "").replace("\x1b[4m", "").replace("\x1b[1m", "")
    assert "\n".join(line.rstrip() for line in plain.splitlines()) == shown


def test_no_more_than_the_last_lines_are_drawn_where_only_they_fit() -> None:
    assert [line.strip() for line in drawn("\n\n".join("abcdef"), last_lines=3).splitlines()] == ["e", "", "f"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a\nb", "a\nb"),
        ("- a\n- b\n- c\n- d", "- b\n- c\n- d"),
        ("```py\na\nb\nc\nd", "```py\nb\nc\nd"),
        ("|h|i|\n|---|:-:|\n|1|2|\n|3|4|\n|5|6|\n|7|8|", "|h|i|\n|---|:-:|\n|3|4|\n|5|6|\n|7|8|"),
        ("a\n---\nb\nc", "---\nb\nc"),
    ],
)  # fmt: skip
def test_of_a_long_block_the_last_part_is_drawn_as_what_it_is(text: str, part: str) -> None:
    assert last_part(text, 3) == part


def test_citations_are_marked() -> None:
    console = Console(file=StringIO(), width=60, force_terminal=True, color_system="standard", legacy_windows=False)
    console.print(Drawn("so it is [1][12], said [she]"))
    assert console.file.getvalue().rstrip() == "so it is \x1b[1;36m[1][12]\x1b[0m, said [she]".ljust(47).rstrip()
