"""What a link as written names: scheme, note, place."""

from __future__ import annotations

import pytest

from khoj_ls.links.target import Fragment, LinkTarget, read_target


def told(target: LinkTarget) -> tuple:
    """Scheme, note, and the fragment as (kind, text)."""
    place = target.fragment
    return (target.scheme, target.note, (place.kind, *place.above, place.text) if place else None)


MARKDOWN = [
    ("wikilink", "Plum Tree", ("name", "Plum Tree", None)),
    ("wikilink", "Plum Tree#Harvest", ("name", "Plum Tree", ("heading", "Harvest"))),
    ("wikilink", "Plum#A#B", ("name", "Plum", ("heading", "A", "B"))),
    ("wikilink", "Plum#^b1", ("name", "Plum", ("block", "b1"))),
    ("wikilink", "#Here", ("here", "", ("heading", "Here"))),
    ("wikilink", "#^b1", ("here", "", ("block", "b1"))),
    ("wikilink", "C#", ("name", "C", None)),
    ("wikilink", "https://example.org/a", ("external", "https://example.org/a", None)),
    ("wikilink", "dendron://docs/a.b#c", ("name", "a.b", ("heading", "c"))),
    ("embed", "a.b#start,1:#end", ("name", "a.b", ("heading", "start"))),
    ("embed", "a.b#start,1:", ("name", "a.b", ("heading", "start"))),
    ("embed", "a.b#^begin:#^end", ("name", "a.b", ("block", "begin"))),
    ("embed", "a.b#*", ("name", "a.b", None)),
    ("embed", "image.png", ("name", "image.png", None)),
    ("markdown", "../a%20b/c.md#some-heading", ("path", "../a b/c.md", ("heading", "some-heading"))),
    ("markdown", "a\\(1\\).md", ("path", "a(1).md", None)),
    ("markdown", "/rooted/a.md", ("path", "/rooted/a.md", None)),
    ("markdown", "a.md#L12-L20", ("path", "a.md", ("line", "12"))),
    ("markdown", "a.md#^b1", ("path", "a.md", ("block", "b1"))),
    ("markdown", "a.md#%5Eb1", ("path", "a.md", ("block", "b1"))),
    ("markdown", "#here", ("here", "", ("heading", "here"))),
    ("markdown", "mailto:a@b.c", ("external", "mailto:a@b.c", None)),
    ("markdown", "//example.org/x", ("external", "//example.org/x", None)),
    ("markdown", "file:///home/u/a.md", ("absolute", "/home/u/a.md", None)),
    ("markdown", "~/a.md", ("absolute", "~/a.md", None)),
    ("markdown", "..\\a\\b.md", ("path", "../a/b.md", None)),
    ("block", "634fb104-f332-4743-904a-4827ee754bfc", ("id", "634fb104-f332-4743-904a-4827ee754bfc", None)),
    ("tag", "garden/fruit", ("tag", "garden/fruit", None)),
    ("url", "https://example.org", ("external", "https://example.org", None)),
    ("footnote", "1", ("here", "", ("footnote", "1"))),
]

ORG = [
    ("file", "file:a/b.org::*Some heading", ("path", "a/b.org", ("heading", "Some heading"))),
    ("file", "file:a.org::#custom", ("path", "a.org", ("custom_id", "custom"))),
    ("file", "file:a.org::12", ("path", "a.org", ("line", "12"))),
    ("file", "file:a.org::some words", ("path", "a.org", ("search", "some words"))),
    ("file", "file:a.org::/re.*/", ("path", "a.org", ("regex", "re.*"))),
    ("file", "./a.md", ("path", "./a.md", None)),
    ("file", "file:~/a.org", ("absolute", "~/a.org", None)),
    ("file", "/home/u/a.org::*H", ("absolute", "/home/u/a.org", ("heading", "H"))),
    ("file", "attachment:plan.pdf", ("attachment", "plan.pdf", None)),
    ("heading", "*Some heading", ("here", "", ("heading", "Some heading"))),
    ("org", "#custom", ("here", "", ("custom_id", "custom"))),
    ("org", "(ref-1)", ("here", "", ("code", "ref-1"))),
    ("org", "a target", ("fuzzy", "a target", ("search", "a target"))),
    ("org", "roam:Plum Tree", ("title", "Plum Tree", None)),
    ("org", "denote:20240101T120000", ("denote", "20240101T120000", None)),
    ("org", "denote:20240101T120000::#c", ("denote", "20240101T120000", ("custom_id", "c"))),
    ("id", "id:abc-1", ("id", "abc-1", None)),
    ("id", "id:abc-1::*H", ("id", "abc-1", ("heading", "H"))),
    ("citation", "@smith2020", ("citation", "@smith2020", None)),
    ("url", "info:emacs", ("external", "info:emacs", None)),
]


@pytest.mark.parametrize(("kind", "target", "expected"), MARKDOWN)
def test_markdown(kind, target, expected):
    assert told(read_target(kind, target, "markdown")) == expected


@pytest.mark.parametrize(("kind", "target", "expected"), ORG)
def test_org(kind, target, expected):
    assert told(read_target(kind, target, "org")) == expected


@pytest.mark.parametrize(
    ("kind", "target", "key"),
    [
        ("wikilink", "Garden/Plum  Tree.md#x", "plum tree"),
        ("wikilink", "Straße", "strasse"),
        ("wikilink", "a.b.c", "a.b.c"),
        ("wikilink", "#here", None),
        ("markdown", "../x/Note.ORG", "note"),
        ("markdown", "dir/", "dir"),
        ("block", "634FB104-F332-4743-904A-4827EE754BFC", "634fb104-f332-4743-904a-4827ee754bfc"),
        ("url", "https://a.b", None),
    ],
)
def test_keys(kind, target, key):
    assert read_target(kind, target, "markdown").key == key


def test_a_vault_between_vaults_is_kept():
    assert read_target("wikilink", "dendron://docs/a.b", "markdown").vault == "docs"
    assert read_target("embed", "a#^x", "markdown").fragment == Fragment("block", "x")
