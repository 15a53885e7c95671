"""Org's attachments stay where they are found when a note, or a section of it, goes to another folder."""

from __future__ import annotations

import pytest
from marked_text import byte_at
from note_texts import TextVault

from khoj_ls.graph.files import VaultFiles
from khoj_ls.graph.moves import all_moves, mend_moved, mend_moves
from khoj_ls.graph.refile import extract, refile

ID = "abcdef-1234"


def drawer(*lines: str) -> str:
    return "\n".join([":PROPERTIES:", *lines, ":END:", ""])


@pytest.fixture
def vault(graph, tmp_path):
    graph.files = VaultFiles(tmp_path)
    vault = TextVault(graph)
    vault.root = tmp_path
    return vault


def keep(vault, *folders: str) -> None:
    """Put an attachment in each of some folders."""
    for folder in folders:
        (vault.root / folder).mkdir(parents=True)
        (vault.root / folder / "plan.pdf").touch()


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        # relative folders are written anew
        ("a.org", "sub/a.org", "* H\n" + drawer(":DIR:      files/x"), "* H\n" + drawer(":DIR:      ../files/x")),
        ("sub/a.org", "a.org", drawer(":ATTACH_DIR: ./files/"), drawer(":ATTACH_DIR: sub/files/")),
        ("x/a.org", "y/z/a.org", '* H\n' + drawer(':DIR: "../my files"'), '* H\n' + drawer(':DIR: "../../my files"')),
        ("a.org", "sub/a.org", "#+PROPERTY: DIR files\n* H\n", "#+PROPERTY: DIR ../files\n* H\n"),
        # all others stay
        ("a.org", "sub/a.org", "* H\n" + drawer(":DIR: ~/files"), None),
        ("a.org", "sub/a.org", "* H\n" + drawer(":DIR: /srv/files", ":Other: x/y"), None),
        ("a.org", "b.org", "* H\n" + drawer(":DIR: files"), None),
        ("a.org", "sub/a.org", "* H\n#+begin_example\n:DIR: files\n#+end_example\n", None),
        ("a.md", "sub/a.md", "# H\n:DIR: files\n", None),
        # a folder made of an ID that stays behind is named
        (
            "n/a.org", "m/a.org", "* H\n" + drawer(f":ID:       {ID}") + "[[attachment:plan.pdf]]\n",
            "* H\n" + drawer(f":ID:       {ID}", ":DIR:       ../n/data/ab/cdef-1234") + "[[attachment:plan.pdf]]\n",
        ),
        ("n/a.org", "m/a.org", "* H\r\n:PROPERTIES:\r\n:ID: " + ID + "\r\n:END:\r\n",
         "* H\r\n:PROPERTIES:\r\n:ID: " + ID + "\r\n:DIR: ../n/data/ab/cdef-1234\r\n:END:\r\n"),
        # but not where it is not looked at, or not there
        ("n/a.org", "m/a.org", "* H\n" + drawer(f":ID: {ID}", ":DIR: /srv/x"), None),
        ("n/a.org", "m/a.org", "* H\n" + drawer(":DIR: /srv/x") + "** I\n" + drawer(f":ID: {ID}"), None),
        ("n/a.org", "m/a.org", "* H\n" + drawer(":ID: other"), None),
        ("k/a.org", "m/a.org", "* H\n" + drawer(f":ID: {ID}"), None),
    ],
)  # fmt: skip
def test_a_note_that_goes_to_another_folder(vault, old, new, before, after):
    keep(vault, "n/data/ab/cdef-1234")
    vault.write(old, before)
    vault.apply(vault.graph.ask(lambda network: mend_moves(network, vault, {old: new})))
    assert vault.texts[old] == (before if after is None else after)


def test_what_comes_along_needs_nothing(vault):
    keep(vault, "n/data/ab/cdef-1234", "n/files")
    text = drawer(":DIR: files") + "* H\n" + drawer(f":ID: {ID}")
    vault.write("n/a.org", text)

    def moved(network):
        return mend_moves(network, vault, all_moves(network, [("n", "other/n")], {"n": ["n/data", "n/files"]}))

    assert vault.graph.ask(moved).edits == {}


def test_a_note_that_has_moved_already(vault):
    keep(vault, "n/data/ab/cdef-1234")
    text = "* H\n" + drawer(f":ID: {ID}", ":DIR: x")
    vault.write("n/a.org", text)
    vault.texts = {"a.org": text}
    edit = vault.graph.ask(lambda network: mend_moved(network, vault, {"n/a.org": "a.org"}, {}))
    assert edit.edits["n/a.org"].after == "* H\n" + drawer(f":ID: {ID}", ":DIR: n/x")


def test_there_and_back(vault):
    keep(vault, "n/data/ab/cdef-1234")
    text = "* H\n" + drawer(":DIR: files/x")
    vault.write("n/a.org", text)
    for old, new in (("n/a.org", "m/k/a.org"), ("m/k/a.org", "n/a.org")):
        vault.apply(vault.graph.ask(lambda network, old=old, new=new: mend_moves(network, vault, {old: new})))
        vault.texts[new] = vault.texts.pop(old)
        vault.graph.move(old, new)
    assert vault.texts == {"n/a.org": text}


PART = "* One\n** Part\n{}[[attachment:plan.pdf]]\n"


@pytest.mark.parametrize(
    ("own", "after"),
    [
        (drawer(":DIR: files"), drawer(":DIR: ../files")),
        (drawer(f":ID: {ID}"), drawer(f":ID: {ID}", ":DIR: ../data/ab/cdef-1234")),
    ],
)
def test_a_section_takes_its_attachments_along(vault, own, after):
    keep(vault, "data/ab/cdef-1234", "files")
    vault.write("a.org", PART.format(own))
    vault.write("dir/b.org", "* Goal\n")

    def question(network):
        at = byte_at(vault.texts["a.org"], "** Part")
        return refile(network, vault, vault.read("a.org"), at, vault.read("dir/b.org"), 0)

    vault.apply(vault.graph.ask(question))
    assert vault.texts["dir/b.org"] == "* Goal\n** Part\n" + after + "[[attachment:plan.pdf]]\n"


def test_attachments_of_a_heading_that_stays_are_told(vault):
    keep(vault, "files")
    vault.write("a.org", "* One\n" + drawer(":DIR: files") + "** Part\n[[attachment:plan.pdf]]\n** Own\ntext\n")

    def question(network, words):
        return extract(network, vault, vault.read("a.org"), byte_at(vault.texts["a.org"], words))[0].unmended

    assert vault.graph.ask(lambda network: question(network, "** Part")) == ("a.org:6: attachment:plan.pdf",)
    assert vault.graph.ask(lambda network: question(network, "** Own")) == ()
