from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.content.plaintext import LINES_PER_ENTRY, PlainTextProcessor
from khoj_ls.core.text import decode_source, text_lines
from khoj_ls.core.types import ParsedFile


def read(text: str) -> ParsedFile:
    return PlainTextProcessor().parse(text.encode(), "note.txt")


def spans(parsed: ParsedFile) -> list[tuple[int, int]]:
    return [(entry.span.line, entry.span.end_line) for entry in parsed.entries]


def test_a_text_is_one_entry_with_blocks_between_blank_lines() -> None:
    parsed = read("# no heading\nline  \n\n\n  second block\r\n\r\n[[no link]] #notag")
    (entry,) = parsed.entries
    assert (parsed.type, parsed.title, entry.level, entry.heading) == ("text", None, 0, "")
    assert entry.text == "# no heading\nline\n\n\n  second block\n\n[[no link]] #notag"
    assert entry.blocks == (0, 4, 6)
    assert (entry.links, entry.tags, parsed.problems) == ((), (), ())


@pytest.mark.parametrize("text", ["", "\n", " \n\t\r\n"])
def test_a_blank_text_has_no_entries(text: str) -> None:
    assert read(text).entries == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("line\n" * LINES_PER_ENTRY, [(1, 200)]),
        ("line\n" * 250 + "\n" + "line\n" * 50, [(1, 251), (252, 301)]),
        ("line\n\n" * 250, [(1, 200), (201, 400), (401, 500)]),
        ("line\n" * 1000, [(1, 400), (401, 800), (801, 1000)]),
        ("\n" * 300 + "line\n", [(1, 300), (301, 301)]),
    ],
)
def test_a_long_text_is_cut_at_a_blank_line(text: str, expected: list[tuple[int, int]]) -> None:
    assert spans(read(text)) == expected


def test_replaced_bytes_are_reported() -> None:
    parsed = PlainTextProcessor().parse(b"caf\x81\n", "note.txt")
    assert [problem.code for problem in parsed.problems] == ["invalid-utf8"]
    assert parsed.entries[0].text == "caf\ufffd\n"


@given(st.one_of(st.binary(max_size=60), st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\r", b" ", b"\xff"])).map(b"".join)))
def test_every_line_is_in_one_entry(data: bytes) -> None:
    parsed = PlainTextProcessor().parse(data, "note.txt")
    text, _ = decode_source(data)
    raw = "".join(entry.raw for entry in parsed.entries)
    assert raw == (text if text.strip() else "") or not text.strip()
    for entry in parsed.entries:
        assert entry.text.count("\n") == len(text_lines(entry.raw)) - (not entry.raw.endswith(("\n", "\r")))
        assert "\r" not in entry.text
    if parsed.entries:
        assert parsed.entries[-1].span.end == len(text.encode())
