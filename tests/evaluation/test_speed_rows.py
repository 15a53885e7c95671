"""Figures, held against goals and baselines."""

from __future__ import annotations

import pytest

from khoj_ls.evaluation.speed.goals import FIGURES
from khoj_ls.evaluation.speed.rows import figure, lines, not_measured, p50, p95, p99, row

WARM = "start, daemon running: spawn to initialize"
THROUGHPUT = "embedding, as chosen for this machine"

ROWS = (
    # name, value, baseline, unit -> ratio, goal, met
    (WARM, 100.0, 50.0, "", 2.0, "<= 100", True),
    (WARM, 100.1, 50.0, "", 2.002, "<= 100", False),
    (THROUGHPUT, 30.0, 10.0, "", 3.0, "ratio >= 3", True),
    (THROUGHPUT, 300.0, 101.0, "", 300 / 101, "ratio >= 3", False),
    # Without its baseline a ratio is not known, and its goal is missed rather than met.
    (THROUGHPUT, 30.0, None, "", None, "ratio >= 3", False),
    ("1,000 notes: memory", 40.0, None, "MB", None, None, None),
)


@pytest.mark.parametrize(("name", "value", "baseline", "unit", "ratio", "goal", "met"), ROWS)
def test_a_figure_is_held_against_its_goal(name, value, baseline, unit, ratio, goal, met):
    made = row(name, value, baseline, unit=unit)
    assert (made.ratio, made.goal, made.met) == (pytest.approx(ratio) if ratio else None, goal, met)
    assert made.unit == (unit or FIGURES[name].unit)


def test_what_could_not_be_measured_has_missed_its_goal_and_says_why():
    made = not_measured(WARM, "the program is not there")
    assert (made.value, made.met, made.note) == (None, False, "not measured: the program is not there")


def test_a_row_as_json_has_the_keys_that_programs_rely_on():
    assert row(WARM, 35.24321, 18.0, note="of 10").json() == {
        "name": WARM,
        "value": 35.24,
        "unit": "ms",
        "baseline": 18.0,
        "ratio": 1.958,
        "goal": "<= 100",
        "met": True,
        "note": "of 10; baseline: a Python that does nothing",
    }


def test_the_table_has_a_line_for_each_row_with_its_figures_below_each_other():
    table = lines([row(WARM, 35.0, 17.5), row("1,000 notes: memory", 1234.0, unit="MB")])
    assert [line.split("  ")[0] for line in table[1:]] == [WARM, "1,000 notes: memory"]
    assert [("35 ms" in line, "≤ 100" in line, "met" in line, "1,234 MB" in line) for line in table[1:]] == [
        (True, True, True, False),
        (False, False, False, True),
    ]
    assert table[1].index("35 ms") + len("35 ms") == table[2].index("1,234 MB") + len("1,234 MB")


FIGURES_SAID = (
    (0.0, "s", "0 s"),
    (0.1404, "s", "0.14 s"),
    (0.00312, "s", "0.003 s"),
    (35.21, "ms", "35.2 ms"),
    (115_000.0, "", "115,000"),
)


@pytest.mark.parametrize(("value", "unit", "said"), FIGURES_SAID)
def test_a_figure_is_said_as_people_read_it(value, unit, said):
    assert figure(value, unit) == said


def test_percentiles():
    times = [float(number) for number in range(1, 101)]
    assert (p50(times), round(p95(times), 2), round(p99(times), 2), p99([7.0])) == (50.5, 95.05, 99.01, 7.0)
