"""kill -9 at any moment: what was committed answers, what was embedded and committed is never embedded again."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from indexing_bench import PATIENCE

NOTES, SECTIONS = 40, 4


def test_an_indexer_killed_again_and_again_finishes_without_repeating_itself(bench, snapshot, tmp_path):
    for note in range(NOTES):
        bench.write(f"{note}.md", "".join(f"# Section {note} {section}\ntext\n" for section in range(SECTIONS)))
    log = tmp_path / "embedded.log"
    moments = random.Random(7)
    committed: set[str] = set()
    repeated: list[str] = []
    for progress in sorted(moments.sample(range(NOTES * SECTIONS), 6)):
        seen = len(embedded(log))
        kill_when(start(bench, log), lambda progress=progress: words(bench) > progress // 2 and len(embedded(log)) >= progress)
        repeated += [digest for digest in embedded(log)[seen:] if digest in committed]
        committed |= vectors(bench.database_path)
    seen = len(embedded(log))
    assert start(bench, log).wait(PATIENCE) == 0
    repeated += [digest for digest in embedded(log)[seen:] if digest in committed]
    assert committed
    assert repeated == []
    assert snapshot.of(bench.database_path) == snapshot.from_scratch(bench)


def start(bench, log: Path) -> subprocess.Popen:
    child = Path(__file__).with_name("crash_child.py")
    return subprocess.Popen([sys.executable, child, bench.root, bench.database_path, log])


def kill_when(process: subprocess.Popen, condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and not condition():
        assert time.monotonic() < deadline
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
    process.kill()
    process.wait()


def embedded(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def words(bench) -> int:
    return len(query(bench.database_path, "SELECT 1 FROM file"))


def vectors(path: Path) -> set[str]:
    return {digest.hex() for (digest,) in query(path, "SELECT hash FROM embedding")}


def query(path: Path, sql: str) -> list:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return []
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []  # not made yet
    finally:
        connection.close()
