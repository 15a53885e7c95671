"""The house as a machine can check it: no room grows past what one can read, no shelf for leftovers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "khoj_ls").rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_one_idea(module: Path) -> None:
    lines = module.read_text().count("\n")
    assert lines <= 400, f"{module.relative_to(ROOT)} has {lines} lines: which two ideas live in it?"
    assert module.stem not in {"utils", "helpers", "misc", "common"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_level_mutable_state(module: Path) -> None:
    mutable = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    tree = ast.parse(module.read_text())
    found = [
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and isinstance(node.value, mutable)
        and "__all__" not in ast.unparse(node)
        and "MappingProxyType" not in ast.unparse(node)
    ]
    assert found == [], "use a tuple, a frozenset or types.MappingProxyType"
