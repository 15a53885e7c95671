"""Daily notes, captures and tables of contents, as each tool has them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from note_texts import NoteTexts

from khoj_ls.content.registry import default_registry
from khoj_ls.graph.capture import capture, title_from
from khoj_ls.graph.daily import day_of, journal_of, neighbour, new_daily
from khoj_ls.graph.dates import written_day
from khoj_ls.graph.open_note import NoteReader
from khoj_ls.graph.toc import table_of_contents
from khoj_ls.links.conventions import Conventions

READER = NoteReader(default_registry())
DAY = datetime(2024, 5, 1, 9, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("tool", "form", "expected"),
    [
        ("obsidian", "YYYY-MM-DD", "2024-05-01"),
        ("obsidian", "YYYY/MM-MMMM/YYYY-MM-DD-dddd", "2024/05-May/2024-05-01-Wednesday"),
        ("obsidian", "[Day] Do MMM, gggg-[W]WW", "Day 1st May, 2024-W18"),
        ("logseq", "yyyy_MM_dd", "2024_05_01"),
        ("logseq", "MMM do, yyyy", "May 1st, 2024"),
        ("dendron", "y.MM.dd", "2024.05.01"),
        ("foam", "isoDate", "2024-05-01"),
        ("foam", "yyyy-mm-dd", "2024-05-01"),
    ],
)
def test_a_day_in_the_tools_own_format(tool, form, expected):
    assert written_day(DAY, form, tool) == expected


@pytest.mark.parametrize(
    ("conventions", "paths", "expected"),
    [
        (Conventions("obsidian", journals="days", journal_name="YYYY-MM-DD"), [], "days/2024-05-01.md"),
        (Conventions("logseq", journals="journals", journal_name="yyyy_MM_dd", format="org"), [], "journals/2024_05_01.org"),
        (Conventions("dendron", journals="daily.journal", journal_name="y.MM.dd", vaults=("v",)), [],
         "v/daily.journal.2024.05.01.md"),
        (Conventions(), ["a/20240101.org", "a/20240102.org", "b/2024-01-01.md"], "a/20240501.org"),
        (Conventions(), [], "daily/2024-05-01.md"),
    ],
)  # fmt: skip
def test_where_the_note_of_a_day_is(conventions, paths, expected):
    journal = journal_of(conventions, paths)
    assert journal.path(DAY) == expected
    assert day_of(journal, expected, DAY) == DAY
    assert day_of(journal, "else.md", DAY) is None


def test_the_note_before_and_after():
    paths = ["daily/2024-04-20.md", "daily/2024-04-30.md", "daily/2024-06-09.md", "x.md"]
    journal = journal_of(Conventions(), paths)
    assert [neighbour(journal, paths, DAY, step) for step in (-1, 1)] == ["daily/2024-04-30.md", "daily/2024-06-09.md"]
    assert neighbour(journal, paths, datetime(2024, 6, 9, tzinfo=timezone.utc), 1) is None


@pytest.mark.parametrize(
    ("tool", "template", "expected"),
    [
        ("obsidian", None, ""),
        ("obsidian", "# {{title}}\n{{date:dddd}} {{time}} {{date}}\n", "# 2024-05-01\nWednesday 09:05 2024-05-01\n"),
        ("plain", None, "# 2024-05-01\n\n"),
        ("logseq", None, "- \n"),
    ],
)
def test_what_a_new_day_says(tool, template, expected):
    form = "yyyy-MM-dd" if tool == "logseq" else "YYYY-MM-DD"
    journal = journal_of(Conventions(tool, journals="d", journal_name=form), [])
    assert new_daily(journal, DAY, template) == expected


@pytest.mark.parametrize(
    ("conventions", "title", "path", "expected"),
    [
        (Conventions("obsidian", new_notes="in"), "Plum: a tree?", "in/Plum a tree.md",
         '---\ntitle: "Plum: a tree?"\ncreated: 2024-05-01T09:05\n---\n\ntext\n'),
        (Conventions("obsidian"), "Plum", "Plum.md", "---\ncreated: 2024-05-01T09:05\n---\n\ntext\n"),
        (Conventions(), "Plum Tree", "plum-tree.md", "---\ntitle: Plum Tree\ncreated: 2024-05-01T09:05\n---\n\ntext\n"),
        (Conventions("logseq", new_notes="pages"), "a/b", "pages/a___b.md", "text\n"),
    ],
)  # fmt: skip
def test_a_capture_begins_as_the_tools_notes_do(graph, conventions, title, path, expected):
    graph.conventions = conventions
    edit, made = graph.ask(lambda network: capture(network, NoteTexts(), title, "text", DAY))
    assert (made, edit.created) == (path, ((path, expected),))


def test_a_taken_name_gets_a_number_and_an_org_note_an_id(graph):
    graph.conventions = Conventions(format="org")
    taken = NoteTexts({"plum.org": ""})
    edit, made = graph.ask(lambda network: capture(network, taken, "Plum", "", DAY))
    assert made == "plum-2.org"
    assert edit.created[0][1].startswith(":PROPERTIES:\n:ID:       ")
    assert edit.created[0][1].endswith(":CREATED:  [2024-05-01 Wed 09:05]\n:END:\n#+title: Plum\n\n")


def test_a_selection_moves_with_its_links(graph):
    text = "# A\n\nOne two.\n\nSee [b](b.md) and [[#A]] here.\n\nEnd\n"
    notes = NoteTexts({"a.md": text, "b.md": ""})
    for path, each in notes.texts.items():
        graph.put(path, each)
    graph.conventions = Conventions(new_notes="in")
    start = text.index("See")
    selection = (start, text.index("\n\nEnd"))
    edit, path = graph.ask(lambda network: capture(network, notes, "Seen", "", DAY, notes.read("a.md"), selection))
    assert path == "in/seen.md"
    assert edit.created[0][1].endswith("---\n\nSee [b](../b.md) and [[a#A]] here.\n")
    assert edit.edits["a.md"].after == "# A\n\nOne two.\n\n[[seen]]\n\nEnd\n"


def test_a_title_is_made_of_the_first_words():
    assert title_from("\n## See [[x|the tree]] and [y](z.md).\nmore") == "See the tree and y"


def test_a_table_of_contents_is_written_and_brought_up_to_date(graph):
    note = READER.read("a.md", "# Title\n\nIntro\n\n## One & two\n\n### Deep\n\n## Three\n")
    graph.conventions = Conventions(link_style="markdown")
    edit = graph.ask(lambda network: table_of_contents(network, note, note.source.index(b"## One"), 2))
    table = "<!-- toc -->\n\n- [One & two](#one--two)\n  - [Deep](#deep)\n- [Three](#three)\n\n<!-- tocstop -->\n\n"
    assert edit.edits["a.md"].after == note.text.replace("## One", table + "## One", 1)
    again = READER.read("a.md", edit.edits["a.md"].after.replace("## Three", "## Four"))
    edit = graph.ask(lambda network: table_of_contents(network, again, 0, 2))
    assert edit.edits["a.md"].after == again.text.replace("[Three](#three)", "[Four](#four)")
    last = READER.read("a.md", edit.edits["a.md"].after)
    assert graph.ask(lambda network: table_of_contents(network, last, 0, 2)).is_empty


def test_a_table_of_contents_in_org(graph):
    note = READER.read("a.org", "#+title: T\n* One\n** Deep\n")
    edit = graph.ask(lambda network: table_of_contents(network, note, 11))
    assert edit.edits["a.org"].after == ("#+title: T\n# toc\n- [[*One][One]]\n  - [[*Deep][Deep]]\n# tocstop\n* One\n** Deep\n")
