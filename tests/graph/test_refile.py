"""Sections that move between notes: what is left, what comes, and every link in them and to them."""

from __future__ import annotations

import pytest
from marked_text import byte_at
from note_texts import TextVault

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.linking import insert_link, related_section
from khoj_ls.graph.refile import extract, inline, refile
from khoj_ls.links.conventions import Conventions


@pytest.fixture
def vault(graph):
    return TextVault(graph)


def at(vault, path, words):
    return byte_at(vault.texts[path], words)


def test_a_section_becomes_a_note_and_a_link_is_left(vault):
    vault.put(
        x__a_md="# A\n\nIntro [[#Part]].\n\n## Part\n\nSee [b](b.md), [[#Other]] and [[#Deep]].\n\n### Deep\n\n"
        "text ^q\n\n## Other\n\nend\n",
        x__b_md="[[a#Part]] [d](a.md#deep) [[a#^q]] [[a]] [[a#Other]]\n",
    )
    edit, path = vault.graph.ask(lambda network: extract(network, vault, vault.read("x/a.md"), at(vault, "x/a.md", "See [b]")))
    assert path == "x/part.md"
    vault.apply(edit)
    assert vault.texts == {
        "x/a.md": "# A\n\nIntro [[part#Part]].\n\n[[part]]\n\n## Other\n\nend\n",
        "x/part.md": "# Part\n\nSee [b](b.md), [[a#Other]] and [[#Deep]].\n\n## Deep\n\ntext ^q\n\n",
        "x/b.md": "[[part#Part]] [d](part.md#deep) [[part#^q]] [[a]] [[a#Other]]\n",
    }


def test_an_org_section_goes_below_a_heading_of_another_note(vault):
    vault.put(
        a_org="* One\n[[*Two]] [[file:b.org::*Goal]]\n** Sub\n:PROPERTIES:\n:ID: s\n:END:\n* Two\n[[*Sub]] [[id:s]] [[*One]]\n",
        dir__b_org="* Goal\ntext\n* Last\n",
        c_md="[x](a.org#one) [[a#Sub]]\n",
    )
    vault.texts["a.org"] = vault.texts["a.org"].replace("file:b.org", "file:dir/b.org")
    vault.write("a.org", vault.texts["a.org"])

    def question(network):
        return refile(network, vault, vault.read("a.org"), 0, vault.read("dir/b.org"), 0)

    vault.apply(vault.graph.ask(question))
    assert vault.texts == {
        "a.org": "* Two\n[[id:s]] [[id:s]] [[file:dir/b.org::*One]]\n",
        "dir/b.org": (
            "* Goal\ntext\n** One\n[[file:../a.org::*Two]] [[file:b.org::*Goal]]\n"
            "*** Sub\n:PROPERTIES:\n:ID: s\n:END:\n* Last\n"
        ),
        "c.md": "[x](dir/b.org#one) [[b#Sub]]\n",
    }


def test_a_note_is_put_in_the_place_of_a_link_to_it(vault):
    vault.put(
        a_md="# A\n\nBefore [[sub/b]] after.\n\nNext.\n",
        sub__b_md="---\ntags: [x]\n---\n# Bee\n\n[a](../a.md) [[#Low]]\n\n## Low\n",
        c_md="[[b]] [[b#Low]]\n",
    )
    vault.apply(vault.graph.ask(lambda network: inline(network, vault, vault.read("a.md"), at(vault, "a.md", "sub/b"))))
    assert vault.texts == {
        "a.md": "# A\n\nBefore Bee after.\n\n## Bee\n\n[a](a.md) [[#Low]]\n\n### Low\n\nNext.\n",
        "c.md": "[[a#Bee]] [[a#Low]]\n",
    }


@pytest.mark.parametrize(("target", "reason"), [("o.org", "different formats"), ("a.md", "there already|into itself")])
def test_what_cannot_go_is_refused(vault, target, reason):
    vault.put(a_md="# A\n\n## Only\n", o_org="* O\n")
    with pytest.raises(UsageError, match=reason):
        vault.graph.ask(lambda network: refile(network, vault, vault.read("a.md"), 6, vault.read(target)))


def test_a_section_that_is_not_there_is_said(vault):
    vault.put(a_md="text\n")
    with pytest.raises(UsageError, match="no section here"):
        vault.graph.ask(lambda network: extract(network, vault, vault.read("a.md"), 0))


@pytest.mark.parametrize(
    ("tool", "style", "source", "expected"),
    [
        ("plain", "wiki", "a.md", "see [[Plum Tree|the tree]] 🌳\n"),
        ("plain", "markdown", "a.md", "see [the tree](x/Plum%20Tree.md) 🌳\n"),
        ("dendron", "wiki", "a.md", "see [[the tree|Plum Tree]] 🌳\n"),
        ("plain", "wiki", "o.org", "see [[file:x/Plum Tree.md][the tree]] 🌳\n"),
    ],
)
def test_words_become_a_link_as_the_tool_writes_it(vault, tool, style, source, expected):
    vault.graph.conventions = Conventions(tool, link_style=style)
    vault.put(a_md="see the tree 🌳\n", o_org="see the tree 🌳\n")
    vault.write("x/Plum Tree.md", "# Plum Tree\n")
    edit = vault.graph.ask(lambda network: insert_link(network, vault, vault.read(source), 4, 12, "x/Plum Tree.md"))
    assert edit.edits[source].after == expected


def test_related_notes_are_written_once_and_brought_up_to_date(vault):
    vault.put(a_md="# A\n\ntext", b_md="# Bee\n", c_md="# c\n", o_org="* O\n")
    for paths, links in ((["b.md", "c.md"], "- [[b|Bee]]\n- [[c]]\n"), (["c.md"], "- [[c]]\n")):
        vault.apply(vault.graph.ask(lambda network, paths=paths: related_section(network, vault, vault.read("a.md"), paths)))
        assert vault.texts["a.md"] == "# A\n\ntext\n\n## Related\n\n" + links
    edit = vault.graph.ask(lambda network: related_section(network, vault, vault.read("o.org"), ["b.md"]))
    assert edit.edits["o.org"].after == "* O\n* Related\n- [[file:b.md][Bee]]\n"
