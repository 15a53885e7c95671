"""Damaged files by the million for every content processor: `make damaged`, or `python tests/support/soak.py --help`.

Each input is told by the seed, its sample and its number. They are read in processes that may hang or die; what a processor
raises (a refusal apart), entries that do not lie where they say, deaths and hangs are findings.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from khoj_ls.content.registry import default_registry
from khoj_ls.workers.child import Child, ChildGone

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "content" / "samples"
BUILT_IN = "soak_registry:registry"
_BATCH = 100
_MOST_ENDS = 5
"""A sample whose inputs ended or stopped so many processes is left alone: each costs a new one."""


@dataclass(frozen=True)
class Finding:
    """Something that a processor must not do."""

    sample: str
    number: int
    kind: str
    """`raised`, `places`, `died` or `hung`."""
    what: str


@dataclass
class Report:
    """What came of a run."""

    inputs: Counter[str] = field(default_factory=Counter)
    """How many were read, by sample."""
    findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    """The first of each sort, by sample, kind and what."""
    times: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """How often it was found."""

    def add(self, finding: Finding) -> None:
        key = (finding.sample, finding.kind, finding.what)
        self.findings.setdefault(key, finding)
        self.times[key] += 1


@dataclass(frozen=True)
class Soak:
    """A run: `inputs` in all, shared evenly by the samples in `folder`, or as many as `minutes` allow."""

    folder: Path = SAMPLES
    registry: str = BUILT_IN
    seed: int = 0
    inputs: int = 1_000_000
    minutes: float = 24 * 60
    lanes: int = 2
    patience: float = 60.0
    """Seconds that one input may take, on a machine that does much else."""
    memory_mb: int = 2048

    def run(self, samples: list[str], tell: Callable[[Report], None] = lambda report: None) -> Report:
        """Read the inputs; `tell` is called now and then."""
        report = Report()
        guard = threading.Lock()
        ends: Counter[str] = Counter()
        batches = self._batches(samples)
        until = time.monotonic() + 60 * self.minutes

        def lane() -> None:
            with _Reader(self) as reader:
                while time.monotonic() < until:
                    with guard:
                        batch = next((each for each in batches if ends[each[0]] < _MOST_ENDS), None)
                    if batch is None:
                        return
                    found = list(reader.findings(*batch))
                    with guard:
                        report.inputs[batch[0]] += batch[2]
                        for finding in found:
                            report.add(finding)
                            ends[batch[0]] += finding.kind in ("died", "hung")
                        tell(report)

        with ThreadPoolExecutor(self.lanes) as pool:
            for done in [pool.submit(lane) for _ in range(self.lanes)]:
                done.result()  # a lane that fails, as when no process can be started, fails the run
        return report

    def _batches(self, samples: list[str]) -> Iterator[tuple[str, int, int]]:
        """Sample, first number, how many: all samples advance together, so that a run that is cut short has tried them all."""
        share = -(-self.inputs // len(samples))
        for first in range(0, share, _BATCH):
            for sample in samples:
                yield sample, first, min(_BATCH, share - first)


class _Reader:
    """A process that reads inputs, and another one once it is gone."""

    def __init__(self, soak: Soak) -> None:
        self._soak = soak
        self._child: Child | None = None

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child:
            self._child.close()

    def findings(self, sample: str, first: int, count: int) -> Iterator[Finding]:
        """What is wrong with inputs `first` to `first + count`."""
        number, end = first, first + count
        while number < end:
            child = self._child = self._child or self._start()
            begun = time.monotonic()
            try:
                child.send([sample, self._soak.seed, number, end - number])
                while number < end:
                    begun = time.monotonic()
                    kind, what = msgspec.msgpack.decode(child.receive(self._soak.patience))
                    if kind:
                        yield Finding(sample, number, kind, what)
                    number += 1
            except ChildGone as gone:
                self._child.close(0)
                self._child = None
                hung = time.monotonic() - begun >= self._soak.patience
                ended = f"with status {str(gone).rpartition(' ')[2]}"
                yield Finding(sample, number, "hung" if hung else "died", "" if hung else ended)
                number += 1

    def _start(self) -> Child:
        path = os.pathsep.join([str(HERE), str(HERE / "children"), os.environ.get("PYTHONPATH", "")])
        arguments = [str(self._soak.folder), self._soak.registry, str(self._soak.memory_mb)]
        child = Child("soak_child", arguments, environment={"PYTHONPATH": path})
        child.receive(120)
        return child


def samples_of(folder: Path = SAMPLES) -> list[str]:
    """The samples that some installed processor reads."""
    registry = default_registry(third_party=False)
    named = [(path.name, registry.for_path(path.name)) for path in sorted(folder.iterdir())]
    return [name for name, processor in named if processor and not registry.missing(processor)]


def told(soak: Soak, report: Report) -> str:
    """A report for people."""
    lines = [f"seed {soak.seed}: {sum(report.inputs.values()):,} inputs, {len(report.findings)} findings"]
    lines += [f"  {count:>9,}  {sample}" for sample, count in sorted(report.inputs.items())]
    lines += [f"{line_of(found)} ({report.times[key]}x)" for key, found in sorted(report.findings.items())]
    return "\n".join(lines)


def as_json(soak: Soak, report: Report, commit: str) -> dict[str, Any]:
    """A report for programs: `found` are the findings in words, with how often each came."""
    return {
        "commit": commit,
        "seed": soak.seed,
        "inputs": sum(report.inputs.values()),
        "findings": len(report.findings),
        "inputs_by_sample": dict(sorted(report.inputs.items())),
        "found": {line_of(found): report.times[key] for key, found in sorted(report.findings.items())},
    }


def _commit() -> str:
    """The commit that is checked out; empty where there is none."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def line_of(found: Finding) -> str:
    """A finding for people."""
    return f"{found.sample} {found.number}: {found.kind} {found.what}".rstrip()


