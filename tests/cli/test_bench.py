"""`khoj-ls bench` over notes of one's own, in a daemon of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "vault"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "khoj_ls", "bench", "--vault", str(EXAMPLES), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.model
def test_searching_ones_own_notes_is_measured_in_the_daemon(home):
    done = bench("--only", "search", "--queries", "10", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert {"processor", "cores", "memory_gb", "python", "khoj_ls", "load"} <= set(found["machine"])
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["search in the daemon, p50"]["goal"] == "<= 10"
    assert rows["search in the daemon, p50"]["ratio"] > 0
    assert rows["search in the daemon, p50"]["value"] <= rows["search in the daemon, p95"]["value"]
    assert [name for name in ("daemon: memory", "index on disk") if not rows[name]["value"] > 0] == []


def test_start_up_is_measured_in_a_home_of_its_own(home):
    from khoj_ls.daemon import launch
    from khoj_ls.evaluation.speed.home import throw_away_home
    from khoj_ls.evaluation.speed.starting import start_rows

    launch.ensure_running(str(launch.endpoint.runtime_folder()))
    before = launch.status()
    with throw_away_home() as own:
        rows = list(start_rows(1, 1))
        during = launch.status()
    after = launch.status()
    assert before is not None and during is not None and after is not None
    assert (before["pid"], during["pid"] != before["pid"], own.exists()) == (after["pid"], True, False)
    assert [(row.goal, row.value is not None, row.baseline is not None) for row in rows] == [
        ("<= 100", True, True),
        ("<= 800", True, True),
    ]
