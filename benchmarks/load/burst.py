"""A burst of changed files, as switching a branch makes it: how long until the index is that of the folder, and what it takes.

    python -m benchmarks.load.burst [--files 5000] [--rounds 3] [--seed 1] [--json FILE]

The notes are made up by the seed. Each round rewrites every note, takes a twentieth away and adds as many, all within a moment,
while an editor is there and a search is asked again and again. Then every row of the index must be that of a file, by the hash
of its bytes: a change that was lost is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pygls.lsp.client import BaseLanguageClient

from benchmarks.indexing import make_vault
from benchmarks.load.desk import ask, copied, daemon, editor, leave, megabytes, quiet
from khoj_ls.config.paths import folders
from khoj_ls.store.files import content_hash

_NO_MODEL = '[embedding]\nmodel = "remote"\nendpoint = "http://127.0.0.1:9/v1"\n'
"""Vectors are another matter: nobody makes them here."""
_PATIENCE = 600.0
_LOOK_SECONDS = 0.05


def rewrite(vault: Path, number: int, chance: random.Random) -> None:
    """Change every note, take some away, add as many."""
    notes = sorted(vault.rglob("*.md"))
    gone = set(chance.sample(notes, len(notes) // 20))
    for path in notes:
        if path in gone:
            path.unlink()
        else:
            path.write_text(f"{path.read_text()}\n\nBranch {number} was here.\n")
    for each in range(len(gone)):
        (vault / f"branch-{number}-{each}.md").write_text(f"# Of branch {number}, {each}\n\nNew words.\n")


def differences(vault: Path, database: Path) -> list[str]:
    """Files whose row is not theirs, and rows without a file."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = dict(connection.execute("SELECT path, content_hash FROM file WHERE type = 'markdown'"))
    there = {path.relative_to(vault).as_posix(): content_hash(path.read_bytes()) for path in vault.rglob("*.md")}
    return sorted(path for path in {*rows, *there} if rows.get(path) != there.get(path))


async def searching(client: BaseLanguageClient, over: asyncio.Event, times: list[float]) -> None:
    """Search again and again."""
    while not over.is_set():
        begun = time.perf_counter()
        await ask(client, "khoj/search", {"query": "new words of a branch", "mode": "lexical"})
        times.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(_LOOK_SECONDS)


async def one_round(
    client: BaseLanguageClient, vault: Path, database: Path, number: int, chance: random.Random
) -> dict[str, Any]:
    """Rewrite, and wait until the index is that of the folder."""
    times: list[float] = []
    over = asyncio.Event()
    asking = asyncio.create_task(searching(client, over, times))
    process, most = daemon(), 0.0
    begun = time.perf_counter()
    await asyncio.to_thread(rewrite, vault, number, chance)
    written = time.perf_counter() - begun
    left = differences(vault, database)
    while left and time.perf_counter() - begun < _PATIENCE:
        most = max(most, megabytes(process))
        await asyncio.sleep(0.5)
        left = await asyncio.to_thread(differences, vault, database)
    over.set()
    await asking
    return {
        "written_seconds": round(written, 1),
        "indexed_seconds": round(time.perf_counter() - begun, 1),
        "lost": left,
        "search_most_ms": round(max(times), 1),
        "searches": len(times),
        "daemon_mb": round(most),
    }


async def measure(vault: Path, rounds: int, seed: int) -> list[dict[str, Any]]:
    """All rounds, one after the other."""
    client = await editor(vault)
    await quiet(client, vault, "waiting", "offline")
    database = folders().vault(vault) / "index.db"
    chance = random.Random(seed)
    told = [await one_round(client, vault, database, number, chance) for number in range(rounds)]
    await leave(client)
    return told


def main() -> int:
    """Measure; 1 when a change was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write what was measured there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        make_vault(made, options.files, options.seed)
        with copied(made, _NO_MODEL) as vault:
            shutil.rmtree(made)
            rounds = asyncio.run(measure(vault, options.rounds, options.seed))
    result = {"files": options.files, "seed": options.seed, "rounds": rounds}
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return int(any(each["lost"] for each in rounds))


if __name__ == "__main__":
    sys.exit(main())
