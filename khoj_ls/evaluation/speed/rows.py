"""Measured figures, held against their goals and against a baseline of the same run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from khoj_ls.evaluation.speed.goals import FIGURES, Figure


@dataclass(frozen=True)
class Row:
    """One figure."""

    name: str
    value: float | None
    """None: it could not be measured, and `note` says why."""
    unit: str
    baseline: float | None
    """The same work done in the plain way, in the same run; `note` says which way."""
    ratio: float | None
    """`value` divided by `baseline`."""
    goal: str | None
    """`<= 100`, or `ratio >= 3`."""
    met: bool | None
    """None where there is no goal."""
    note: str

    def json(self) -> dict[str, Any]:
        """As plain values, rounded to what was measured."""
        return {**asdict(self), **{key: _rounded(getattr(self, key)) for key in ("value", "baseline", "ratio")}}


def row(name: str, value: float | None, baseline: float | None = None, *, note: str = "", unit: str = "") -> Row:
    """The row of a figure; what FIGURES knows of `name` is its unit, its goal and what its baseline is.

    A figure that is not among them needs a `unit` and has no goal.
    """
    figure = FIGURES.get(name, Figure(name, unit))
    ratio = value / baseline if value is not None and baseline else None
    goal = figure.goal
    met = None
    if goal is not None:
        measured = ratio if goal.of == "ratio" else value
        met = measured is not None and goal.held_by(measured)
    notes = [note, f"baseline: {figure.baseline}" if baseline is not None and figure.baseline else ""]
    if met is False and value is not None and figure.explained:
        notes.append(figure.explained)
    return Row(name, value, figure.unit, baseline, ratio, str(goal) if goal else None, met, "; ".join(filter(None, notes)))


def not_measured(name: str, why: str) -> Row:
    """The row of a figure that could not be measured; a goal it has counts as missed."""
    return row(name, None, note=f"not measured: {why}")


def p50(times: Sequence[float]) -> float:
    """The median."""
    return median(times)


def p95(times: Sequence[float]) -> float:
    """The 95th percentile; of a single time that time."""
    return _percentile(times, 95)


def p99(times: Sequence[float]) -> float:
    """The 99th percentile; of a single time that time."""
    return _percentile(times, 99)


def lines(rows: Iterable[Row]) -> list[str]:
    """The rows as a table for people: a heading, then a line each. What belongs to a row beside its figures stands last."""
    cells = [("", "value", "baseline", "ratio", "goal", "", "")]
    cells += [
        (
            each.name,
            figure(each.value, each.unit),
            figure(each.baseline, each.unit),
            "" if each.ratio is None else f"{each.ratio:.2f}",
            (each.goal or "").replace("<=", "≤").replace(">=", "≥"),
            {None: "", True: "met", False: "MISSED"}[each.met],
            each.note,
        )
        for each in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    return ["  ".join([*_padded(line, widths), line[6]]).rstrip() for line in cells]


def figure(value: float | None, unit: str) -> str:
    """A value as people read it, with its unit: `35 ms`, `0.14 s`, `115,000`; empty for none."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:,.{digits}f} {unit}".rstrip()


def _padded(line: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for column, width in enumerate(widths):
        yield line[column].rjust(width) if 1 <= column <= 3 else line[column].ljust(width)


def _percentile(times: Sequence[float], share: int) -> float:
    return quantiles(times, n=100, method="inclusive")[share - 1] if len(times) > 1 else times[0]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}") if abs(value) < 10_000 else round(value)
