"""`make bench`: all measurements that need nothing but the package, one after the other.

Each runs in a process of its own and can be run alone with its own options: `python -m benchmarks.encoder --help`.
benchmarks.quality and benchmarks.exactness want a retrieval set or a vault of yours and are not among these.
"""

from __future__ import annotations

import subprocess
import sys

MEASURES = (
    ("startup", "from spawning khoj-ls to the answer to initialize"),
    ("editors", "from starting an editor to its first hover, beyond its own start"),
    ("latency", "search latency and memory at 10k and 100k chunks"),
    ("chat", "a turn of a chat beside its model: to the passages, to the end"),
    ("indexing", "first index by words, re-open, edits"),
    ("edits", "until a sentence that was appended to a note is the first answer, by words and by meaning"),
    ("reranking", "a cross-encoder beside CrossEncoder.predict"),
    ("encoder", "the encoder beside sentence-transformers' own default"),
)


def main() -> int:
    """Run them; 0 when all could be measured."""
    failed = []
    for name, what in MEASURES:
        sys.stdout.write(f"\n== {name}: {what}\n")
        sys.stdout.flush()
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    sys.stdout.write(f"\nfailed or missed a goal: {', '.join(failed) or 'none'}\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
