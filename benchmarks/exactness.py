"""Exactness: sentences taken from random places of a vault must be found, with a line range that holds them.

    python -m benchmarks.exactness --vault DIR [--count 200] [--seed 1] [--mode hybrid]

Asks through the command line interface's own path (daemon and all). Prints how many were found at all, how many first, and each
one that was not.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.core.text import text_lines
from khoj_ls.daemon.client import DaemonClient
from khoj_ls.vaults import to_path

SUFFIXES = {".md", ".org", ".txt", ".markdown"}


def places(root: Path, count: int, seed: int) -> Iterator[tuple[Path, int, str]]:
    """(file, 1-based line, sentence) at `count` random lines, every line of every note equally likely."""
    lines = []
    for path in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if path.suffix in SUFFIXES and path.is_file() and not hidden:
            for number, line in enumerate(text_lines(path.read_text(errors="replace")), 1):
                if len(re.findall(r"\w{2,}", line)) >= 4:
                    lines.append((path, number, line.strip()))
    chooser = random.Random(seed)
    for path, number, line in chooser.sample(lines, min(count, len(lines))):
        sentences = [part for part in re.split(r"(?<=[.!?])\s+", line) if len(re.findall(r"\w{2,}", part)) >= 4]
        yield path, number, chooser.choice(sentences or [line])


def main() -> int:
    """Run it; exit status 1 when a sentence was not found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vault", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", default="hybrid")
    parser.add_argument("--limit", type=int, default=10)
    options = parser.parse_args()
    root = options.vault.resolve()
    ranks = []
    with DaemonClient.connect(start=True) as daemon:
        daemon.call("khoj/reindex", {"vault": str(root)})
        for path, line, sentence in places(root, options.count, options.seed):
            query = {"query": sentence, "limit": options.limit, "mode": options.mode, "vault": str(root)}
            hits = daemon.call("khoj/search", query)["hits"]
            rank = next((i for i, hit in enumerate(hits, 1) if holds(root, hit, path, line, sentence)), None)
            ranks.append(rank)
            if rank is None:
                sys.stdout.write(f"not found: {path.relative_to(root)}:{line}: {sentence[:100]}\n")
    found = [rank for rank in ranks if rank]
    result = {"asked": len(ranks), "found": len(found), "first": ranks.count(1)}
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if len(found) == len(ranks) else 1


def holds(root: Path, hit: dict, path: Path, line: int, sentence: str) -> bool:
    """Whether the hit's lines hold the sentence: at its own place, or word for word elsewhere."""
    found = to_path(hit["uri"])
    start, end = hit["range"]["start"]["line"], hit["range"]["end"]["line"]
    if found == path and start < line <= end:
        return True
    text = "".join(text_lines(found.read_text(errors="replace"))[start:end])
    return " ".join(sentence.split()) in " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
