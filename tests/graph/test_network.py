"""Links and backlinks over a stored vault: both formats, every syntax, and the same after any edits as in a vault made anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.graph.files import VaultFiles, read_vault_conventions
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.indexing.storing import NAMING
from khoj_ls.links.conventions import Conventions
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, move_file, remove_file, replace_file

TREE = """---
title: Plum Tree
aliases: [Prune]
---
# Fruit
Text with a block ^b-1
## Harvest
<a id="spot"></a> more [^1]

[^1]: note
"""
ORG = """:PROPERTIES:
:ID: org-1
:ROAM_REFS: @plum2020
:END:
#+title: Pflaume
* Ernte
:PROPERTIES:
:CUSTOM_ID: ernte
:ID: org-2
:END:
The <<spot>> here. (ref:x)
"""


def test_markdown_leads_to_markdown_and_org(graph):
    graph.put("garden/tree.md", TREE)
    graph.put("org/pflaume.org", ORG)
    graph.put(
        "start.md",
        "[[tree]] [[Plum Tree#Harvest]] [[prune#^b-1]] ![[tree#Fruit#Harvest]]\n"
        "[a](garden/tree.md#harvest) [b](garden/tree.md#spot) [c](org/pflaume.org#ernte) [d](<org/pflaume.org>)\n"
        "[[Pflaume]] [r][ref] [[tree#none]] [x](none.md) <https://a.b> [[#Own]] #tag\n\n[ref]: garden/tree.md#L2\n## Own\n",
    )
    assert graph.leads("start.md") == [
        "garden/tree.md", "garden/tree.md:7", "garden/tree.md:6", "garden/tree.md:7",
        "garden/tree.md:7", "garden/tree.md:8", "org/pflaume.org:6", "org/pflaume.org",
        "org/pflaume.org", "garden/tree.md:2", "broken_anchor", "broken", "external", "start.md:6", "external",
    ]  # fmt: skip


def test_org_leads_to_org_and_markdown(graph):
    graph.put("garden/tree.md", TREE)
    graph.put("org/pflaume.org", ORG)
    graph.put(
        "org/start.org",
        "* Own heading\n<<place>>\n[[file:pflaume.org::*Ernte]] [[file:pflaume.org::#ernte]] [[./pflaume.org::spot]]\n"
        "[[id:org-1]] [[id:org-2][x]] [[file:pflaume.org::(x)]] [[file:../garden/tree.md::Harvest]] [[*Own heading]]\n"
        "[[place]] [[roam:Pflaume]] [cite:@plum2020] [cite:@else] [[id:none]] [[nowhere]] [[https://a.b]] [[Plum Tree]]\n"
        "#+begin_src org\n[[file:none.org]]\n#+end_src\n",
    )
    assert graph.leads("org/start.org") == [
        "org/pflaume.org:6", "org/pflaume.org:6", "org/pflaume.org:11",
        "org/pflaume.org:1", "org/pflaume.org:6", "org/pflaume.org:11", "garden/tree.md:7", "org/start.org:1",
        "org/start.org:2", "org/pflaume.org", "org/pflaume.org", "external", "broken", "broken", "external", "garden/tree.md",
    ]  # fmt: skip


def test_backlinks_come_with_their_line(graph):
    graph.put("tree.md", TREE)
    graph.put("a.md", "one\n  see [[Plum Tree]] and [it](tree.md#harvest)\n")
    graph.put("b.org", "* B\n- [[file:tree.md::Harvest][x]]\n")
    graph.put("c.md", "[[tree#gone]] `[[tree]]`\n")
    graph.put("d.md", "[[other]] [x](sub/tree.md)\n")
    assert graph.backlinks("tree.md") == [
        "a.md:2: see [[Plum Tree]] and [it](tree.md#harvest)",
        "a.md:2: see [[Plum Tree]] and [it](tree.md#harvest)",
        "b.org:2: - [[file:tree.md::Harvest][x]]",
        "c.md:1: [[tree#gone]] `[[tree]]`",
    ]
    assert graph.backlinks("tree.md", "Harvest") == [
        "a.md:2: see [[Plum Tree]] and [it](tree.md#harvest)",
        "b.org:2: - [[file:tree.md::Harvest][x]]",
    ]


def test_of_many_links_only_so_many_are_looked_at(graph):
    graph.put("tree.md", "# Tree\n")
    for number in range(5):
        graph.put(f"{number}.md", "[[tree]] and [[tree]]\n")
    tree = graph.ids["tree.md"]
    counts = graph.ask(lambda network: [len(network.leading(tree, most=most)) for most in (None, 20, 3)])
    assert counts == [10, 10, 3]


def test_links_within_a_note_count_for_its_places_only(graph):
    graph.put("a.md", "# One\n[x](#two) [[#Two]]\n# Two\n")
    assert graph.backlinks("a.md") == []
    assert len(graph.backlinks("a.md", "Two")) == 2


def test_an_id_given_twice_is_ambiguous(graph):
    graph.put("a.org", "* A\n:PROPERTIES:\n:ID: x1\n:END:\n")
    graph.put("b.org", "* B\n:PROPERTIES:\n:ID: X1\n:END:\n[[id:x1]]\n")
    assert graph.leads("b.org") == ["a.org:1|b.org:1"]


def test_an_unsaved_text_is_resolved_with_its_own_places(graph):
    graph.put("a.md", "# Old\n")
    graph.put("b.md", "text\n")
    for path in ("a.md", "new.md"):
        parsed = parse_file(default_registry(), b"# Fresh\n[[#Fresh]] [[#Old]] [[b]] [[new#Fresh]] [[a#Fresh]]", path)
        found = graph.ask(lambda network, path=path, parsed=parsed: network.links_in(path, parsed))
        states = [link.resolution.state for link in found]
        own, other = ("resolved", "broken") if path == "a.md" else ("broken_anchor", "broken")
        assert states == ["resolved", "broken_anchor", "resolved", other, own]


def test_a_single_target_can_be_tried(graph):
    graph.put("a/tree.md", TREE)
    assert graph.ask(lambda network: network.resolve("b.md", "wikilink", "tree#Harvest", "markdown").target.path) == "a/tree.md"
    assert graph.ask(lambda network: network.resolve("b.md", "markdown", "tree.md", "markdown").state) == "broken"


def test_logseq_blocks_pages_and_days(graph):
    graph.conventions = Conventions("logseq")
    graph.put("pages/a___b.md", "- block\n  id:: 634fb104-f332-4743-904a-4827ee754bfc\n")
    graph.put("journals/2024_05_01.org", "* day\n")
    graph.put("pages/x.md", "- ((634fb104-f332-4743-904a-4827ee754bfc)) [[a/b]] #a/b [[May 1st, 2024]] [[none]] #none")
    assert graph.leads("pages/x.md") == [
        "pages/a___b.md:1", "pages/a___b.md", "pages/a___b.md", "journals/2024_05_01.org", "unwritten", "external",
    ]  # fmt: skip


def test_dendron_labels_tags_and_wildcards(graph):
    graph.conventions = Conventions("dendron")
    head = "---\nid: n{}\ndesc: x\ncreated: 1\n---\n"
    graph.put("a.b.md", head.format(1) + "## Some Heading!\n")
    graph.put("a.c.md", head.format(2))
    graph.put("tags.fruit.md", head.format(3))
    graph.put("x.md", head.format(4) + "[[Label|a.b#some-heading]] #fruit ![[a.*]] ![[a.b#^begin:#^end]] [[dendron://v/a.c]]\n")
    assert graph.leads("x.md") == ["a.b.md:6", "tags.fruit.md", "a.b.md|a.c.md", "a.b.md", "a.c.md"]


def test_dendrons_label_may_stand_on_either_side(graph):
    graph.conventions = Conventions("dendron")
    graph.put("a.b.md", "## Here\n")
    graph.put("x.md", "[[Some label|a.b#here]] [[a.b|label]] [[none|nothing]]\n")
    assert graph.leads("x.md") == ["a.b.md:1", "a.b.md", "broken"]
    assert len(graph.backlinks("a.b.md")) == 2


def test_files_that_are_no_notes(graph, tmp_path):
    root = tmp_path / "vault"
    for path in ("img/deep/a picture.png", "x.pdf", "data/ab/cdef/plan.pdf", "notes/skipped.md"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    graph.files = VaultFiles(root)
    graph.put(
        "notes/a.md",
        "![[a picture.png]] ![](../img/deep/a%20picture.png) [p](../x.pdf#page=2) ![[none.png]] [s](skipped.md)\n"
        "[[img]] [f](../img)\n",
    )
    graph.put(
        "b.org",
        ":PROPERTIES:\n:ID: abcdef\n:END:\n* H\n"
        f"[[attachment:plan.pdf]] [[attachment:none.pdf]] [[file:{root}/x.pdf]] [[file:~/x]]\n",
    )
    picture = "img/deep/a picture.png"
    assert graph.leads("notes/a.md") == [picture, picture, "x.pdf", "broken", "notes/skipped.md", "broken", "img"]
    assert graph.leads("b.org") == ["data/ab/cdef/plan.pdf", "broken", "x.pdf", "external"]


def test_the_tools_settings_are_read_from_the_vault(tmp_path):
    assert read_vault_conventions(tmp_path) == (Conventions(), ())
    (tmp_path / ".obsidian").mkdir()
    (tmp_path / ".obsidian" / "app.json").write_text('{"useMarkdownLinks": true}')
    assert read_vault_conventions(tmp_path)[0].link_style == "markdown"
    (tmp_path / ".obsidian" / "app.json").write_text("{")
    assert [(each.path, each.line) for each in read_vault_conventions(tmp_path)[1]] == [(".obsidian/app.json", 1)]
    (tmp_path / ".obsidian" / "app.json").write_text(" " * 1_000_001)
    assert "more than 1,000,000 bytes" in read_vault_conventions(tmp_path)[1][0].message


def test_orphans(graph):
    graph.put("a.md", "[[b]] [[a]]")
    graph.put("b.md", "[x](none.md)")
    graph.put("c.md", "[[c]]")
    assert graph.ask(LinkNetwork.orphans) == ["a.md", "c.md"]


PATHS = ("a.md", "d/a.md", "d/b.md", "b.org", "e/c.md")
TEXTS = (
    "# One\n[[a]] [[d/b#Two]] [x](d/a.md)\n",
    "---\ntitle: a\naliases: [b]\n---\n## Two\n[[One]] [[c]]\n",
    "[[b]] [y](../b.org#two) ((634fb104-f332-4743-904a-4827ee754bfc))\n",
    "* Two\n:PROPERTIES:\n:ID: 634fb104-f332-4743-904a-4827ee754bfc\n:END:\n"
    "[[file:d/a.md::One]] [[id:634fb104-f332-4743-904a-4827ee754bfc]]\n",
)
STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(PATHS), st.sampled_from(TEXTS)),
    st.tuples(st.just("move"), st.sampled_from(PATHS), st.sampled_from(PATHS)),
    st.tuples(st.just("remove"), st.sampled_from(PATHS), st.just("")),
)


class Twin:
    """A vault and what is in it."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "index.db")
        self.texts: dict[str, str] = {}
        self.ids: dict[str, int] = {}

    def put(self, path: str, text: str) -> None:
        parsed = parse_file(default_registry(), text.encode(), path)
        with self.database.write() as connection:
            self.ids[path] = replace_file(
                connection, FileStat(path, 1, 1, 1, 1), content_hash(text.encode()), parsed, naming=NAMING
            )
        self.texts[path] = text

    def move(self, old: str, new: str) -> None:
        if old in self.ids and new not in self.ids and old[-3:] == new[-3:]:
            with self.database.write() as connection:
                move_file(connection, self.ids[old], FileStat(new, 1, 1, 1, 1), naming=NAMING)
            self.ids[new], self.texts[new] = self.ids.pop(old), self.texts.pop(old)

    def remove(self, path: str, _: str) -> None:
        if path in self.ids:
            with self.database.write() as connection:
                remove_file(connection, self.ids.pop(path))
            del self.texts[path]

    def told(self) -> tuple[list, list]:
        with self.database.read() as connection:
            network = LinkNetwork(connection)
            links = sorted(
                (link.path, link.link.span.start, link.resolution.state, *((t.path, t.place) for t in link.resolution.targets))
                for link in network.all_links()
            )
            backlinks = {path: [(b.link.path, b.text) for b in network.backlinks(number)] for path, number in self.ids.items()}
        return links, sorted(backlinks.items())


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_after_any_edits_the_links_are_those_of_a_vault_made_anew(steps):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        edited, anew = Twin(Path(one)), Twin(Path(two))
        for operation, *arguments in steps:
            getattr(edited, operation)(*arguments)
        for path, text in sorted(edited.texts.items()):
            anew.put(path, text)
        assert edited.told() == anew.told()
        edited.database.close()
        anew.database.close()


@pytest.mark.parametrize(
    "text", ["", "[[", "[[|]]", "[[#]]", "[](<>)", "[[a#^]]", "[[a##b]]", "[x](%ZZ%)", "[[../../..]]", "[[/]]"]
)
def test_odd_links_do_no_harm(graph, text):
    graph.put("a.md", text)
    graph.leads("a.md")
    graph.backlinks("a.md")


def test_what_a_viewer_is_to_show_is_no_place_that_could_be_missing(graph):
    graph.put("book.txt", "Stands for a file with pages.\n")
    graph.put("a.md", "[[book.txt#page=3]] [b](book.txt#t=90) [c](book.txt#page) [[book.txt#height=400]]\n")
    assert graph.leads("a.md") == ["book.txt", "book.txt", "broken_anchor", "book.txt"]
