"""Links of a vault: how many lead where, and how fast links and backlinks are told.

    python -m benchmarks.links FOLDER [--broken N] [--samples 300]

The notes are parsed and stored in a throw-away database, as the indexer stores them; the folder is only read.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.graph.files import VaultFiles, read_vault_conventions
from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.indexing.storing import NAMING
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, replace_file
from khoj_ls.store.links import files as stored_files

GOAL_LINKS_MS, GOAL_BACKLINKS_MS = 3.0, 5.0


def main() -> int:
    """Measure one folder; prints a table by kind and state, and the milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--broken", type=int, default=0, metavar="N", help="show up to N links that lead nowhere")
    parser.add_argument("--samples", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "index.db")
        fill(database, options.folder)
        measure(database, options.folder, options.samples, options.broken)
        database.close()
    return 0


def fill(database: Database, root: Path) -> None:
    """Parse and store every note below `root`."""
    registry = default_registry()
    suffixes = {".md", ".org", ".markdown", ".txt"}
    with database.write() as connection:
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            if path.suffix.lower() in suffixes and path.is_file() and not any(part.startswith(".") for part in relative.parts):
                data = path.read_bytes()
                parsed = parse_file(registry, data, relative.as_posix())
                stat = FileStat(relative.as_posix(), len(data), 1, 1, 1)
                replace_file(connection, stat, content_hash(data), parsed, naming=NAMING)


def measure(database: Database, root: Path, samples: int, broken: int) -> None:
    """Resolve all links once, then those of some notes, then the backlinks of some."""
    conventions, files = read_vault_conventions(root)[0], VaultFiles(root)
    with database.read() as connection:
        begun = time.perf_counter()
        links = list(LinkNetwork(connection, conventions, files).all_links())
        seconds = time.perf_counter() - begun
        ids = [file_id for file_id, _ in stored_files(connection)]
        chosen = random.Random(1).sample(ids, min(samples, len(ids)))
        out = sorted(_timed(lambda each: LinkNetwork(connection, conventions, files).links_of(each), each) for each in chosen)
        back = sorted(_timed(lambda each: LinkNetwork(connection, conventions, files).backlinks(each), each) for each in chosen)
    show(links)
    print(f"{len(ids)} notes, written with {conventions.tool}; {len(links)} links resolved in {seconds:.2f} s")
    for what, times, goal in (("links of a note", out, GOAL_LINKS_MS), ("backlinks of a note", back, GOAL_BACKLINKS_MS)):
        p95 = times[int(0.95 * (len(times) - 1))]
        print(f"{what}: p50 {statistics.median(times):.2f} ms, p95 {p95:.2f} ms, most {times[-1]:.2f} ms (goal {goal:g})")
    wrong = [link for link in links if link.resolution.state not in ("resolved", "external", "unwritten")]
    for link in random.Random(2).sample(wrong, min(broken, len(wrong))):
        place = f"{link.path}:{link.link.span.line}"
        print(f"{link.resolution.state:13} {place} {link.link.kind} {link.link.target} -- {link.resolution.why}")


def show(links: list[ResolvedLink]) -> None:
    """The table of kinds and states."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for link in links:
        table[link.link.kind][link.resolution.state] += 1
    states = ("resolved", "external", "unwritten", "broken", "broken_anchor", "ambiguous")
    print(f"{'':10}" + "".join(f"{state:>15}" for state in states))
    for kind, counts in sorted(table.items()):
        print(f"{kind:10}" + "".join(f"{counts[state]:>15}" for state in states))


def _timed(question: object, file_id: int) -> float:
    begun = time.perf_counter()
    question(file_id)  # type: ignore[operator]
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    sys.exit(main())
