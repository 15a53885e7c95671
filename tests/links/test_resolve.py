"""Which note a link means, by the rules of each tool; a vault is a list of paths with what else the notes are called."""

from __future__ import annotations

import pytest

from khoj_ls.links.conventions import Conventions
from khoj_ls.links.names import names_of
from khoj_ls.links.resolve import Candidate, resolve_note
from khoj_ls.links.target import read_target

VAULT = (
    # path, title, aliases, properties, ids
    ("index.md", "Start", (), (), ()),
    ("garden/plum.md", "Plum Tree", ("Prune",), (), ()),
    ("garden/pear.md", None, (), (), ()),
    ("attic/pear.md", None, (), (), ()),
    ("attic/deep/pear.md", None, (), (), ()),
    ("garden/README.md", "About the garden", (), (), ()),
    ("plum.org", "Pflaume", (), (("ROAM_REFS", "@plum2020 cite:old1999"),), ("id-1",)),
    ("notes/20240101T120000--tea__drink.org", "Tea", (), (), ()),
    ("pages/term___tag page.md", None, (), (), ()),
    ("journals/2024_05_01.md", None, (), (), ()),
    ("a.b.c.md", "C", (), (), ("uuid-2",)),
    ("tags.fruit.md", None, (), (), ()),
    ("C# notes.md", "C# notes", (), (), ()),
)
OBSIDIAN, LOGSEQ, DENDRON = Conventions("obsidian"), Conventions("logseq"), Conventions("dendron")
PLAIN = Conventions()


def resolution(kind: str, target: str, source: str, conventions: Conventions = PLAIN, vault=VAULT):
    read = read_target(kind, target, "org" if source.endswith(".org") else "markdown")
    candidates = [
        Candidate(number, path, "org" if path.endswith(".org") else "markdown", name.full, name.source)
        for number, (path, title, aliases, properties, ids) in enumerate(vault)
        for name in names_of(path, title, aliases, properties, ids)
        if name.key == read.key
    ]
    return resolve_note(read, source, candidates, conventions)


def paths(*question, **more):
    found = resolution(*question, **more)
    return found.state if found.state != "resolved" else [target.path for target in found.targets]


