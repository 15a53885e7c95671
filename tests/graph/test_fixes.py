"""What is offered for each finding, and that every fix that is offered mends it."""

from __future__ import annotations

import pytest
from note_texts import NoteTexts

from khoj_ls.graph.diagnose import CODES, diagnose
from khoj_ls.graph.fixes import fixes
from khoj_ls.graph.name_book import Shelf
from khoj_ls.links.conventions import Conventions

NOTES = {
    "garden/plum-tree.md": "---\ntitle: Plum Tree\n---\n# Fruit\nText ^b1\n## Harvest time\n",
    "journal.org": ":PROPERTIES:\n:ID: j-1\n:END:\n#+title: Journal\n* Monday\n:PROPERTIES:\n:CUSTOM_ID: mon\n:END:\n",
    "a/twice.md": "x\n",
    "b/twice.md": "y\n",
    "twice/twice.md": "z\n",
}
# Note, text with one finding, what the first fix makes of it, and what is offered further (the beginning of each title).
NEW_ORG = ":PROPERTIES:\n:ID:       x-9\n:END:\n#+title: New one\n\n"
BLOCK = "((634fb104-f332-4743-904a-4827ee754bfc))"
CASES = [
    ("n.md", "🦉 [[plum-tre]]", "🦉 [[plum-tree]]", ["Create the note plum-tre.md", "Remove the link, keep “plum-tre”"]),
    ("n.md", "[[plum-tre|label]]", "[[plum-tree|label]]", ["Create", "Remove the link, keep “label”"]),
    ("n.md", "![[plum-tre]]", "![[plum-tree]]", ["Create", "Remove the link"]),
    ("sub/n.md", "[x](plum-tree.md)", "[x](../garden/plum-tree.md)", ["Create the note sub/plum-tree.md", "Remove"]),
    ("n.md", "[x](<gardn/plum tree.md>)", "[x](<garden/plum-tree.md>)", ["Create the note gardn/plum tree.md", "Remove"]),
    ("n.md", "[x][r]\n\n[r]: gardn/plum-tree.md", "[x][r]\n\n[r]: garden/plum-tree.md", ["Create", "Remove"]),
    ("n.md", "[[zzzzzz]]", None, ["Create the note zzzzzz.md", "Remove"]),
    ("n.md", "[[plum-tree#Harvest tim]]", "[[plum-tree#Harvest time]]", ["Create the heading", "Link to the note", "Remove"]),
    ("n.md", "[a](garden/plum-tree.md#harvest)", "[a](garden/plum-tree.md#harvest-time)", ["Create the heading Harvest in"]),
    ("n.md", "[[plum-tree#^b2]]", "[[plum-tree#^b1]]", ["Link to the note", "Remove"]),
    ("n.md", "[[#None]]\n# Nine\n", "[[#Nine]]\n# Nine\n", ["Create the heading None in n.md", "Remove"]),
    ("n.md", "[[twice]]", "[[a/twice]]", ["Link to b/twice.md", "Link to twice/twice.md", "Remove"]),
    ("n.org", "[[id:gone][Jurnal]]", "[[id:j-1][Jurnal]]", ["Create the note Jurnal.org", "Remove"]),
    ("s/n.org", "[[file:jornal.org][J]]", "[[file:../journal.org][J]]", ["Create the note s/jornal.org", "Remove"]),
    ("n.org", "[[Jornal]]", "[[id:j-1][Journal]]", ["Create the note Jornal.org", "Remove"]),
    (
        "n.org",
        "[[file:journal.org::*Munday]]",
        "[[file:journal.org::*Monday]]",
        ["Create the heading Munday", "Link to the note"],
    ),
    ("n.org", "[[file:journal.org::#man]]", "[[file:journal.org::#mon]]", ["Create the heading man", "Link to the note"]),
    ("n.org", "* Own\n[[*Oun]]", "* Own\n[[*Own]]", ["Create the heading Oun", "Remove"]),
]


@pytest.fixture
def notes(graph):
    for path, text in NOTES.items():
        graph.put(path, text)
    return graph


