"""Names that are no links: found in any case, outside of links and code."""

from __future__ import annotations

import pytest

from khoj_ls.graph.mentions import mentions_of, spoken_names


def mentions(graph, path: str) -> list[tuple[str, int, str]]:
    found = graph.ask(lambda network: mentions_of(network, graph.ids[path]))
    return [(each.path, each.span.line, each.name) for each in found]


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("plum_tree.md", "text", ["plum tree"]),
        ("x.md", "---\ntitle: Plum Tree\naliases: [Prune, Pt]\n---\n", ["Plum Tree", "Prune"]),
        ("garden/index.md", "text", []),
        ("a.b.c.md", "text", []),
        ("2024-05-01.md", "text", ["2024 05 01"]),
        ("plum.org", "#+title: plum\n", ["plum"]),
    ],
)
def test_the_names_that_a_text_may_say(graph, path, text, names):
    graph.put(path, text)
    with graph.database.read() as connection:
        assert spoken_names(connection, graph.ids[path]) == names


def test_mentions_are_exact_and_unlinked(graph):
    graph.put("n1.md", "---\ntitle: Plum Tree\naliases: [Prune]\n---\nPlum Tree in itself\n")
    graph.put(
        "a.md",
        "# On the plum tree\nA plum\ntree, Prune and prunes. [[Plum Tree]] [the plum tree](x.md) `plum tree`\n\n"
        "```\nplum tree\n```\n",
    )
    graph.put(
        "b.org",
        "* B\n:PROPERTIES:\n:NOTE: plum tree\n:END:\n=plum tree= and *Plum Tree*\n#+begin_src x\nplum tree\n#+end_src\n",
    )
    graph.put("c.md", "plum and tree; prune; Prunes\n")
    assert mentions(graph, "n1.md") == [
        ("a.md", 1, "plum tree"),
        ("a.md", 2, "plum\ntree"),
        ("a.md", 3, "Prune"),
        ("b.org", 5, "Plum Tree"),
    ]


def test_lines_are_told_without_markup(graph):
    graph.put("plum.md", "---\ntitle: Plum Tree\n---\n")
    graph.put("a.org", "* TODO [#A] The plum tree :x:\nA /ripe/ plum tree, see [[x][y]]\n")
    found = graph.ask(lambda network: mentions_of(network, graph.ids["plum.md"]))
    assert [each.readable for each in found] == ["The plum tree", "A ripe plum tree, see y"]


def test_places_are_bytes_of_the_file(graph):
    graph.put("plum.md", "---\ntitle: 深圳 Plum\n---\n")
    text = "# ü\né 深圳 Plum é\n"
    graph.put("a.md", text)
    [mention] = graph.ask(lambda network: mentions_of(network, graph.ids["plum.md"]))
    assert text.encode()[mention.span.start : mention.span.end].decode() == "深圳 Plum"
    assert mention.text == "é 深圳 Plum é"


def test_a_name_in_a_script_without_blanks(graph):
    graph.put("x.md", "---\ntitle: 路由器\n---\n")
    graph.put("a.md", "我在深圳修理路由器了\n")
    assert mentions(graph, "x.md") == [("a.md", 1, "路由器")]


def test_no_more_than_the_limit(graph):
    graph.put("plum.md", "x")
    graph.put("a.md", "plum " * 50)
    assert len(graph.ask(lambda network: mentions_of(network, graph.ids["plum.md"], 7))) == 7
