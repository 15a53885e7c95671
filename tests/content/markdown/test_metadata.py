from __future__ import annotations

import json

import pytest

from khoj_ls.content.markdown import MarkdownProcessor
from khoj_ls.core.types import EntryDate, ParsedFile


def read(text: str) -> ParsedFile:
    return MarkdownProcessor().parse(text.encode(), "note.md")


def head(yaml: str) -> ParsedFile:
    return read(f"---\n{yaml}\n---\nbody text\n")


@pytest.mark.parametrize(
    ("yaml", "tags"),
    [
        ("tags: [a, b/c]", ("a", "b/c")),
        ("tags:\n  - one\n  - two words\n  - '#three'", ("one", "two words", "three")),
        ("tags: a, b, c d", ("a", "b", "c d")),
        ("tags: 'a b #c'", ("a", "b", "c")),
        ("tags: [[a, b], c]", ("a", "b", "c")),
        ("tag: single", ("single",)),
        ("tags: 2024", ("2024",)),
        ("tags: null", ()),
        ("tags:", ()),
        ("TAGS: [x]", ("x",)),
    ],
)
def test_front_matter_tags(yaml: str, tags: tuple[str, ...]) -> None:
    parsed = head(yaml)
    assert parsed.tags == tags
    assert parsed.entries[0].tags == tags
    assert parsed.properties == ()


@pytest.mark.parametrize(
    ("yaml", "aliases"),
    [
        ("aliases: [One, Two words]", ("One", "Two words")),
        ("alias: One, Two words", ("One", "Two words")),
        ("aliases:\n- One\nalias: Two", ("One", "Two")),
        ("aliases: ''", ()),
    ],
)
def test_front_matter_aliases(yaml: str, aliases: tuple[str, ...]) -> None:
    assert head(yaml).aliases == aliases


@pytest.mark.parametrize(
    ("yaml", "dates"),
    [
        ("date: 2024-05-01", [EntryDate("note", "2024-05-01")]),
        ("created: 2024-05-01T09:30:11Z", [EntryDate("created", "2024-05-01T09:30")]),
        ("updated: 2024-05-01 09:30", [EntryDate("updated", "2024-05-01T09:30")]),
        ("modified: '2024/5/1'", [EntryDate("updated", "2024-05-01")]),
        ("created: 1658846396286", [EntryDate("created", "2022-07-26T14:39")]),
        ("created: 1658846396", [EntryDate("created", "2022-07-26T14:39")]),
        ("date: 2024-02-30", []),
        ("date: someday", []),
    ],
)
def test_front_matter_dates(yaml: str, dates: list[EntryDate]) -> None:
    parsed = head(yaml)
    assert list(parsed.dates) == dates
    assert parsed.problems == ()
    assert bool(parsed.properties) == (not dates)


def test_front_matter_fields_stay_as_written_and_nested_values_are_json() -> None:
    yaml = "id: 012\nrating: 4.50\nok: no\nat: 12:30\nlist: [1, ünï]\nmap: {a: {b: c}}\ntext: |\n  two\n  lines\n"
    assert dict(head(yaml).properties) == {
        "id": "012",
        "rating": "4.50",
        "ok": "no",
        "at": "12:30",
        "list": json.dumps(["1", "ünï"], ensure_ascii=False),
        "map": '{"a": {"b": "c"}}',
        "text": "two\nlines",
    }


def test_toml_front_matter() -> None:
    parsed = read('+++\ntitle = "T"\ntags = ["a"]\ndate = 2024-05-01T09:30:00Z\ndraft = true\n[extra]\nn = 1\n+++\n# Body\n')
    assert (parsed.title, parsed.tags) == ("T", ("a",))
    assert parsed.dates == (EntryDate("note", "2024-05-01T09:30"),)
    assert parsed.properties == (("draft", "true"), ("extra", '{"n": 1}'))
    assert [entry.heading for entry in parsed.entries] == ["", "Body"]