def offered(graph, path, text, near=None, codes=CODES[:4]):
    """The findings of a text and what is offered for the first."""
    texts = NoteTexts({**NOTES, path: text})
    note = texts.read(path)

    def question(network):
        found = diagnose(network, note, codes)
        return found, fixes(network, texts, note, found[0], Shelf(), near or {}) if found else []

    return graph.ask(question)


@pytest.mark.parametrize(("path", "text", "mended", "others"), CASES)
def test_what_is_offered_first_and_further(notes, path, text, mended, others):
    found, ways = offered(notes, path, text)
    assert len(found) == 1
    if mended is not None:
        assert ways[0].edit.edits[path].after == mended
    titles = [fix.title for fix in ways]
    missing = [other for other in others if not any(title.startswith(other) for title in titles)]
    assert missing == [], titles


@pytest.mark.parametrize(("path", "text", "mended", "others"), CASES)
def test_every_fix_mends_what_it_is_offered_for(notes, path, text, mended, others):
    _, ways = offered(notes, path, text)
    for fix in ways:
        after = fix.edit.edits[path].after if path in fix.edit.edits else text
        for other, change in fix.edit.edits.items():
            if other != path:
                notes.put(other, change.after)
        for other, new in fix.edit.created:
            notes.put(other, new)
        assert offered(notes, path, after)[0] == [], (fix.title, after)
        for other, _ in fix.edit.created:
            notes.remove(other)
        for other in fix.edit.edits:
            if other != path:
                notes.put(other, NOTES[other])


def test_notes_near_in_meaning_are_offered_when_no_name_is(notes):
    near = {notes.ids["journal.org"]: 0.7, notes.ids["garden/plum-tree.md"]: 0.4}
    _, ways = offered(notes, "n.md", "[[zzzzzz]]", near)
    assert [fix.title for fix in ways][:2] == [
        "Change the link to Journal (journal.org)", "Change the link to Plum Tree (garden/plum-tree.md)",
    ]  # fmt: skip


def test_an_id_given_twice_gets_a_new_one(notes):
    notes.put("one.org", "* A\n:PROPERTIES:\n:ID: same\n:END:\n")
    text = "* é\n:PROPERTIES:\n:ID: same\n:END:\n"
    _, [fix] = offered(notes, "two.org", text)
    after = fix.edit.edits["two.org"].after
    assert after.startswith("* é\n:PROPERTIES:\n:ID: ")
    assert "same" not in after
    _, [fix] = offered(notes, "blocks.md", "one ^a\n\ntwo ^a\n")
    assert fix.edit.edits["blocks.md"].after == "one ^a-2\n\ntwo ^a\n"


@pytest.mark.parametrize(
    ("conventions", "path", "text", "created"),
    [
        (Conventions("obsidian", new_notes="inbox"), "n.md", "[[zzzzzz]]", ("inbox/zzzzzz.md", "\n")),
        (Conventions("obsidian", new_notes=""), "n.md", "[[q/zzzzzz]]", ("q/zzzzzz.md", "\n")),
        (Conventions("foam", new_notes="./"), "s/n.md", "[[zzz-zzz]]", ("s/zzz-zzz.md", "# Zzz zzz\n\n")),
        (
            Conventions(),
            "n.org",
            "[[id:x-9][New one]]",
            ("New one.org", NEW_ORG),
        ),
        (Conventions(), "n.md", "[a](new/zz%20z.md)", ("new/zz z.md", "# a\n\n")),
    ],
)
def test_new_notes_are_where_the_tool_puts_them(notes, conventions, path, text, created):
    notes.conventions = conventions
    _, ways = offered(notes, path, text)
    assert [fix.edit.created for fix in ways if fix.edit.created] == [(created,)]


@pytest.mark.parametrize("text", ["![[none.png]]", "![x](none.png)", "[x](none.pdf)", BLOCK])
def test_what_is_no_note_is_not_created(notes, text):
    _, ways = offered(notes, "n.md", text)
    assert ways
    assert not any(fix.edit.created for fix in ways)
