from __future__ import annotations

import pytest

from khoj_ls.content.markdown import MarkdownProcessor
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Entry, ParsedFile


def read(text: str) -> ParsedFile:
    return MarkdownProcessor().parse(text.encode(), "note.md")


def headings(text: str) -> list[tuple[int, str]]:
    return [(entry.level, entry.heading) for entry in read(text).entries]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# One\n## Two\n###### Six\n", [(1, "One"), (2, "Two"), (6, "Six")]),
        ("## Closed ##\n### C# ###\n", [(2, "Closed"), (3, "C#")]),
        ("# Not#closed#\n", [(1, "Not#closed#")]),
        ("####### seven\n", [(0, "")]),
        ("#no blank\n", [(0, "")]),
        ("#\tTab\n#\n", [(1, "Tab"), (1, "")]),
        ("   # Three blanks in\n", [(1, "Three blanks in")]),
        ("    # Code\n", [(0, "")]),
        ("One\n===\nTwo\n---\n", [(1, "One"), (2, "Two")]),
        ("Over two\nlines\n---\n", [(2, "Over two lines")]),
        ("a\n\n---\n\nb\n", [(0, "")]),
        ("\\# no heading\n", [(0, "")]),
        ("## *Em* `code` [link](x.md) &amp; ~~old~~\n", [(2, "Em code link & old")]),
        ("# A\r\ntext\r\n# B\r\n", [(1, "A"), (1, "B")]),
        ("# A\rtext\r# B", [(1, "A"), (1, "B")]),
        ("- # in a list\n> # in a quote\n", [(0, "")]),
        ("<div>\n# in HTML\n</div>\n\n# Out\n", [(0, ""), (1, "Out")]),
        ("<!--\n# in a comment\n-->\n# Out\n", [(0, ""), (1, "Out")]),
        ("%%\n# in an Obsidian comment\n%%\n# Out\n", [(0, ""), (1, "Out")]),
    ],
)
def test_headings(text: str, expected: list[tuple[int, str]]) -> None:
    assert headings(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "```sh\n# comment\n```\n",
        "~~~\n# comment\n```\n# still\n~~~\n",
        "````\n```\n# comment\n```\n````\n",
        "- item\n  ```sh\n  # comment\n  ```\n",
        "1. item\n\n   ~~~\n   # comment\n   ~~~\n",
        "> ```sh\n> # comment\n> ```\n",
        "  ```\n# comment\n  ```\n",
        "```sh\n# never closed\n\n# comment\n",
        "\tindented\n\t# comment\n",
    ],
)
def test_a_fence_is_kept_whole_and_has_no_headings_links_or_tags(text: str) -> None:
    code = text.replace("# comment", "# comment [[no]] #no [no](no.md)")
    (entry,) = read(code).entries
    assert "# comment [[no]] #no [no](no.md)" in entry.text or "never closed" in entry.text
    assert (entry.level, entry.links, entry.tags) == (0, (), ())


def outline(entries: tuple[Entry, ...]) -> list[tuple[str, tuple[str, ...], int | None]]:
    return [(entry.heading, entry.outline, entry.parent) for entry in entries]


def test_outline_and_parents_follow_the_levels_as_written() -> None:
    text = "intro\n\n### Deep first\n# A\n### A.x.1\n## A.2\n# B\n"
    assert outline(read(text).entries) == [
        ("", (), None),
        ("Deep first", (), None),
        ("A", (), None),
        ("A.x.1", ("A",), 2),
        ("A.2", ("A",), 2),
        ("B", (), None),
    ]


def test_every_line_is_in_one_span_and_text_is_aligned() -> None:
    text = "---\ntitle: T\n---\nintro\n\n# Ünï 🎉\n\nbody [l](x)\n\n```py\nx\n```\n## B\nlast"
    parsed = read(text)
    source = text.encode()
    assert [(entry.span.line, entry.span.end_line) for entry in parsed.entries] == [(1, 5), (6, 12), (13, 14)]
    for entry in parsed.entries:
        assert source[entry.span.start : entry.span.end].decode() == entry.raw
        assert len(text_lines(entry.text)) == len(text_lines(entry.raw))
    assert [entry.text for entry in parsed.entries] == [
        "\n\n\nintro\n\n",
        "\n\nbody l\n\n```py\nx\n```\n",
        "\nlast",
    ]


