"""Vaults of any size, made up from a seed: time until they are found by words and opened again; how fast they are searched.

    python -m benchmarks.scale [--notes 1000 10000 40000 100000] [--seed 1]

Without a model: vectors are measured by benchmarks.encoder and .latency. Each size runs in a process that is set up as the
daemon. Beside indexing stands reading and hashing the same files, beside opening again a stat of each.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from benchmarks.indexing import Session, make_vault, reopened
from khoj_ls.daemon.launch import daemon_environment
from khoj_ls.evaluation.speed.rows import Row, lines, p50, p95, row
from khoj_ls.evaluation.speed.searching import queries
from khoj_ls.search.context import SearchContext
from khoj_ls.search.pipeline import search
from khoj_ls.search.types import SearchRequest
from khoj_ls.store.database import Database

SIZES = (1_000, 10_000, 40_000, 100_000)
_REOPENED = 5
_SEARCHES = 100


def main() -> int:
    """Measure every size; prints its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(measure(options.notes[0], options.seed)))
        return 0
    for size in options.notes:
        print("\n".join(lines(rows(size, options.seed))))
    return 0


def rows(notes: int, seed: int = 1) -> Iterator[Row]:
    """The rows of one size."""
    command = [sys.executable, "-m", "benchmarks.scale", "--one", "--notes", str(notes), "--seed", str(seed)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=daemon_environment(os.environ))
    found = json.loads(done.stdout)
    size = f"{notes:,} notes"
    note = f"{found['entries']:,} entries, {found['bytes'] / 1e6:.0f} MB, seed {seed}; {notes / found['words']:.0f} notes/s"
    yield row(f"{size}: found by words", found["words"], found["read"], unit="s", note=note)
    note = f"the lowest of {_REOPENED}; median {p50(found['reopen']):.2f} s"
    yield row(f"{size}: unchanged, opened again", min(found["reopen"]), found["stat"], unit="s", note=note)
    yield row(f"{size}: unchanged, files read", found["files_read"], unit="")
    yield row(f"{size}: search by words, p50", p50(found["search"]), unit="ms")
    yield row(f"{size}: search by words, p95", p95(found["search"]), unit="ms")
    yield row(f"{size}: memory", found["rss_mb"], unit="MB")
    yield row(f"{size}: database", found["database"] / 1e6, found["bytes"] / 1e6, unit="MB")


def measure(notes: int, seed: int) -> dict[str, object]:
    """Make the vault, index it, open it again, search it; seconds, megabytes and milliseconds."""
    with tempfile.TemporaryDirectory() as scratch:
        root, database = Path(scratch) / "vault", Path(scratch) / "data" / "index.db"
        make_vault(root, notes, seed)
        files = sorted(root.rglob("*.md"))
        found: dict[str, object] = {"bytes": sum(file.stat().st_size for file in files)}
        found["read"] = _seconds(lambda: [hashlib.blake2b(file.read_bytes()).digest() for file in files])
        begun = time.perf_counter()
        session = Session(root, database, None)
        session.indexer.start(watch=False)
        report = session.indexer.index()
        found |= {"words": time.perf_counter() - begun, "entries": report.entries}
        session.close()
        if report.files != notes or report.failures:
            raise RuntimeError(f"{report.files} of {notes} notes were indexed: {report.failures[:3]}")
        found |= _reopened(root, database, files)
        opened = Database(database)
        found |= {"search": _searched(opened, root, seed), "database": opened.size_bytes()}
        found["rss_mb"] = psutil.Process().memory_info().rss / 1e6
        opened.close()
    return found


def _reopened(root: Path, database: Path, files: list[Path]) -> dict[str, object]:
    seconds, stats, read = [], [], 0
    for _ in range(_REOPENED):
        stats.append(_seconds(lambda: [file.stat() for file in files]))
        took, looked_into = reopened(root, database)
        seconds.append(took)
        read += looked_into
    return {"reopen": seconds, "stat": p50(stats), "files_read": read}


def _searched(database: Database, root: Path, seed: int) -> list[float]:
    """Milliseconds of searches for words out of the notes, in one context, as the daemon keeps it."""
    context = SearchContext(database, None, None, None)
    context.words.renew(database)
    texts = queries(root, random.Random(seed))
    search(context, SearchRequest(next(texts), mode="lexical"))
    return [
        1000 * _seconds(lambda text=text: search(context, SearchRequest(text, mode="lexical")))  # type: ignore[misc]
        for text, _ in zip(texts, range(_SEARCHES), strict=False)
    ]


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
