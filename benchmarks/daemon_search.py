"""How long a search takes over the socket of a running daemon, its model included, in a vault of real notes.

    python -m benchmarks.daemon_search ~/notes [--queries 200] [--seed 1] [--keep DIR]

Queries are 2 to 9 words in a row out of the notes, none asked twice: so each one has its vector made. Beside them, in the same
run and in turn: the same query again (its vector is remembered), the query with one of the vault's filters, and one after 20 ms
in which nothing was asked, and a loop that is always the same: how fast the machine is just then. The vault is copied, never
changed; with --keep its index is kept there for the next run. Goals at 10,000 chunks: p50 10 ms, p95 30 ms; at 100,000: 15, 50;
a vault has those of the size that is nearer. A large one should be of real notes: words by chance mean nothing, and in vectors
that all lie alike a graph finds little, so that all are compared.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.indexing import english, make_vault
from khoj_ls.config.paths import folders
from khoj_ls.daemon import launch
from khoj_ls.daemon.client import DaemonClient
from khoj_ls.evaluation.speed.home import throw_away_home
from khoj_ls.evaluation.speed.rows import Row, lines, p50, p95, row
from khoj_ls.evaluation.speed.searching import FILTERED, LOOP, NEW, search_rows, search_times
from khoj_ls.evaluation.speed.searching import queries as queries

HALFWAY = 30_000
"""Passages: as many times more than 10,000 as less than 100,000."""


def rows(notes: int = 1300, queries: int = 150, seed: int = 1) -> Iterator[Row]:
    """The rows over a made-up vault of 10,000 passages, in words as people use them, every one of them with its vector."""
    with throw_away_home() as home:
        root = home / "vault"
        make_vault(root, notes, seed, english())
        with DaemonClient.connect() as daemon:
            daemon.call("khoj/reindex", {"vault": str(root), "wait": True, "yes": True})
            yield from search_rows(daemon, root, queries, seed)


@contextlib.contextmanager
def opened(vault: Path, keep: Path | None) -> Iterator[tuple[DaemonClient, Path]]:
    """A daemon with a home of its own, and a copy of a vault that it has indexed; both stay in the folder `keep`."""
    models = folders().models
    with tempfile.TemporaryDirectory() as scratch:
        home = (keep or Path(scratch)).resolve()
        root = home / "vault"
        if not root.exists():
            shutil.copytree(vault, root, symlinks=True)
            (home / "data").mkdir()
            models.mkdir(parents=True, exist_ok=True)  # a link to nothing would leave the vault without a model
            (home / "data" / "models").symlink_to(models)
        os.environ["KHOJ_LS_HOME"] = str(home)
        try:
            with DaemonClient.connect() as daemon:
                daemon.call("khoj/reindex", {"vault": str(root), "wait": True, "yes": True})
                yield daemon, root
        finally:
            launch.stop()


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vault", type=Path)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the copy and its index, used again when it is there")
    options = parser.parse_args()
    with opened(options.vault, options.keep) as (daemon, root):
        times = search_times(daemon, root, options.queries, random.Random(options.seed))
        [state] = daemon.call("khoj/status", {"vault": str(root)})["vaults"]
    print(f"{state['files']:,} notes, {state['chunks']:,} chunks, {options.queries} queries")
    for name, found in times.items():
        print(f"{name:<32} p50 {p50(found):5.1f} ms  p95 {p95(found):5.1f} ms")
    size = ", 100,000 passages" if state["chunks"] > HALFWAY else ""
    held = [
        each
        for kind, found in (("", times[NEW]), (" with a filter", times[FILTERED]))
        for each in (
            row(f"search in the daemon{kind}{size}, p50", p50(found), p50(times[LOOP])),
            row(f"search in the daemon{kind}{size}, p95", p95(found)),
        )
    ]
    print("\n".join(lines(held)))
    return int(not all(each.met for each in held))


if __name__ == "__main__":
    sys.exit(main())
