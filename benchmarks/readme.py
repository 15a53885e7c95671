"""README's table of figures, made from benchmarks/results/goals.json.

python -m benchmarks.readme           # print it
python -m benchmarks.readme --write   # put it into README.md, between its two marks
python -m benchmarks.readme --check   # 1 when README says something else
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results_file import MACHINE, kept
from khoj_ls.evaluation.speed.rows import figure

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- figures: python -m benchmarks.readme --write -->", "<!-- end of figures -->"

LINES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "from starting `khoj-ls` to the answer to `initialize`, daemon running / not running",
        ("start, daemon running: spawn to initialize", "start, no daemon: spawn to initialize"),
    ),
    (
        "`khoj-ls search` with no daemon running, all of it: by words / by meaning",
        ("first search by words after a cold start", "first search by meaning after a cold start"),
    ),
    ("first index by words, 10,000 notes", ("10,000 notes: found by words",)),
    ("the same opened again, unchanged", ("10,000 notes: unchanged, opened again",)),
    ("an edit found by words / by meaning", ("an edit found by words", "an edit found by meaning")),
    (
        "a search by words and meaning over 10,000 passages, without the query's own vector, p50 / p95",
        ("search, 10,000 passages, p50", "search, 10,000 passages, p95"),
    ),
    ("the same over 100,000 passages", ("search, 100,000 passages, p50", "search, 100,000 passages, p95")),
    (
        "the same with a filter, p95, over 10,000 / 100,000 passages",
        ("search with a filter, 10,000 passages, p95", "search with a filter, 100,000 passages, p95"),
    ),
    (
        "a search while notes are embedded, beside the same without, at 10,000 / 100,000 passages (p95)",
        ("search while embedding, 10,000 passages, p95", "search while embedding, 100,000 passages, p95"),
    ),
    (
        "related notes from their vectors at 10,000 / 100,000 passages, p95",
        ("related notes, 10,000 passages, p95", "related notes, 100,000 passages, p95"),
    ),
    (
        "hover / definition / completion in a server over 10,000 notes that are being embedded, p99",
        ("hover while embedding, p99", "definition while embedding, p99", "completion while embedding, p99"),
    ),
    ("diagnostics after an edit there, p95", ("diagnostics after an edit while embedding, p95",)),
    (
        "embedding, beside sentence-transformers' default in the same run: as chosen for the machine / in 32 bits",
        ("embedding, as chosen for this machine", "embedding, all numbers of 32 bits"),
    ),
    ("of the ten nearest that it finds, the same", ("same ten nearest, as chosen", "same ten nearest, 32 bits")),
    (
        "memory of a process with 10,000 / 100,000 passages open",
        ("memory with 10,000 passages open", "memory with 100,000 passages open"),
    ),
    (
        "memory of the daemon at 10,000 notes / of the encoder at work / of an editor's relay",
        ("daemon at 10,000 notes: memory", "encoder process: memory", "relay: memory"),
    ),
    ("processor taken by all of it when nothing happens", ("idle: share of one core",)),
    ("the first event of a chat at 10,000 passages, p95", ("chat: passages found, p95",)),
)
"""What README says, and the rows that it says it from."""


def main() -> int:
    """Print, write or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    made = section(kept(), json.loads(MACHINE.read_text(encoding="utf-8")))
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    said, _, after = rest.partition(END)
    if not rest or END not in rest:
        sys.stderr.write(f"{README} has no place for the figures: {BEGIN} and {END}\n")
        return 2
    if options.check:
        if said == made:
            return 0
        sys.stderr.write("README's figures are not those of benchmarks/results: python -m benchmarks.readme --write\n")
        return 1
    if options.write:
        README.write_text(before + BEGIN + made + END + after, encoding="utf-8")
    else:
        print(made)
    return 0


def section(rows: Sequence[Mapping[str, Any]], machine: Mapping[str, Any]) -> str:
    """What stands between the marks: the machine, and a table of what was measured."""
    days = sorted({row["measured"] for row in rows})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    about = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB; measured {when}"
    known = {row["name"]: row for row in rows}
    table = "\n".join(f"| {what} | {said} |" for what, said in _lines(known))
    return (
        f"\n{about}. `make bench` prints all of it with baselines and goals.\n\n| what | measured |\n| --- | --- |\n{table}\n"
    )


def _lines(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Only lines whose rows were all measured."""
    for what, names in LINES:
        if all(name in rows and rows[name]["value"] is not None for name in names):
            yield what, " / ".join(_said(rows[name]) for name in names)


def _said(row: Mapping[str, Any]) -> str:
    name = row["name"]
    if name.startswith("embedding"):
        return f"{row['ratio']:.1f} times as many passages per second"
    if name.startswith("same ten"):
        return f"{row['value']:.1%}"
    if name.startswith("search while") and row["baseline"] is not None:
        return f"{figure(row['value'], row['unit'])} ({figure(row['baseline'], row['unit'])})"
    return figure(row["value"], row["unit"])


if __name__ == "__main__":
    sys.exit(main())