def test_front_matter_alone_is_an_entry_and_blank_lines_alone_are_none() -> None:
    assert [entry.text for entry in read("---\ntitle: T\n---\n# H\n").entries] == ["\n\n\n", "\n"]
    assert headings("\n\n# H\n") == [(1, "H")]
    assert read("\n \n\t\n").entries == ()
    assert read("").entries == ()


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("one\ntwo\n\nthree\n", (0, 3)),
        ("- a\n  more\n- b\n  - c\n- d\n", (0, 2, 4)),
        ("1. a\n\n2. b\n", (0, 2)),
        ("para\n\n> quote\n> on\n\n|a|\n|-|\n|1|\n\n```\n\nx\n```\n", (0, 2, 5, 9)),
        ("# H\n\npara\n***\n<div>\nx\n</div>\n\n[^1]: note\n", (2, 4, 8)),
    ],
)
def test_blocks_begin_where_top_level_blocks_do(text: str, blocks: tuple[int, ...]) -> None:
    (entry,) = read(text).entries
    assert entry.blocks == blocks


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Title\n", "Title"),
        ("\n\nTitle\n===\n", "Title"),
        ("---\ntags: [a]\n---\n# Title #tag\n", "Title"),
        ("<!-- made by hand -->\n\n# Title\n", "Title"),
        ("---\ntitle: Front\n---\n# Heading\n", "Front"),
        ("title:: Logseq page\n\n- # Heading\n", "Logseq page"),
        ("tags:: a\n\n# Title\n", "Title"),
        ("text\n# Late\n", None),
        ("## Second level\n", None),
        ("text\n", None),
    ],
)
def test_title(text: str, title: str | None) -> None:
    assert read(text).title == title


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("TODO Call", ("TODO", None, "Call")),
        ("DOING [#A] Call", ("DOING", "A", "Call")),
        ("[#B] Call", (None, "B", "Call")),
        ("[ ] Call", ("TODO", None, "Call")),
        ("[x] Call", ("DONE", None, "Call")),
        ("LATER Call #phone", ("LATER", None, "Call")),
        ("TODO", (None, None, "TODO")),
        ("TODO list", (None, None, "TODO list")),
        ("TODOs", (None, None, "TODOs")),
        ("Now", (None, None, "Now")),
    ],
)
def test_task_state_of_a_heading(heading: str, expected: tuple[str | None, str | None, str]) -> None:
    (entry,) = read(f"## {heading}\n").entries
    assert (entry.todo, entry.priority, entry.heading) == expected


def test_a_task_in_a_list_gives_the_section_no_state() -> None:
    (entry,) = read("## Section\n- [ ] open\n- [x] closed\n- TODO later\n").entries
    assert entry.todo is None
    assert entry.text == "\n- [ ] open\n- [x] closed\n- TODO later\n"


def test_what_is_nested_too_deep_for_the_parser_is_still_read() -> None:
    (entry,) = read("> " * 60 + "deep [[link]] #tag\n\nafter\n").entries
    assert [link.target for link in entry.links] == ["link", "tag"]
    assert entry.text.endswith("deep link #tag\n\nafter\n")


def test_a_parser_that_gives_up_costs_structure_but_not_the_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("khoj_ls.content.markdown_scan.block_layout", give_up)
    parsed = read("intro [[a]]\n\n# One\n\n```\n# no\n```\n~~~\n# open\n")
    assert [(entry.level, entry.heading) for entry in parsed.entries] == [(0, ""), (1, "One")]
    assert [link.target for link in parsed.entries[0].links] == ["a"]
    assert parsed.entries[1].text == "\n\n```\n# no\n```\n~~~\n# open\n"
    assert [(problem.severity, problem.code) for problem in parsed.problems] == [("warning", "markdown-structure")]


def test_a_logseq_list_below_a_heading_without_bullet_is_no_code() -> None:
    entries = read(
        "## Words\n\t- one [[Page]]\n\t  id:: 634fb104-f332-4743-904a-4827ee754bfc\n\t\t- deep #tag\n\n\tstill [[Two]]\n"
    ).entries
    assert [link.target for link in entries[0].links] == ["Page", "tag", "Two"]
    assert [anchor.name for anchor in entries[0].anchors if anchor.kind == "id"] == ["634fb104-f332-4743-904a-4827ee754bfc"]
    assert read("text\n\n\t- [[code]]\n").entries[0].links == ()
