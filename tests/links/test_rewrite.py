"""Rewriting links: every syntax to another note and back gives the same bytes, and each form stays as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.content.markdown import MarkdownProcessor
from khoj_ls.content.org import OrgProcessor
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.encode import encode
from khoj_ls.links.format import Address, format_link, shortest_name
from khoj_ls.links.retarget import moved_name
from khoj_ls.links.rewrite import applied, redirect, written_target
from khoj_ls.links.target import read_target

PLAIN, OBSIDIAN, LOGSEQ, DENDRON = Conventions(), Conventions("obsidian"), Conventions("logseq"), Conventions("dendron")


def links(source: bytes, type_: str):
    processor = OrgProcessor() if type_ == "org" else MarkdownProcessor()
    return [link for entry in processor.parse(source, "x").entries for link in entry.links]


def rewritten(source: bytes, type_: str, number: int = 0, **change) -> bytes:
    link = links(source, type_)[number]
    written = written_target(source, link, type_)
    assert written is not None, link
    return applied(source, [redirect(written, **change)])


def note(source: bytes, type_: str, number: int = 0) -> str:
    link = links(source, type_)[number]
    return read_target(link.kind, link.target, type_).note


# The name stands where {} is, encoded as the syntax wants it.
MARKDOWN = (
    ("[[{}]]", "wiki"),
    ("é [[{}|label]] ü", "wiki"),
    ("![[{}#Heading]]", "wiki"),
    ("| [[{}#^b\\|x y]] |\n|---|\n", "wiki"),
    ("{{{{embed [[{}]]}}}}", "wiki"),
    ("[label]([[{}]])", "wiki"),
    ("- [[ {} | label ]]", "wiki"),
    ("[l](sub/{}.md)", "bare"),
    ('[l]( {}.md#a-b "t" )', "bare"),
    ("[![i](i.png)]({}.md)", "bare"),
    ("[l](<{}.md> 'title')", "angled"),
    ("![l]({}.png?raw=1)", "bare"),
    ('[text][ref]\n\n[ref]: {}.md#x "t"\n', "bare"),
    ("[Ref][]\n\n[ref]: <{}.md>\n", "angled"),
)
ORG = (
    ("[[file:sub/{}.org]]", "org"),
    ("é [[file:{}.org::*Heading][label]]", "org"),
    ("[[./{}.md][l]]", "org"),
    ("[[id:{}][l]]", "org"),
    ("[[roam:{}]]", "org"),
    ("*bold [[file:{}.org::#c][l]]*", "org"),
)  # fmt: skip
LETTERS = st.characters(codec="utf-8", categories=("L", "N"), include_characters=" -_'(),&")
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(
    lambda name: name == name.strip() and "  " not in name and name.strip("-_'(),& ") and name[0] not in "'(),&"
)


@pytest.mark.parametrize(("template", "encoding"), [*MARKDOWN, *ORG])
@given(old=NAMES, new=NAMES)
def test_there_and_back_gives_the_same_bytes(template, encoding, old, new):
    type_ = "org" if (template, encoding) in ORG else "markdown"
    source = template.format(encode(old, encoding)).encode()
    before = note(source, type_)
    assert old in before
    after = rewritten(source, type_, note=before.replace(old, new))
    assert note(after, type_) == before.replace(old, new)
    assert rewritten(after, type_, note=before) == source


@pytest.mark.parametrize(
    ("source", "type_", "change", "expected"),
    [
        ("[[Old#Head|shown]]", "markdown", {"note": "New"}, "[[New#Head|shown]]"),
        ("[[Old#Head|shown]]", "markdown", {"place": "Tail"}, "[[Old#Tail|shown]]"),
        ("[[Old]]", "markdown", {"place": "^b1"}, "[[Old#^b1]]"),
        ("[a](b.md#^b1)", "markdown", {"place": "^b2"}, "[a](b.md#^b2)"),
        ("[a](b.md#%5eb1)", "markdown", {"place": "^b2"}, "[a](b.md#%5eb2)"),
        ("[a](b.md#head)", "markdown", {"place": "^b2"}, "[a](b.md#^b2)"),
        ("[a](#^b1)", "markdown", {"place": "^b2"}, "[a](#^b2)"),
        ("[a](<b c.md#^b1>)", "markdown", {"place": "^b2"}, "[a](<b c.md#^b2>)"),
        ("[[Old#Head]]", "markdown", {"place": ""}, "[[Old]]"),
        ("[[#Head]]", "markdown", {"place": "Tail"}, "[[#Tail]]"),
        ("[[dendron://v/a.b#c]]", "markdown", {"note": "x.y"}, "[[dendron://v/x.y#c]]"),
        ("[a](b%20c.md)", "markdown", {"note": "d e.md"}, "[a](d%20e.md)"),
        ("[a](%C3%BC.md)", "markdown", {"note": "ö.md"}, "[a](%C3%B6.md)"),
        ("[a](ü.md)", "markdown", {"note": "ö.md"}, "[a](ö.md)"),
        ("[a](b.md)", "markdown", {"note": "c (1.md"}, "[a](c%20%281.md)"),
        ("[a](b\\(.md)", "markdown", {"note": "c).md"}, "[a](c\\).md)"),
        ("[a](b.md)", "markdown", {"note": "50% #1?.md"}, "[a](50%25%20%231%3F.md)"),
        ("[a](<b c.md> 'b c.md')", "markdown", {"note": "d>.md"}, "[a](<d\\>.md> 'b c.md')"),
        ("[b c.md](b c.md)", "markdown", {"note": "d e.md"}, "[b c.md](d e.md)"),
        ("[a](b.md?x=1#c)", "markdown", {"note": "d.md", "place": "e"}, "[a](d.md?x=1#e)"),
        ("[[file:b.org::*H][b.org]]", "org", {"note": "c.org"}, "[[file:c.org::*H][b.org]]"),
        ("[[file:b.org::*H][b.org]]", "org", {"place": "*I"}, "[[file:b.org::*I][b.org]]"),
        ("[[file:b.org]]", "org", {"note": "c[1].org"}, "[[file:c\\[1\\].org]]"),
        ("see <file:b.org> and", "org", {"note": "c.org"}, "see <file:c.org> and"),
        ("see file:b.org.", "org", {"note": "c.org"}, "see file:c.org."),
        ("see file:b.org::*H.", "org", {"note": "c d.org"}, "see <file:c d.org::*H>."),
        ("- #tag x", "markdown", {"note": "label"}, "- #label x"),
        ("- #tag x", "markdown", {"note": "a label"}, "- #[[a label]] x"),
        ("- #[[a tag]] x", "markdown", {"note": "label"}, "- #[[label]] x"),
    ],
)  # fmt: skip
def test_each_form_stays_as_it_was(source, type_, change, expected):
    assert rewritten(source.encode(), type_, **change) == expected.encode()


def test_links_that_share_a_definition_make_one_edit():
    source = b"[one][r] and [two][r]\n\n[r]: a.md\n"
    edits = [redirect(written_target(source, link, "markdown"), note="b.md") for link in links(source, "markdown")]
    assert applied(source, edits) == b"[one][r] and [two][r]\n\n[r]: b.md\n"


def test_an_abbreviated_org_target_is_not_written_out():
    source = b"#+LINK: n file:notes/%s.org\n[[n:tea][tea]]\n"
    assert written_target(source, links(source, "org")[0], "org") is None


def test_overlapping_edits_are_refused():
    source = b"[[a]]"
    written = written_target(source, links(source, "markdown")[0], "markdown")
    with pytest.raises(ValueError):
        applied(source, [redirect(written, note="x"), redirect(written, note="y")])


@pytest.mark.parametrize(
    ("kind", "target", "old", "new", "source", "conventions", "expected"),
    [
        ("wikilink", "Plum", "garden/Plum.md", "garden/Pear.md", "x.md", PLAIN, "Pear"),
        ("wikilink", "garden/Plum", "garden/Plum.md", "attic/Pear.md", "x.md", PLAIN, "attic/Pear"),
        ("wikilink", "/garden/Plum", "garden/Plum.md", "attic/Pear.md", "x.md", PLAIN, "/attic/Pear"),
        ("wikilink", "../garden/Plum", "garden/Plum.md", "attic/Pear.md", "notes/x.md", PLAIN, "../attic/Pear"),
        ("wikilink", "Plum.md", "garden/Plum.md", "garden/Pear.md", "x.md", PLAIN, "Pear.md"),
        ("wikilink", "Plum Tree", "garden/plum.md", "garden/pear.md", "x.md", PLAIN, None),
        ("wikilink", "Plum", "garden/Plum.md", "attic/Plum.md", "x.md", PLAIN, None),
        ("wikilink", "a/b", "pages/a___b.md", "pages/a___c.md", "x.md", LOGSEQ, "a/c"),
        ("wikilink", "a.b", "a.b.md", "a.c.md", "x.md", DENDRON, "a.c"),
        ("markdown", "garden/plum.md", "garden/plum.md", "attic/pear.md", "x.md", PLAIN, "attic/pear.md"),
        ("markdown", "plum.md", "garden/plum.md", "attic/pear.md", "garden/x.md", PLAIN, "../attic/pear.md"),
        ("markdown", "./plum", "garden/plum.md", "garden/pear.md", "garden/x.md", PLAIN, "./pear"),
        ("markdown", "/garden/plum.md", "garden/plum.md", "pear.md", "x/x.md", PLAIN, "/pear.md"),
        ("markdown", "garden/plum.md", "garden/plum.md", "attic/pear.md", "notes/x.md", OBSIDIAN, "attic/pear.md"),
        ("markdown", "plum.md", "garden/plum.md", "attic/pear.md", "notes/x.md", OBSIDIAN, "pear.md"),
        ("markdown", "garden/", "garden/README.md", "attic/README.md", "x.md", PLAIN, "attic/"),
        ("markdown", "garden/", "garden/README.md", "garden/about.md", "x.md", PLAIN, "garden/about.md"),
        ("file", "../plum.org", "plum.org", "sub/pear.org", "sub/x.org", PLAIN, "./pear.org"),
        ("file", "file:plum.org", "plum.org", "sub/plum.org", "x.org", PLAIN, "sub/plum.org"),
        ("id", "id:abc", "plum.org", "sub/plum.org", "x.org", PLAIN, None),
        ("org", "denote:20240101T120000", "20240101T120000-a.org", "20250101T120000-a.org", "x.org", PLAIN, "20250101T120000"),
        ("org", "denote:20240101T120000", "20240101T120000-a.org", "20240101T120000-b.org", "x.org", PLAIN, None),
    ],
)  # fmt: skip
def test_a_moved_note_is_called_as_before(kind, target, old, new, source, conventions, expected):
    read = read_target(kind, target, "org" if source.endswith(".org") else "markdown")
    assert moved_name(read, old, new, source, conventions) == expected
    if expected is not None and not target.endswith("/"):
        again = moved_name(read_target_note(read, expected), new, old, source, conventions)
        assert again == read.note


def read_target_note(target, note):
    from dataclasses import replace

    return replace(target, note=note)


def test_a_note_that_moves_itself_keeps_its_relative_links():
    read = read_target("markdown", "plum.md", "markdown")
    assert moved_name(read, "garden/plum.md", "garden/plum.md", "x.md", PLAIN, source_before="garden/x.md") == "garden/plum.md"


def test_a_name_that_others_have_too_gets_longer():
    read = read_target("wikilink", "plum", "markdown")
    assert moved_name(read, "a/plum.md", "b/pear.md", "x.md", PLAIN, others=["c/pear.md"]) == "b/pear"
    assert shortest_name("a/b/c", ["x/c", "x/b/c"]) == "a/b/c"
    assert shortest_name("c", ["x/c"]) == "/c"


HEADING = Address("garden/Plum Tree.md", "Plums", place="The Harvest!")
NOTE = Address("garden/Plum Tree.md", "Plums")
BLOCK = Address("garden/Plum Tree.md", "Plums", place="b1", place_kind="block")


@pytest.mark.parametrize(
    ("address", "source", "conventions", "more", "expected"),
    [
        (NOTE, "x.md", PLAIN, {}, "[[Plum Tree]]"),
        (NOTE, "x.md", PLAIN, {"others": ["b/Plum Tree.md"]}, "[[garden/Plum Tree]]"),
        (NOTE, "x.md", PLAIN, {"label": "a|b ]"}, "[[Plum Tree|a b]]"),
        (NOTE, "x.md", DENDRON, {"label": "tree"}, "[[tree|Plum Tree]]"),
        (HEADING, "x.md", PLAIN, {}, "[[Plum Tree#The Harvest!]]"),
        (HEADING, "x.md", DENDRON, {}, "[[Plum Tree#the-harvest]]"),
        (HEADING, "garden/Plum Tree.md", PLAIN, {}, "[[#The Harvest!]]"),
        (BLOCK, "x.md", PLAIN, {"embed": True}, "![[Plum Tree#^b1]]"),
        (BLOCK, "x.md", OBSIDIAN, {"style": "markdown"}, "[b1](garden/Plum%20Tree.md#^b1)"),
        (BLOCK, "garden/Plum Tree.md", PLAIN, {"style": "markdown", "embed": True}, "![b1](#^b1)"),
        (BLOCK, "x.md", LOGSEQ, {"embed": True}, "{{embed ((b1))}}"),
        (NOTE, "x.md", LOGSEQ, {"label": "tree"}, "[tree]([[Plum Tree]])"),
        (NOTE, "notes/x.md", PLAIN, {"style": "markdown"}, "[Plums](../garden/Plum%20Tree.md)"),
        (HEADING, "a/x.md", PLAIN, {"style": "markdown", "label": "[b]"}, "[\\[b\\]](../garden/Plum%20Tree.md#the-harvest)"),
        (HEADING, "x.md", OBSIDIAN, {"style": "markdown"}, "[The Harvest!](garden/Plum%20Tree.md#The%20Harvest!)"),
        (NOTE, "notes/x.org", PLAIN, {}, "[[file:../garden/Plum Tree.md][Plums]]"),
        (HEADING, "x.org", PLAIN, {"label": "[x]"}, "[[file:garden/Plum Tree.md::*The Harvest!][{x}]]"),
        (Address("a.org", "A", id="i-1"), "x.org", PLAIN, {}, "[[id:i-1][A]]"),
        (NOTE, "x.md", Conventions("obsidian", path_style="relative"), {}, "[[garden/Plum Tree]]"),
        (Address("a|b.md", "A"), "x.md", PLAIN, {}, "[A](a%7Cb.md)"),
    ],
)  # fmt: skip
def test_a_link_as_the_tool_writes_it(address, source, conventions, more, expected):
    assert format_link(address, source, conventions, **more) == expected
