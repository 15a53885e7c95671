"""Benchmarks are run by people, seldom: what they use of the program must not go away unnoticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_benchmark_can_be_imported():
    files = [path.relative_to(ROOT) for path in (ROOT / "benchmarks").rglob("*.py") if path.stem != "__init__"]
    names = sorted(".".join(path.with_suffix("").parts) for path in files)
    assert {"benchmarks.latency", "benchmarks.editors.__main__"} <= set(names)
    done = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(names)}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
