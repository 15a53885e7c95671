"""benchmarks/results/goals.json: the rows that were measured last, each with the measure it is of, the day and the load."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measures import MEASURES
from khoj_ls.evaluation.speed.goals import FIGURES
from khoj_ls.evaluation.speed.own_notes import machine
from khoj_ls.evaluation.speed.rows import Row

FOLDER = Path(__file__).parent / "results"
GOALS, MACHINE = FOLDER / "goals.json", FOLDER / "machine.json"


def kept() -> list[dict[str, Any]]:
    """The rows as they were written, in the order of the table."""
    try:
        rows: list[dict[str, Any]] = json.loads(GOALS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return rows


def keep(measure: str, rows: Iterable[Row]) -> None:
    """Put the rows of a measure in the place of those it had."""
    about = {"measure": measure, "measured": date.today().isoformat(), "load": round(psutil.getloadavg()[0], 1)}
    found = [row.json() | about for row in rows]
    names = {row["name"] for row in found}
    everything = [row for row in kept() if row["measure"] != measure and row["name"] not in names] + found
    FOLDER.mkdir(exist_ok=True)
    _write(GOALS, sorted(everything, key=_place))
    _write(MACHINE, machine())


def as_row(value: Mapping[str, Any]) -> Row:
    """A row that was kept."""
    return Row(**{name: value[name] for name in Row.__dataclass_fields__})


def _place(row: Mapping[str, Any]) -> tuple[int, int]:
    names, measures = list(FIGURES), list(MEASURES)
    name = row["name"]
    known = names.index(name) if name in names else len(names)
    return known, measures.index(row["measure"]) if row["measure"] in measures else len(measures)


def _write(path: Path, value: Sequence[Any] | Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
