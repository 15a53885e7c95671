"""What is proposed at a caret, which `@` marks in the text. Each case: what comes first, and the line once it is put in."""

from __future__ import annotations

import sqlite3

import pytest

from khoj_ls.content.registry import default_registry
from khoj_ls.graph.caret import spot_at
from khoj_ls.graph.complete import complete
from khoj_ls.graph.name_book import Shelf
from khoj_ls.graph.open_note import NoteReader
from khoj_ls.links.conventions import Conventions

BLOCK = "634fb104-f332-4743-904a-4827ee754bfc"
NOTES = {
    "plum-tree.md": "---\ntitle: Plum Tree\naliases: [Prune, Zwetschge]\ntags: [fruit/stone]\n---\n"
    "# Plum Tree\nIt stands. ^b1\n## Harvest time\n"
    "text #garden\n## Harvest time\n",
    "garden/apple.md": "# Apple\n#fruit\n",
    "old/apple.md": "# Old Apple\n",
    "日记/深圳 note.md": "# 深圳\n",
    "a b.md": "text\n",
    "journal.org": ":PROPERTIES:\n:ID: j-1\n:ROAM_REFS: @Plum2020\n:END:\n#+title: Journal\n* Monday 🦉 :work:\n"
    ":PROPERTIES:\n:ID: m-1\n:CUSTOM_ID: mon\n:END:\n<<spot>>\n* Tuesday\n",
    "refs.org": "#+title: References\n",
    "C# notes.md": "x\n",
    "blocks.md": f"- a block\n  id:: {BLOCK}\n",
}  # fmt: skip

CASES = [
    # names
    ("x.md", "see [[pl@", "Plum Tree", "see [[plum-tree|Plum Tree]]"),
    ("x.md", "see [[pl@]] on", "Plum Tree", "see [[plum-tree|Plum Tree]] on"),
    ("x.md", "see [[pl@um]] on", "Plum Tree", "see [[plum-tree|Plum Tree]] on"),
    ("x.md", "see [[pl@um|label]] on", "Plum Tree", "see [[plum-tree|label]] on"),
    ("x.md", "see [[pl@] on", "Plum Tree", "see [[plum-tree|Plum Tree]] on"),
    ("x.md", "![[pl@", "Plum Tree", "![[plum-tree]]"),
    ("x.md", "🦉 深 [[zwet@", "Zwetschge", "🦉 深 [[plum-tree|Zwetschge]]"),
    ("x.md", "[[plm tre@", "Plum Tree", "[[plum-tree|Plum Tree]]"),
    ("x.md", "[[tree@", "Plum Tree", "[[plum-tree|Plum Tree]]"),
    ("x.md", "[[深@", "深圳", "[[深圳 note|深圳]]"),
    ("x.md", "[[old ap@", "Old Apple", "[[old/apple|Old Apple]]"),
    ("x.md", "[[C# no@", "C# notes", "[[C# notes]]"),
    ("x.md", "`[[pl@`", None, None),
    ("x.md", "```\n[[pl@\n```", None, None),
    ("x.md", "[[a|pl@", None, None),
    # places
    ("x.md", "[[plum-tree#har@", "Harvest time", "[[plum-tree#Harvest time]]"),
    ("x.md", "[[plum tree#^@", "It stands.", "[[plum tree#^b1]]"),
    ("x.md", "# One\n[[#o@", "One", "[[#One]]"),
    ("x.md", "[[none#x@", None, None),
    ("x.md", "[x](plum-tree.md#h@)", "Harvest time", "[x](plum-tree.md#harvest-time)"),
    ("x.org", "[[file:journal.org::*mon@", "Monday 🦉", "[[file:journal.org::*Monday 🦉][Monday 🦉]]"),
    ("x.org", "[[file:journal.org::#m@]]", "Monday 🦉", "[[file:journal.org::#mon][Monday 🦉]]"),
    ("x.org", "* Own\n[[*o@", "Own", "[[*Own][Own]]"),
    # paths
    ("x.md", "[tree](pl@", "Plum Tree", "[tree](plum-tree.md)"),
    ("garden/x.md", "[tree](@)", "Plum Tree", "[tree](../plum-tree.md)"),
    ("x.md", "[](a b@", None, None),
    ("x.md", "[](garden/app@)", "Apple", "[](garden/apple.md)"),
    ("x.md", "[a b](@)", "a b", "[a b](a%20b.md)"),
    ("x.md", "[](<a b@>)", "a b", "[](<a b.md>)"),
    ("x.md", "[](garden/@)", "Apple", "[](garden/apple.md)"),
    # Org
    ("x.org", "[[jour@", "Journal", "[[id:j-1][Journal]]"),
    ("x.org", "[[jour@]]", "Journal", "[[id:j-1][Journal]]"),
    ("x.org", "[[jour@][label]]", "Journal", "[[id:j-1][label]]"),
    ("x.org", "[[plum@", "Plum Tree", "[[file:plum-tree.md][Plum Tree]]"),
    ("x.org", "[[id:mon@", "Monday 🦉", "[[id:m-1][Monday 🦉]]"),
    ("x.org", "[[id:mon@][x]]", "Monday 🦉", "[[id:m-1][x]]"),
    ("sub/x.org", "[[file:ref@", "References", "[[file:../refs.org][References]]"),
    ("x.org", "=[[pl@=", None, None),
    # tags, citations, blocks
    ("x.md", "so #gar@", "garden", "so #garden"),
    ("x.md", "so #fru@it on", "fruit", "so #fruit on"),
    ("x.md", "# @", None, None),
    ("x.org", "* Head :wo@", "work", "* Head :work:"),
    ("x.org", "* Head :wo@:", "work", "* Head :work:"),
    ("x.org", "[cite:@pl@]", "Plum2020", "[cite:@Plum2020]"),
    ("x.md", "[@plu@]", "Plum2020", "[@Plum2020]"),
    ("x.md", "((a bl@", "a block", f"(({BLOCK}))"),
]


