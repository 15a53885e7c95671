"""`khoj-ls links`, in one process: what it prints, its JSON, its exit statuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.fixture
def ask(verb: Any, private_home: Path, prepared_models: Path, tmp_path: Path) -> Any:
    """Ask about the links of a small vault."""
    (private_home / "data").mkdir()
    (private_home / "data" / "models").symlink_to(prepared_models)
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / ".khoj.toml").touch()
    (notes / "tree.md").write_text("# The Plum Tree\n## Harvest\n[gone](nowhere.md)\n")
    (notes / "start.org").write_text("* Start\nsee [[file:tree.md::Harvest][it]]\nor the plum tree by name\n")
    return lambda *arguments: verb("links", *arguments, "--in-process", "--vault", str(notes))


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None


def test_a_note(ask: Any) -> None:
    shown = ask("notes/tree.md")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [
        "links here (1)",
        "notes/start.org:2: file:tree.md::Harvest -> notes/tree.md:2 (resolved)",
        "    see [[file:tree.md::Harvest][it]]",
        "links from here (1)",
        "notes/tree.md:3: nowhere.md (broken: no file nowhere.md)",
        "    [gone](nowhere.md)",
        "names it without a link (1)",
        "notes/start.org:3: the plum tree -> notes/tree.md (mention)",
        "    or the plum tree by name",
    ]


def test_the_documented_shape(ask: Any) -> None:
    documented = re.search(r"^```json links\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert documented
    assert shape(json.loads(ask("notes/start.org", "--json").stdout)) == shape(json.loads(documented[1]))


@pytest.mark.parametrize(
    ("arguments", "status", "key", "found"),
    [
        (["--broken"], 0, "outgoing", ["nowhere.md"]),
        (["notes/tree.md", "--broken"], 0, "outgoing", ["nowhere.md"]),
        (["notes/start.org", "--broken"], 1, "outgoing", []),
        (["--mentions"], 0, "mentions", ["the plum tree"]),
        (["notes/tree.md", "--mentions"], 0, "mentions", ["the plum tree"]),
        (["--orphans"], 0, "orphans", ["start.org"]),
    ],
)
def test_what_is_asked_for(ask: Any, arguments: list[str], status: int, key: str, found: list[str]) -> None:
    shown = ask(*arguments, "--json")
    assert shown.exit_code == status
    answer = json.loads(shown.stdout)
    assert list(answer) == [key]
    assert [Path(each).name if isinstance(each, str) else each["target"] for each in answer[key]] == found


def test_wrong_usage(ask: Any) -> None:
    assert "--orphans asks about a vault" in str(ask("notes/tree.md", "--orphans").stderr)
    assert "name FILE[:LINE], or one of" in str(ask().stderr)
