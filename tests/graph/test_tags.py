"""Where tags are written, and who has one: the text and its tags beside each other."""

from __future__ import annotations

import pytest

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.graph.tags import is_below, tagged, tags_of
from khoj_ls.links.conventions import Conventions

WRITTEN = [
    ("a.md", "---\ntags: [one, 'two', three/four]\n---\n#five 🦉 #six/7\n", ["one", "two", "three/four", "#five", "#six/7"]),
    ("a.md", '---\ntags:\n  - one\n  - "two"\nother: [x]\n---\n', ["one", "two"]),
    ("a.md", "---\ntag: one\ntitle: tags\n---\n", ["one"]),
    ("a.md", "---\ntags: one, two\n---\n# 中 #three\n", ["one", "two", "#three"]),
    ("a.md", '+++\ntags = ["one", "two"]\n+++\n', ["one", "two"]),
    ("a.md", "text\ntags: [none]\n`#code`\n", []),
    ("a.md", "---\ntags: [two words, 'a, b']\n---\n", ["two words", "a, b"]),
    ("a.md", "---\n'tags': one # two\n---\n", ["one"]),
    ("a.md", "---\ntags: '#one'\n---\n", ["one"]),
    ("a.md", "tags:: one, two words, [[three]], #four\n\n- tag:: five\n", ["one", "two words", "three", "#four", "five"]),
    ("a.md", "#one [[two]]\n\n```\ntags:: one\n```\n", ["#one"]),
    ("a.md", "#[[two words]] x\n", ["#[[two words]]"]),
    ("a.org", "#+title: x\n#+filetags: :中文:two:\n* TODO Head 🦉 :three:\n#no\n", ["中文", "two", "three"]),
    ("a.org", "* 10:30: no tags :\n", []),
    ("a.txt", "#none\n", []),
]


@pytest.mark.parametrize(("path", "text", "expected"), WRITTEN)
def test_tags_as_written(path, text, expected):
    source = text.encode()
    found = tags_of(parse_file(default_registry(), source, path))
    assert [source[tag.start : tag.end].decode() for tag in found] == expected
    assert [tag.name for tag in found] == [name.lstrip("#").strip("[]") for name in expected]


def test_all_places_of_a_tag_and_of_those_nested_in_it(graph):
    graph.put("a.md", "---\ntags: [project]\n---\nThe project is no tag here. #project/Alpha and #projector\n")
    graph.put("b.org", "* One :project:\n** Two\ninherits it\n* Three\nproject\n")
    graph.put("c.md", "#🦉 only\n")
    graph.put("d.md", "tags:: two words, project.beta\n\n- x\n")

    def ask(tag):
        return graph.ask(
            lambda network: [(each.path, each.tag.name) for each in tagged(network.connection, tag, 100, graph.conventions)]
        )

    assert ask("Project") == [("a.md", "project"), ("a.md", "project/Alpha"), ("b.org", "project")]
    assert ask("project/alpha") == [("a.md", "project/Alpha")]
    assert ask("🦉") == [("c.md", "🦉")]
    assert ask("nobody") == []
    assert ask("Two words") == [("d.md", "two words")]
    graph.conventions = Conventions("dendron")
    assert ask("project")[-1] == ("d.md", "project.beta")


@pytest.mark.parametrize(
    ("tag", "wanted", "tool", "expected"),
    [
        ("a/b", "A", "plain", True),
        ("a", "a", "plain", True),
        ("ab", "a", "plain", False),
        ("a", "a/b", "plain", False),
        ("a.b", "a", "plain", False),
        ("a.b", "a", "dendron", True),
    ],
)
def test_nesting(tag, wanted, tool, expected):
    assert is_below(tag, wanted, Conventions(tool)) == expected
