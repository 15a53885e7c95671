"""Whatever stands in a file, the Org processor returns entries that fit it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khoj_ls.content.org import OrgProcessor
from khoj_ls.content.org_source import HEADING
from khoj_ls.core.text import LineIndex, decode_source, text_lines
from khoj_ls.core.types import ParsedFile, Span

FRAGMENTS = (
    *("* ", "** ", "*** ", "*", "**", "TODO ", "DONE", "COMMENT ", "[#A] ", " :tag:", " :ARCHIVE:", " :crypt:", " :private:"),
    *("\n", "\n", "\n", "\r\n", "\r", "\t", " ", "  ", "\u2028", "\f", "\0", "\ufeff", "\u200b"),
    *("#+title: ", "#+TODO: A B(b) | C\n", "#+TODO:\n", "#+TODO: (x)\n", "#+filetags: :a:b:\n", "#+LINK: gh https://x/%s\n"),
    *("#+begin_src sh\n", "#+end_src\n", "#+BEGIN_QUOTE\n", "#+end_quote\n", "#+begin: x\n", "#+end:\n", "#+caption: c\n"),
    *(
        "#+begin_comment\n",
        "#+end_comment\n",
        "#+begin_verse\n",
        "#+end_verse\n",
        "#+name: n\n",
        "# c\n",
        "\\begin{a}\n",
        "\\end{a}\n",
    ),
    *(
        ":PROPERTIES:\n",
        ":END:\n",
        ":ID: 1\n",
        ":Effort: soon\n",
        ":LOGBOOK:\n",
        ":NOTES:\n",
        ": fixed\n",
        ":CREATED: [2024-01-01]\n",
    ),
    *("SCHEDULED: <2024-01-01 Mon>", "DEADLINE: ", "CLOCK: [2024-01-01 Mon 10:00]", '- State "DONE" [2024-01-01]\n'),
    *("<2024-02-31>", "[2024-05-01 Wed 10:00-11:00]", "<2024-01-01>--<2024-01-02>", "<%%(x)>", "25:99"),
    *(
        "- ",
        "1. ",
        " * ",
        "| a | b |\n",
        "|--+--|\n",
        "-----\n",
        "-----BEGIN PGP MESSAGE-----\n",
        "-----END PGP MESSAGE-----\n",
    ),
    *(
        "[[",
        "]]",
        "][",
        "[",
        "]",
        "[[file:a.org::*b][c\nd]]",
        "[[id:x]]",
        "<<",
        ">>",
        "<<t>>",
        "<<<r>>>",
        "<https://x.y>",
        "https://x.y/_a_",
    ),
    *("[fn:1]", "[fn:a:", "[cite:@k; @l]", "@@x:", "@@", "\\\\", "\\(", "\\)", "((", "{{embed ", "}}", "cite:a,b", "[1/2]"),
    *("*b*", "/i/", "_u_", "+s+", "=v=", "~c~", "*", "/", "_", "+", "=", "~", "~/a/", "'", '"', "(", ")", "-", ",*", "\\"),
    *("text", "漢字", "🎉", "é", "e\u0301", "a_b", "%"),
)
ORG = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=60).map("".join)


def parse(source: bytes) -> ParsedFile:
    return OrgProcessor().parse(source, "note.org")


def ascending(values: Iterable[int]) -> bool:
    values = list(values)
    return values == sorted(set(values))


def check(source: bytes) -> ParsedFile:
    parsed = parse(source)
    text, _ = decode_source(source)
    encoded = text.encode()
    index = LineIndex(text)
    end = 0
    for number, entry in enumerate(parsed.entries):
        assert entry.span.start >= end, "in source order, disjoint"
        end = entry.span.end
        assert entry.span == index.span_of_lines(entry.span.line, entry.span.end_line)
        assert entry.raw == encoded[entry.span.start : entry.span.end].decode()
        compiled = text_lines(entry.text)
        assert len(compiled) == len(text_lines(entry.raw)) == entry.span.end_line - entry.span.line + 1
        assert not entry.level or not compiled[0].strip(), "the heading travels in `heading`"
        assert ascending(entry.blocks) and all(0 <= at < len(compiled) for at in entry.blocks)
        first_text = next((at for at, line in enumerate(compiled) if line.strip()), len(compiled))
        assert first_text == len(compiled) or entry.blocks[0] <= first_text, "text begins with a block"
        if entry.parent is None:
            assert entry.outline == ()
        else:
            parent = parsed.entries[entry.parent]
            assert entry.parent < number and 0 < parent.level < entry.level
            assert entry.outline == (*parent.outline, parent.heading)[-64:]
            assert entry.tags[: len(parent.tags)] == parent.tags and (entry.private or not parent.private)
        for place in (*(anchor.span for anchor in entry.anchors), *(link.span for link in entry.links)):
            check_place(place, entry.span, encoded, index)
    return parsed


def check_place(place: Span, within: Span, encoded: bytes, index: LineIndex) -> None:
    assert within.start <= place.start < place.end <= within.end
    encoded[place.start : place.end].decode()  # cuts no character in two
    assert index.byte_starts[place.line - 1] <= place.start < index.byte_starts[place.line]
    assert index.byte_starts[place.end_line - 1] < place.end <= index.byte_starts[place.end_line]


def covered(parsed: ParsedFile) -> set[int]:
    return {line for entry in parsed.entries for line in range(entry.span.line, entry.span.end_line + 1)}


@settings(max_examples=400, deadline=None)
@given(ORG)
def test_entries_fit_any_text(text: str) -> None:
    check(text.encode("utf-8", "replace"))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS).map(str.encode), st.binary(max_size=4))).map(b"".join))
def test_entries_fit_any_bytes(source: bytes) -> None:
    check(source)


LEAVES_OUT = ("COMMENT", "ARCHIVE", "crypt", "PGP")


@settings(max_examples=200, deadline=None)
@given(ORG.filter(lambda text: not any(word in text for word in LEAVES_OUT)))
def test_every_line_is_in_one_entry(text: str) -> None:
    source = text.encode("utf-8", "replace")
    lines = text_lines(decode_source(source)[0])
    first = next((at for at, line in enumerate(lines, 1) if line.strip()), len(lines) + 1)
    if first <= len(lines) and not HEADING.match(lines[first - 1]):
        first = 1  # only blank lines with nothing but a heading behind them belong to no entry
    assert covered(check(source)) == set(range(first, len(lines) + 1))


@settings(max_examples=100, deadline=None)
@given(ORG.filter(lambda text: not any(word in text for word in LEAVES_OUT)), ORG)
def test_what_is_left_out_leaves_no_trace(kept: str, secret: str) -> None:
    before = parse((kept + "\n* kept\n").encode("utf-8", "replace"))
    body = secret.replace("*", "x").replace("#", "x").replace("\0", "")
    after = parse((kept + "\n* kept\n* COMMENT hidden\n** below\n" + body).encode("utf-8", "replace"))
    assert after == before


@pytest.mark.parametrize("text", ["", "\n", " \r\n\t\n"], ids=repr)
def test_nothing_makes_no_entry(text: str) -> None:
    assert parse(text.encode()).entries == ()