def main() -> int:
    """Exit status 1 when something was found."""
    parser = argparse.ArgumentParser(description="Damaged files by the million for every content processor.")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many in all")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="stop after so many")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same seed gives the same inputs")
    parser.add_argument("--lanes", type=int, default=os.cpu_count() or 1, help="processes that read")
    parser.add_argument("--only", action="append", default=[], help="a sample, by its file name; may be repeated")
    parser.add_argument("--write", type=int, metavar="NUMBER", help="write that input of the one sample to standard output")
    parser.add_argument("--report", type=Path, help="write the report there, as JSON")
    chosen = parser.parse_args()
    if chosen.write is not None:
        return _write(chosen.only[0], chosen.seed, chosen.write)
    soak = Soak(seed=chosen.seed, inputs=chosen.inputs, minutes=chosen.minutes, lanes=chosen.lanes)
    print(f"seed {soak.seed}", flush=True)
    shown = time.monotonic()
    told_of: set[tuple[str, str, str]] = set()

    def tell(report: Report) -> None:
        nonlocal shown
        for key in report.findings.keys() - told_of:
            told_of.add(key)
            print(line_of(report.findings[key]), flush=True)  # at once: a run may be ended
        if time.monotonic() - shown > 30:
            shown = time.monotonic()
            print(f"{sum(report.inputs.values()):>12,} inputs, {len(report.findings)} findings", flush=True)

    report = soak.run([name for name in samples_of() if not chosen.only or name in chosen.only], tell)
    print(told(soak, report))
    if chosen.report:
        chosen.report.parent.mkdir(parents=True, exist_ok=True)
        chosen.report.write_text(json.dumps(as_json(soak, report, _commit()), ensure_ascii=False, indent=1) + "\n")
    return 1 if report.findings else 0


def _write(sample: str, seed: int, number: int) -> int:
    sys.path.insert(0, str(HERE / "children"))
    from soak_child import input_of

    registry = default_registry(third_party=False)
    files = {name: (SAMPLES / name).read_bytes() for name in samples_of()}
    others = [data for name, data in files.items() if registry.for_path(name) is registry.for_path(sample)]
    sys.stdout.buffer.write(input_of(files[sample], others, seed, sample, number))
    return 0


if __name__ == "__main__":
    sys.exit(main())
