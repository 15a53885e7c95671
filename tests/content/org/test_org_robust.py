"""What would break a lesser reader: depth, size, encrypted and damaged files, a parser that fails."""

from __future__ import annotations

import orgparse
import pytest

from khoj_ls.content.org import OrgProcessor
from khoj_ls.core.types import ParsedFile

PGP = "-----BEGIN PGP MESSAGE-----\n\nhQEMA5secret\n-----END PGP MESSAGE-----\n"


def parse(text: str | bytes, **options: tuple[str, ...]) -> ParsedFile:
    return OrgProcessor(**options).parse(text.encode() if isinstance(text, str) else text, "note.org")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PGP, id="a PGP message"),
        pytest.param("\n\n" + PGP, id="a PGP message after blank lines"),
        pytest.param("#+title: T\n#+filetags: :crypt:\nsecret\n* secret\n:PROPERTIES:\n:ID: secret\n:END:\n", id="crypt"),
        pytest.param("secret\n* secret\n#+FILETAGS: :x:ARCHIVE:\n", id="archive"),
    ],
)
def test_a_file_left_out_leaves_no_trace(text: str) -> None:
    assert parse(text) == ParsedFile("org", None, ())


def test_headings_nested_1500_deep() -> None:
    parsed = parse("".join(f"{'*' * level} h{level} :t{level % 3}:\n" for level in range(1, 1501)))
    assert [entry.level for entry in parsed.entries] == list(range(1, 1501))
    assert parsed.entries[-1].parent == 1498
    assert parsed.entries[-1].outline == tuple(f"h{level}" for level in range(1436, 1500))
    assert [(problem.severity, problem.code, problem.line) for problem in parsed.problems] == [("warning", "org-depth", 66)]


def test_ten_thousand_headings() -> None:
    parsed = parse("".join(f"* TODO [#B] Heading {number} :t:\ntext {number}\n" for number in range(10_000)))
    last = parsed.entries[-1]
    assert (len(parsed.entries), last.heading, last.text, last.todo) == (10_000, "Heading 9999", "\ntext 9999\n", "TODO")


@pytest.mark.parametrize(
    "line",
    ["*a ", "[[a][", "=a ", "<<", "~/a ", "/a/b ", "https://x(", "\\(", "@@x:", "[cite:@!", "[[a\\", "* ", ":a: ", "cite:a,"],
)
@pytest.mark.parametrize("head", ["", "* "], ids=["text", "heading"])
def test_a_long_line_of_markers_takes_linear_time(head: str, line: str) -> None:
    # Quadratic time would be minutes here: the test would hang, not merely slow down.
    text = head + line * (200_000 // len(line))
    assert parse(text).entries[0].raw == text


@pytest.mark.parametrize("block", ["#+begin_src\n", ":X:\n", "\\begin{a}\n", "#+begin_quote\n", "#+caption: a\n"])
def test_many_blocks_that_never_end_take_linear_time(block: str) -> None:
    assert len(parse(block * 20_000).entries) == 1


@pytest.mark.parametrize("failure", [RecursionError("too deep"), ValueError("Invalid duration"), KeyError("x")], ids=repr)
def test_when_orgparse_fails_the_text_is_still_read(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(orgparse, "loadi", fail)
    parsed = parse("Intro\n* [#A] One :a:\ntext\n** Two\n* COMMENT Three\n")
    assert [(entry.level, entry.heading, entry.parent, entry.tags, entry.text) for entry in parsed.entries] == [
        (0, "", None, (), "Intro\n"),
        (1, "One", None, ("a",), "\ntext\n"),
        (2, "Two", 1, ("a",), "\n"),
    ]
    assert [(problem.severity, problem.code) for problem in parsed.problems] == [("warning", "org-outline")]
    assert type(failure).__name__ in parsed.problems[0].message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("* a\n:PROPERTIES:\n:Effort: soon\n:END:\n* b\n", id="an effort that is no duration"),
        pytest.param("* a <2024-02-31>\nSCHEDULED: <2024-13-01 Mon>\n* b\n", id="impossible dates"),
        pytest.param("* a\n" + "<2024-01-01>" * 3000 + "\n* b\n", id="thousands of timestamps on a line"),
    ],
)
def test_what_makes_orgparse_raise_costs_nothing(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        orgparse.loads(text)
    parsed = parse(text)
    assert (parsed.entries[-1].heading, len(parsed.entries), parsed.problems) == ("b", 2, ())


def test_damaged_bytes_are_told_and_the_rest_is_read() -> None:
    parsed = parse(b"* caf\x81 *x*\nNUL \0 here\n")
    assert (parsed.entries[0].heading, parsed.entries[0].text) == ("caf\ufffd x", "\nNUL   here\n")
    assert [(problem.code, problem.line) for problem in parsed.problems] == [("invalid-utf8", 1), ("nul-bytes", 2)]


def test_todo_words_of_files_that_set_none_can_be_chosen() -> None:
    text = "* TODO a\n* PROJ b\n* OK c\n"
    assert [entry.todo for entry in parse(text).entries] == ["TODO", None, None]
    chosen = parse(text, todo_words=("PROJ",), done_words=("OK",))
    assert [entry.todo for entry in chosen.entries] == [None, "PROJ", "OK"]
