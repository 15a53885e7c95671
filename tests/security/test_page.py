"""docs/security.md: each promise names tests, and they are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
UNPROMISED = "What is not promised"


@cache
def functions_in(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, functions)}


def promises() -> list[str]:
    """The points of every section but the last."""
    sections = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    texts = [text for title, text in zip(sections[1::2], sections[2::2], strict=True) if title != UNPROMISED]
    return [point for text in texts for point in re.split(r"^\* ", text, flags=re.MULTILINE)[1:]]


@pytest.mark.parametrize("promise", promises(), ids=lambda text: " ".join(text.split()[:6]))
def test_every_promise_names_tests_that_there_are(promise: str) -> None:
    named = NAMED.findall(promise)
    assert named, "a promise without a test"
    missing = [
        f"{path}::{name}" for path, name in named if not (ROOT / path).is_file() or name not in functions_in(ROOT / path)
    ]
    assert missing == []


def test_every_adversary_has_promises() -> None:
    for adversary in ("vault", "local user", "answer of a model", "provider", "network"):
        section = re.search(rf"^## [^\n]*{adversary}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
        assert section and section[1].count("\n* ") >= 2, adversary


def test_every_test_of_security_holds_a_promise() -> None:
    here = {
        (f"tests/security/{path.name}", name) for path in Path(__file__).parent.glob("test_*.py") for name in functions_in(path)
    }
    own = {(path, name) for path, name in here if name.startswith("test_") and path != "tests/security/test_page.py"}
    # These show that the others would find something.
    showing = {
        "test_the_day_was_what_it_should_be", "test_a_note_in_the_vault_is_made", "test_a_template_in_the_vault_is_read",
        "test_the_users_own_file_does", "test_all_notes_are_indexed_as_they_are", "test_what_is_asked_for_literally_is_found",
        "test_the_help_of_plugins_steers_no_terminal",
    }  # fmt: skip
    assert {(path, name) for path, name in own if name not in showing} <= set(NAMED.findall(PAGE))