@pytest.mark.parametrize(
    ("yaml", "line", "says"),
    [
        ("title: T: with colon\ntags: [a]", 2, "mapping values"),
        ("title: T\ntags: [a\nx: y", 4, ""),
        ("title: T\n\tx: tab", 3, ""),
        ("title: T\nbig: &a [x]\nuse: [" + "*a, " * 40 + "]", 4, "20 aliases"),
        ("title: T\ndeep: " + "[" * 3000 + "]" * 3000, 3, "20 deep"),
        ("title: T\nself: &s [*s]", 3, "recursive"),
        ("title: T\nx: *unknown", 3, ""),
        ("title: T\nx: y\n? [a, b]\n: c", 4, ""),
    ],
)
def test_a_broken_head_is_a_warning_and_still_says_what_it_can(yaml: str, line: int, says: str) -> None:
    parsed = head(yaml)
    (problem,) = parsed.problems
    assert (problem.severity, problem.code, problem.line) == ("warning", "front-matter", line)
    assert says in problem.message
    assert parsed.title is not None and parsed.title.startswith("T")
    assert parsed.entries[-1].text.strip() == "body text"


def test_a_broken_head_is_read_line_by_line() -> None:
    parsed = head("title: Re: router\ntags:\n  - a\n  - \"b c\"\naliases: [x, 'y']\nid: 'q'\n")
    assert (parsed.title, parsed.tags, parsed.aliases) == ("Re: router", ("a", "b c"), ("x", "y"))


@pytest.mark.parametrize(
    ("text", "shown", "problems"),
    [
        ("---\njust a rule\n---\nbody\n", "just a rule", 0),
        ("---\n\nA rule. Then: text\nwith more\nand more\n[x]: *y\n\n---\nbody\n", "with more", 0),
        ("---\ntitle: never closed\n\nbody\n", "body", 1),
        ("text\n---\ntitle: x\n---\n", "text", 0),
        ("---\n- a list\n---\nbody\n", "a list", 0),
        ("---\nbig: '" + "x" * 300_000 + "'\n---\nbody\n", "body", 1),
    ],
)
def test_what_is_no_head_stays_text(text: str, shown: str, problems: int) -> None:
    parsed = read(text)
    assert parsed.title is None
    assert any(shown in entry.heading or shown in entry.text for entry in parsed.entries)
    assert len(parsed.problems) == problems


def test_logseq_page_properties() -> None:
    parsed = read("title:: My page\ntags:: [[big topic]], small\nalias:: mp\ntype:: [[Feature]]\n\n- block\n  key:: value\n")
    assert (parsed.title, parsed.tags, parsed.aliases) == ("My page", ("big topic", "small"), ("mp",))
    assert parsed.properties == (("type", "[[Feature]]"),)
    (entry,) = parsed.entries
    assert entry.properties == (("key", "value"),)
    assert entry.text == "\n\n\n\n\n- block\n\n"
    assert [link.target for link in entry.links] == ["big topic", "Feature"]


@pytest.mark.parametrize(
    ("text", "properties", "shown"),
    [
        ("a\nkey:: value [[x]]\nb", [("key", "value [[x]]")], "a\n\nb"),
        ("x\n\n- status:: open\n- **Due**:: soon\n", [("status", "open"), ("Due", "soon")], "x\n\n\n\n"),
        ("see [rating:: 5] and [by:: [[Bob]]]", [("rating", "5"), ("by", "[[Bob]]")], "see rating: 5 and by: Bob"),
        ("std::vector and a::b", [], "std::vector and a::b"),
        ("See the thing:: here", [], "See the thing:: here"),
        ("```\nkey:: no\n```", [], "```\nkey:: no\n```"),
        ("größe:: 5\nnext", [], "\nnext"),
    ],
)
def test_properties_in_the_text(text: str, properties: list[tuple[str, str]], shown: str) -> None:
    parsed = read(text)
    assert list(parsed.entries[0].properties) == properties
    assert parsed.entries[0].text == shown


def test_tags_are_inherited_from_headings_and_tag_lines_but_not_from_prose() -> None:
    text = (
        "---\ntags: [file]\n---\n# Title #inheading\n#note1 #note2\n\n"
        "prose with #once\n\n## A #sub\n### A.1\n## B\n\n#lines #only\n\ntags:: prop\n\n### B.1\n"
    )
    parsed = read(text)
    note = ("file", "note1", "note2")
    assert parsed.tags == note
    assert {entry.heading: entry.tags for entry in parsed.entries} == {
        "": note,
        "Title": (*note, "inheading", "once"),
        "A": (*note, "inheading", "sub"),
        "A.1": (*note, "inheading", "sub"),
        "B": (*note, "inheading", "lines", "only", "prop"),
        "B.1": (*note, "inheading", "lines", "only", "prop"),
    }