@pytest.mark.parametrize(
    ("kind", "target", "source", "conventions", "expected"),
    [
        # names: file names in any case, then titles, then aliases
        ("wikilink", "Plum", "x.md", PLAIN, ["garden/plum.md"]),
        ("wikilink", "plum.md", "x.md", PLAIN, ["garden/plum.md"]),
        ("wikilink", "plum tree", "x.md", PLAIN, ["garden/plum.md"]),
        ("wikilink", "prune", "x.md", PLAIN, ["garden/plum.md"]),
        ("wikilink", "plum.org", "x.md", PLAIN, ["plum.org"]),
        ("wikilink", "Pflaume", "x.md", PLAIN, ["plum.org"]),
        ("wikilink", "pear", "x.md", PLAIN, "ambiguous"),
        ("wikilink", "attic/pear", "x.md", PLAIN, ["attic/pear.md"]),
        ("wikilink", "deep/pear", "x.md", PLAIN, ["attic/deep/pear.md"]),
        ("wikilink", "../attic/pear", "garden/x.md", PLAIN, ["attic/pear.md"]),
        ("wikilink", "nothing", "x.md", PLAIN, "broken"),
        ("wikilink", "garden", "x.md", PLAIN, ["garden/README.md"]),
        ("wikilink", "C# notes", "x.md", PLAIN, ["C# notes.md"]),
        # Obsidian: under the note's folder first, then the shortest path
        ("wikilink", "pear", "garden/x.md", OBSIDIAN, ["garden/pear.md"]),
        ("wikilink", "pear", "attic/x.md", OBSIDIAN, ["attic/pear.md"]),
        ("wikilink", "pear", "attic/deep/x.md", OBSIDIAN, ["attic/deep/pear.md"]),
        ("wikilink", "pear", "other/x.md", OBSIDIAN, ["attic/pear.md"]),
        ("markdown", "pear.md", "attic/x.md", OBSIDIAN, ["attic/pear.md"]),
        ("markdown", "plum.md", "attic/x.md", OBSIDIAN, ["garden/plum.md"]),
        ("markdown", "plum.md", "attic/x.md", PLAIN, "broken"),
        # paths
        ("markdown", "plum.md", "garden/x.md", PLAIN, ["garden/plum.md"]),
        ("markdown", "PLUM.md", "garden/x.md", PLAIN, ["garden/plum.md"]),
        ("markdown", "plum", "garden/x.md", PLAIN, ["garden/plum.md"]),
        ("markdown", "../plum.org", "garden/x.md", PLAIN, ["plum.org"]),
        ("markdown", "/garden/plum.md", "attic/x.md", PLAIN, ["garden/plum.md"]),
        ("markdown", "garden/plum.md?view=1", "x.md", PLAIN, ["garden/plum.md"]),
        ("markdown", "garden/", "x.md", PLAIN, ["garden/README.md"]),
        ("markdown", "../outside.md", "x.md", PLAIN, "external"),
        ("markdown", "/api/thing", "x.md", PLAIN, "external"),
        ("markdown", "C%23%20notes.md", "x.md", PLAIN, ["C# notes.md"]),
        ("file", "file:garden/plum.md", "x.org", PLAIN, ["garden/plum.md"]),
        ("file", "./plum.org", "x.org", PLAIN, ["plum.org"]),
        # ids, titles, identifiers, keys
        ("id", "id:id-1", "x.org", PLAIN, ["plum.org"]),
        ("id", "id:nope", "x.org", PLAIN, "broken"),
        ("block", "uuid-2", "x.md", LOGSEQ, ["a.b.c.md"]),
        ("org", "roam:Pflaume", "x.org", PLAIN, ["plum.org"]),
        ("org", "denote:20240101T120000", "x.org", PLAIN, ["notes/20240101T120000--tea__drink.org"]),
        ("citation", "@plum2020", "x.org", PLAIN, ["plum.org"]),
        ("citation", "@old1999", "x.org", PLAIN, ["plum.org"]),
        ("citation", "@unknown", "x.org", PLAIN, "external"),
        # Logseq: namespaces, journals, pages that are not written yet, tags
        ("wikilink", "term/tag page", "x.md", LOGSEQ, ["pages/term___tag page.md"]),
        ("wikilink", "May 1st, 2024", "x.md", LOGSEQ, ["journals/2024_05_01.md"]),
        ("wikilink", "Wednesday, 01.05.2024", "x.md", LOGSEQ, ["journals/2024_05_01.md"]),
        ("wikilink", "nothing", "x.md", LOGSEQ, "unwritten"),
        ("tag", "prune", "x.md", LOGSEQ, ["garden/plum.md"]),
        ("tag", "prune", "x.md", PLAIN, "external"),
        # Dendron
        ("wikilink", "a.b.c", "x.md", DENDRON, ["a.b.c.md"]),
        ("wikilink", "dendron://docs/a.b.c", "x.md", DENDRON, ["a.b.c.md"]),
        ("tag", "fruit", "x.md", DENDRON, ["tags.fruit.md"]),
        ("tag", "fruit", "x.md", PLAIN, "external"),
    ],
)
def test_resolution(kind, target, source, conventions, expected):
    assert paths(kind, target, source, conventions) == expected


def test_a_wikilink_stays_in_the_format_it_stands_in():
    vault = (("a/tea.md", None, (), (), ()), ("b/tea.org", None, (), (), ()))
    assert paths("wikilink", "tea", "x.md", vault=vault) == ["a/tea.md"]
    assert paths("org", "tea", "x.org", vault=vault) == ["b/tea.org"]


def test_dendron_prefers_the_notes_own_vault():
    vault = (("one/tea.md", None, (), (), ()), ("two/tea.md", None, (), (), ()))
    conventions = Conventions("dendron", vaults=("one", "two"))
    assert paths("wikilink", "tea", "two/x.md", conventions, vault=vault) == ["two/tea.md"]
    assert paths("wikilink", "dendron://one/tea", "two/x.md", conventions, vault=vault) == ["one/tea.md"]


def test_all_that_is_ambiguous_is_named():
    found = resolution("wikilink", "pear", "x.md")
    assert [target.path for target in found.targets] == ["attic/deep/pear.md", "attic/pear.md", "garden/pear.md"]
    assert "attic/pear.md" in found.why
