"""Editors that say anything, by the thousand: `make fuzz`, or `python tests/support/fuzz_soak.py --help`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from crash.fuzz import play
from crash.ground import Ground
from crash.workload import Workload


def soak(sessions: int, seed: int) -> dict[str, Any]:
    """Live through so many sessions; the report."""
    ground = Ground(Path(tempfile.mkdtemp(prefix="khoj-fuzz-")).resolve())
    found: dict[int, list[str]] = {}
    try:
        Workload(ground, Random(seed)).plant(15)
        ground.ask("reindex")
        before, log, read = ground.pid, ground.home / "state" / "daemon.log", 0
        for number in range(seed * 100_000, seed * 100_000 + sessions):
            wrong = play(ground.vault, number)
            if ground.pid != before:
                wrong.append("the daemon has ended")
                before = ground.pid
            data = log.read_bytes()
            new = data[read if read <= len(data) else 0 :].splitlines()
            wrong += [f"the log tells: {line.decode()[:300]}" for line in new if b" ERROR " in line]
            read = len(data)
            if wrong:
                found[number] = wrong
                print(json.dumps({"seed": number, "found": wrong}, ensure_ascii=False), flush=True)
    finally:
        ground.close()
    return {"seed": seed, "sessions": sessions, "sessions_with_findings": len(found), "found": found}


def main() -> int:
    """Exit status 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=1000, help="how many")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same seed says the same")
    parser.add_argument("--report", type=Path, help="write the report there, as JSON")
    chosen = parser.parse_args()
    done = soak(chosen.sessions, chosen.seed)
    if chosen.report:
        chosen.report.parent.mkdir(parents=True, exist_ok=True)
        chosen.report.write_text(json.dumps(done, ensure_ascii=False, indent=1) + "\n")
    print(f"seed {done['seed']}: {done['sessions']} sessions, {done['sessions_with_findings']} with findings")
    return 1 if done["sessions_with_findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