def private(text: str) -> tuple[bool, list[str]]:
    parsed = read(text)
    return parsed.private, [entry.heading for entry in parsed.entries if entry.private]


@pytest.mark.parametrize(
    ("text", "is_file_private", "entries"),
    [
        ("# A\n## B\n", False, []),
        ("---\nprivate: true\n---\n# A\n", True, ["", "A"]),
        ("---\nprivate: false\n---\n# A\n", False, []),
        ("---\ntags: [x, Private]\n---\n# A\n", True, ["", "A"]),
        ("private:: true\n\n- x\n", True, [""]),
        ("#private\n\n# A\n", True, ["", "A"]),
        ("words #private words\n\n# A\n", True, ["", "A"]),
        ("# A\n#private\n## B\n", True, ["A", "B"]),
        ("# A\n## B #private\n### C\n## D\n", False, ["B", "C"]),
        ("# A\n## B\nwords #private/x\n### C\n## D\n", False, ["B", "C"]),
        ("# A\n`#private`\n", False, []),
        ("# A\nprivate:: true\n## B\n# C\n", False, ["A", "B"]),
        ("# A\n- block\n  private:: yes\n", False, ["A"]),
        ("# A\nprivate:: no\n", False, []),
        ("---\nprivate: y\n---\nx\n", True, [""]),
        ("---\nprivate: [true]\n---\nx\n", True, [""]),
        ("---\nprivate:\n---\nx\n", False, []),
        ("+++\nprivate = false\n+++\nx\n", False, []),
    ],
)
def test_private(text: str, is_file_private: bool, entries: list[str]) -> None:
    assert private(text) == (is_file_private, entries)


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("on 2024-05-01, and (2024-05-02).", [("content", "2024-05-01"), ("content", "2024-05-02")]),
        ("[[2024-05-01]] [[May 1st, 2024]] [[Mar 22nd, 2023]]", [("content", "2024-05-01"), ("content", "2023-03-22")]),
        ("2024-05-01T09:30 logged 2024-05-01 10:11:12", [("content", "2024-05-01")]),
        ("2024-13-01 2024-02-30 x2024-05-01 2024-05-012 a/2024-05-01/b 2024-05-01-slug", []),
        ("`2024-05-01 ok`\n\n```\n2024-05-02\n```\n", [("content", "2024-05-01")]),
        (
            "- TODO x\n  SCHEDULED: <2024-05-01 Wed 09:00>\n  DEADLINE: <2024-05-03 Fri>",
            [("scheduled", "2024-05-01T09:00"), ("deadline", "2024-05-03")],
        ),
        (
            "- [ ] pay 📅 2024-05-01 ⏳ 2024-04-30 ➕ 2024-04-01\n- [x] x ✅ 2024-05-02",
            [("deadline", "2024-05-01"), ("scheduled", "2024-04-30"), ("created", "2024-04-01"), ("closed", "2024-05-02")],
        ),
        ("[due:: 2024-05-01]", [("deadline", "2024-05-01")]),
        ("## 2024-05-01\n", [("content", "2024-05-01")]),
    ],
)
def test_dates(text: str, dates: list[tuple[str, str]]) -> None:
    (entry,) = read(text).entries
    assert sorted((date.kind, date.start) for date in entry.dates) == sorted(dates)


def test_a_logbook_drawer_is_no_text() -> None:
    (entry,) = read("- DONE x\n  :LOGBOOK:\n  CLOCK: [2024-05-01]\n  :END:\n- y\n").entries
    assert entry.text.split() == ["-", "DONE", "x", "-", "y"]


@pytest.mark.parametrize(
    ("data", "title", "codes"),
    [
        (b"\xef\xbb\xbf---\ntitle: T\n---\n", "T", []),
        (b"---\r\ntitle: T\r\n---\r\n", "T", []),
        (b"---\rtitle: T\r---\r", "T", []),
        ("# Ünï\n".encode("utf-16"), "Ünï", ["encoding"]),
        (b"# caf\xe9\n", "café", ["encoding"]),
        (b"# caf\x81\n", "caf\ufffd", ["invalid-utf8"]),
        (b"# a\0b\n", "a b", ["nul-bytes"]),
    ],
)
def test_encodings(data: bytes, title: str, codes: list[str]) -> None:
    parsed = MarkdownProcessor().parse(data, "note.md")
    assert parsed.title == title
    assert [problem.code for problem in parsed.problems] == codes
