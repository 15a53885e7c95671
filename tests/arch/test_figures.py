"""The table of goals and README's figures: what is said was measured, and what is measured has a place in the table."""

from __future__ import annotations

import importlib
import inspect
import json

import pytest

from benchmarks import readme, results_file
from benchmarks.measures import MEASURES
from khoj_ls.evaluation.speed.goals import FIGURES
from khoj_ls.evaluation.speed.rows import not_measured, row

WARM, COLD = "start, daemon running: spawn to initialize", "start, no daemon: spawn to initialize"
KEYS = ["name", "value", "unit", "baseline", "ratio", "goal", "met", "note"]


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty folder of results."""
    for name in ("GOALS", "MACHINE"):
        monkeypatch.setattr(results_file, name, tmp_path / f"{name.lower()}.json")
    monkeypatch.setattr(results_file, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_can_be_run_with_what_the_table_gives_it(name):
    measure = MEASURES[name]
    rows = importlib.import_module(f"benchmarks.{measure.module}").rows
    inspect.signature(rows).bind(*measure.arguments)


def test_what_readme_says_has_a_figure_in_the_table_of_goals():
    assert [name for _, names in readme.LINES for name in names if name not in FIGURES] == []


def test_readme_says_what_was_measured(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["readme", "--check"])
    assert (readme.main(), capsys.readouterr().err) == (0, "")


def test_readme_that_says_something_else_is_told(tmp_path, monkeypatch, capsys):
    other = tmp_path / "README.md"
    other.write_text(f"# notes\n{readme.BEGIN}\nvery fast\n{readme.END}\nmore\n")
    monkeypatch.setattr(readme, "README", other)
    monkeypatch.setattr("sys.argv", ["readme", "--check"])
    assert readme.main() == 1
    assert "benchmarks.readme --write" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["readme", "--write"])
    assert readme.main() == 0
    text = other.read_text()
    assert text.startswith("# notes\n") and text.endswith("\nmore\n") and "very fast" not in text
    monkeypatch.setattr("sys.argv", ["readme", "--check"])
    assert readme.main() == 0


def test_a_measure_that_is_run_again_replaces_its_rows_and_no_others(results):
    results_file.keep("startup", [row(COLD, 700.0, 400.0), row(WARM, 30.0, 20.0)])
    results_file.keep("notes-1k", [row("1,000 notes: memory", 50.0, unit="MB")])
    results_file.keep("startup", [row(WARM, 33.0, 20.0), not_measured(COLD, "it hung")])
    found = json.loads((results / "goals.json").read_text())
    assert [(each["name"], each["value"], each["measure"]) for each in found] == [
        (WARM, 33.0, "startup"),
        (COLD, None, "startup"),
        ("1,000 notes: memory", 50.0, "notes-1k"),
    ]
    assert [list(each)[:8] for each in found] == [KEYS] * 3
    assert results_file.as_row(found[0]) == row(WARM, 33.0, 20.0)


def test_a_line_of_readme_without_its_figures_is_left_out():
    machine = {"processor": "a processor", "cores": 2, "memory_gb": 8.0}
    measured = [row(WARM, 33.0).json() | {"measured": "2026-11-21"}, row(COLD, 700.0).json() | {"measured": "2026-11-20"}]
    text = readme.section(measured, machine)
    assert "a processor, 2 cores, 8 GB; measured 2026-11-20 to 2026-11-21." in text
    assert "| 33 ms / 700 ms |" in text
    assert "700" not in readme.section(measured[:1], machine)