def proposals(graph, path: str, marked: str, near=None):
    """The text without its mark, and what is proposed there."""
    at = marked.rindex("@")
    text = marked[:at] + marked[at + 1 :]
    note = NoteReader(default_registry()).read(path, text)
    spot = spot_at(note, len(marked[:at].encode()), tool=graph.conventions.tool)
    found = graph.ask(lambda network: complete(network, note, spot, Shelf(), near or {})) if spot else []
    return text, found


def put_in(text: str, proposal) -> str:
    data = text.encode()
    edit = proposal.insertion
    return (data[: edit.start] + edit.text.encode() + data[edit.end :]).decode()


@pytest.fixture
def notes(graph):
    for path, text in NOTES.items():
        graph.put(path, text)
    return graph


@pytest.mark.parametrize(("path", "marked", "first", "line"), CASES)
def test_what_is_proposed_first_and_what_it_writes(notes, path, marked, first, line):
    text, found = proposals(notes, path, marked)
    assert (found[0].label if found else None) == first
    if found:
        assert put_in(text, found[0]).split("\n")[-1] == line
        start, caret = found[0].insertion.start, len(marked[: marked.rindex("@")].encode())
        written = text.encode()[start:caret].decode()
        assert all(each.insertion.filter.startswith(written) for each in found)


@pytest.mark.parametrize(
    ("conventions", "marked", "first", "line"),
    [
        (Conventions("obsidian", link_style="markdown"), "[[pl@]]", "Plum Tree", "[Plum Tree](plum-tree.md)"),
        (Conventions("obsidian", link_style="markdown"), "[[pl@|x]]", "Plum Tree", "[[plum-tree|x]]"),
        (Conventions("obsidian"), "[[plum-tree#Harvest@", "Harvest time", "[[plum-tree#Harvest time]]"),
        (Conventions("obsidian", path_style="absolute"), "[[appl@", "Apple", "[[garden/apple]]"),
        (Conventions("dendron"), "[[Label|plu@]]", "Plum Tree", "[[Label|plum-tree]]"),
        (Conventions("dendron"), "[[plu@", "Plum Tree", "[[Plum Tree|plum-tree]]"),
        (Conventions("dendron"), "[[plum-tree#har@", "Harvest time", "[[plum-tree#harvest-time]]"),
        (Conventions("logseq"), "[[plu@", "Plum Tree", "[[plum-tree]]"),
    ],
)
def test_links_are_written_as_the_tool_does(notes, conventions, marked, first, line):
    notes.conventions = conventions
    text, found = proposals(notes, "x.md", marked)
    assert (found[0].label, put_in(text, found[0])) == (first, line)


def test_the_second_heading_of_a_name_has_its_number(notes):
    text, found = proposals(notes, "x.md", "[x](plum-tree.md#harvest@)")
    assert [put_in(text, each) for each in found[:2]] == ["[x](plum-tree.md#harvest-time)", "[x](plum-tree.md#harvest-time-1)"]


def test_meaning_decides_where_names_fit_alike_and_orders_everything_where_nothing_is_written(notes):
    near = {notes.ids["old/apple.md"]: 0.9, notes.ids["refs.org"]: 0.5}
    assert [each.path for each in proposals(notes, "x.md", "[[@", near)[1]][:2] == ["old/apple.md", "refs.org"]
    assert [each.path for each in proposals(notes, "x.md", "[[app@", near)[1]] == ["old/apple.md", "garden/apple.md"]
    assert proposals(notes, "x.md", "[[plum@", near)[1][0].path == "plum-tree.md"


def test_a_note_does_not_propose_itself_and_lists_are_short(notes):
    for number in range(80):
        notes.put(f"n{number}.md", "x")
    _, found = proposals(notes, "n1.md", "[[n@")
    assert len(found) == 50
    assert "n1.md" not in [each.path for each in found]


@pytest.mark.parametrize(
    "marked",
    ["@", "[@", "[[@", "[[#@", "[[^@", "[](@", "[](<@", "((@", "[[|@", "![[#^@", "[[[[@", "]](@", "\r[[@\r", "\ufeff[[@"],
)
@pytest.mark.parametrize("path", ["x.md", "x.org", "x.txt"])
def test_odd_beginnings_do_no_harm(notes, path, marked):
    proposals(notes, path, marked)


@pytest.mark.parametrize(("begun", "there"), [(True, {"notes", "tags"}), (False, set())])
def test_names_are_read_ahead_once_somebody_writes(notes, begun, there):
    shelf = Shelf()
    assert not begun or (shelf.begin(), shelf.begin()) == (True, False)
    notes.ask(lambda network: shelf.refresh(network.connection))
    read = {section for section in ("notes", "tags", "ids") if known_without_asking(shelf, section)}
    assert read == there


def known_without_asking(shelf, section):
    nothing = sqlite3.connect(":memory:")
    try:
        return bool(shelf.names(nothing, section).items)
    except sqlite3.OperationalError:  # it would have to read them
        return False
    finally:
        nothing.close()
