"""Where tags are written, and who has one: the text and its tags beside each other."""

from __future__ import annotations

import pytest

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.graph.tagged import is_below, tagged, tags_of

WRITTEN = [
    ("a.md", "---\ntags: [one, 'two', three/four]\n---\n#five 🦉 #six/7\n", ["one", "two", "three/four", "#five", "#six/7"]),
    ("a.md", '---\ntags:\n  - one\n  - "two"\nother: [x]\n---\n', ["one", "two"]),
    ("a.md", "---\ntag: one\ntitle: tags\n---\n", ["one"]),
    ("a.md", "---\ntags: one, two\n---\n# 中 #three\n", ["one", "two", "#three"]),
    ("a.md", '+++\ntags = ["one", "two"]\n+++\n', ["one", "two"]),
    ("a.md", "text\ntags: [none]\n`#code`\n", []),
    ("a.org", "#+title: x\n#+filetags: :中文:two:\n* TODO Head 🦉 :three:\n#no\n", ["中文", "two", "three"]),
    ("a.org", "* 10:30: no tags :\n", []),
    ("a.txt", "#none\n", []),
]


@pytest.mark.parametrize(("path", "text", "expected"), WRITTEN)
def test_tags_as_written(path, text, expected):
    source = text.encode()
    found = tags_of(parse_file(default_registry(), source, path))
    assert [source[tag.start : tag.end].decode() for tag in found] == expected
    assert [tag.name for tag in found] == [name.lstrip("#") for name in expected]


def test_all_places_of_a_tag_and_of_those_nested_in_it(graph):
    graph.put("a.md", "---\ntags: [project]\n---\nThe project is no tag here. #project/Alpha and #projector\n")
    graph.put("b.org", "* One :project:\n** Two\ninherits it\n* Three\nproject\n")
    graph.put("c.md", "#🦉 only\n")

    def ask(tag):
        return graph.ask(lambda network: [(each.path, each.tag.name) for each in tagged(network.connection, tag, 100)])

    assert ask("Project") == [("a.md", "project"), ("a.md", "project/Alpha"), ("b.org", "project")]
    assert ask("project/alpha") == [("a.md", "project/Alpha")]
    assert ask("🦉") == [("c.md", "🦉")]
    assert ask("nobody") == []


@pytest.mark.parametrize(
    ("tag", "wanted", "expected"), [("a/b", "A", True), ("a", "a", True), ("ab", "a", False), ("a", "a/b", False)]
)
def test_nesting(tag, wanted, expected):
    assert is_below(tag, wanted) == expected
