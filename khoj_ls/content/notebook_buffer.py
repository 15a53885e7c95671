"""The text that a notebook open in an editor would have as a file, so that it is read as its file is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class LiveCell:
    """A cell as the editor has it."""

    kind: Literal["markdown", "code", "raw"]
    source: str
    id: str = ""
    """As in the file, where the editor tells it."""


def notebook_text(saved: str, cells: Sequence[LiveCell]) -> str:
    """The JSON of a notebook with `cells`, written as Jupyter writes it.

    From `saved`, the file's text, come the notebook's metadata and those of its cells (outputs, tags) that `cells` still hold:
    by their id, else by their source. A file that cannot be read, or is none yet, adds nothing.
    """
    notebook = _read(saved)
    old = (
        [cell for cell in notebook.get("cells", []) if isinstance(cell, dict)]
        if isinstance(notebook.get("cells"), list)
        else []
    )
    known: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for cell in reversed(old):
        known["source", _source(cell)].append(cell)
        if isinstance(cell.get("id"), str):
            known["id", cell["id"]].append(cell)
    notebook["cells"] = [_cell(live, known) for live in cells]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(live: LiveCell, known: dict[tuple[str, str], list[dict[str, Any]]]) -> dict[str, Any]:
    """The cell in the file's form."""
    same = known.get(("id", live.id)) if live.id else None
    same = same or known.get(("source", live.source))
    cell = dict(same.pop()) if same else {"metadata": {}}
    cell["cell_type"] = live.kind
    if live.kind == "code":
        cell.setdefault("execution_count", None)
        cell.setdefault("outputs", [])
    cell["source"] = live.source.splitlines(keepends=True)
    return dict(sorted(cell.items()))


def _read(saved: str) -> dict[str, Any]:
    try:
        notebook = json.loads(saved)
    except (ValueError, RecursionError):
        notebook = None
    return notebook if isinstance(notebook, dict) else {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(each for each in source if isinstance(each, str)) if isinstance(source, list) else str(source)
