"""`make bench`: every figure beside its baseline and its goal, in one table, and as JSON in benchmarks/results/goals.json.

    python -m benchmarks                            # all but the longest, in about a quarter of an hour
    python -m benchmarks --only encoder search-10k  # these again; what was measured before stays
    python -m benchmarks --missing                  # go on after a run that was broken off
    python -m benchmarks --list
    python -m benchmarks --show                     # what was measured last

Each measure runs in a process of its own. benchmarks.editors, .navigation, .indexing, .quality and .exactness measure on your
own notes or with your own editors, and are run alone, as the others can be.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measures import MEASURES
from benchmarks.results_file import GOALS, as_row, keep, kept
from khoj_ls.evaluation.speed.goals import FIGURES
from khoj_ls.evaluation.speed.rows import Row, lines, not_measured

_LONGEST_SECONDS = 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a goal is missed and no reason is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), metavar="NAME", help="measure these")
    parser.add_argument("--all", action="store_true", help="the longest too")
    parser.add_argument("--missing", action="store_true", help="those that have no result yet")
    parser.add_argument("--list", action="store_true", help="what there is to measure")
    parser.add_argument("--show", action="store_true", help="measure nothing")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        return _one(options.one[0], Path(options.one[1]))
    if options.list:
        print("\n".join(f"{name:12} {each.what}{'' if each.always else ' (long)'}" for name, each in MEASURES.items()))
        return 0
    for name in [] if options.show else _chosen(options):
        _measure(name)
    rows = kept()
    if options.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        print("\n".join(lines(as_row(each) for each in rows)))
        print(f"written to {GOALS}")
    return int(any(_unexplained(each) for each in rows))


def _chosen(options: argparse.Namespace) -> list[str]:
    names = options.only or [name for name, each in MEASURES.items() if each.always or options.all]
    there = {row["measure"] for row in kept()} if options.missing else set()
    return [name for name in names if name not in there]


def _measure(name: str) -> None:
    print(f"== {name}: {MEASURES[name].what}", flush=True)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "benchmarks", "--one", name, str(file)]
        try:
            status = subprocess.run(command, check=False, timeout=_LONGEST_SECONDS).returncode
        except subprocess.TimeoutExpired:
            status = -1
        rows = [as_row(each) for each in json.loads(file.read_text())] if file.exists() else []
    if status:
        rows += [not_measured(name, f"the measure failed with status {status}")]
    keep(name, rows)
    print("\n".join(lines(rows)))
    print(f"   {time.perf_counter() - begun:.0f} s", flush=True)


def _one(name: str, file: Path) -> int:
    """In the process of a measure: write its rows as they come, so that what fails later loses none."""
    measure = MEASURES[name]
    rows: list[dict[str, Any]] = []
    each: Row
    for each in importlib.import_module(f"benchmarks.{measure.module}").rows(*measure.arguments):
        rows.append(each.json())
        file.write_text(json.dumps(rows))
    return 0


def _unexplained(row: dict[str, Any]) -> bool:
    known = FIGURES.get(row["name"])
    return row["met"] is False and not (known and known.explained)


if __name__ == "__main__":
    sys.exit(main())
