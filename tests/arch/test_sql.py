"""What SQL may look like, so that every Python takes it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import khoj_ls

PACKAGE = Path(khoj_ls.__file__).parent
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|LIMIT)\b")


def test_no_placeholder_is_numbered():
    # Python 3.12 warns of `?1` filled from a sequence, 3.14 refuses it: `?`, or `:name` filled from a mapping.
    numbered = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if SQL.search(node.value) and re.search(r"\?\d", node.value)
    ]
    assert numbered == []
