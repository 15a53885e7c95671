"""What is found by its name, and in which order."""

from __future__ import annotations

import pytest

from khoj_ls.graph.named import named

NOTES = {
    "router.md": "# Router\n\n## Fix the router\n\n### Fix\n\ntext #router/old\n",
    "2024-05-router-log.md": "---\ntitle: Log of the router\naliases: [Routing diary]\n---\ntext\n",
    "中文.org": "* 面包的做法\n** Rout\n",
}


@pytest.fixture
def filled(graph):
    for path, text in NOTES.items():
        graph.put(path, text)
    return graph


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("router", ["note Router"]),
        ("2024-05", ["note 2024-05-router-log.md"]),
        ("Router", ["note Router"]),
        ("rout", ["heading Rout", "note Router", "alias Routing diary"]),
        ("fix", ["heading Fix", "heading Fix the router"]),
        ("the router", ["heading Fix the router", "note Log of the router"]),
        ("面包", ["note 面包的做法"]),
        ("#rou", ["tag #router/old"]),
        ("outer", []),
        ("%_'\"", []),
        ("#", []),
        ("", []),
    ],
)
def test_names(filled, query, expected):
    found = filled.ask(lambda network: named(network.connection, query, 20))
    assert [f"{each.kind} {each.name}" for each in found][: max(1, len(expected))] == expected
