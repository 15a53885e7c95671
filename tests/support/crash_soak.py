"""Kills, damage and trouble by the hundred: `make crashes`, or `python tests/support/crash_soak.py --help`.

Each round has a seed: notes are written, something is killed or damaged while they are indexed, and then all must be right
again (see `crash.verdict`). The report has every round with its seed; what was found stands in it in words.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from crash.ground import Ground
from crash.harms import HARMS, repaired
from crash.kills import KILLS, lost_session
from crash.scratch import Scratch
from crash.troubles import TROUBLES, disk, obey_permissions
from crash.verdict import faults, ill_health
from crash.workload import Workload

_TOP = Path(__file__).parents[2]
_NOTES = 25
_ROUNDS_ON_ONE_GROUND = 25
"""After so many rounds everything is begun anew, so that what happened long ago explains nothing."""

Event = Callable[[Ground, Workload, Random], str]


def kinds() -> dict[str, tuple[Event, ...]]:
    """What may happen, by the name of the option that asks for it."""
    return {"kills": KILLS, "corruptions": HARMS, "troubles": TROUBLES}


def one_round(ground: Ground, scratch: Scratch, work: Workload, event: Event, seed: int) -> dict[str, Any]:
    """One event with its verdict."""
    random = work.random = Random(seed)
    begun = time.monotonic()
    found: list[str] = []
    what = ""
    try:
        work.some(random.randint(1, 10))
        what = event(ground, work, random)
        work.close()
        if event in HARMS:
            told, wrong = repaired(ground)
            what = "; ".join([what, *told])
            found += wrong
        found += faults(ground, scratch, random)
        if seed % 10 == 0:
            found += [*ill_health(ground), *filter(None, [lost_session(ground)])]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        found.append(f"{type(error).__name__}: {error}")
        found.append("".join(traceback.format_tb(error.__traceback__)[-3:]))
    seconds = round(time.monotonic() - begun, 1)
    what, *found = (_of_any_machine(text, ground) for text in [what, *found])
    return {"seed": seed, "event": event.__name__, "what": what, "seconds": seconds, "found": found}


def _of_any_machine(text: str, ground: Ground) -> str:
    """`text` with paths relative to the vault, the round's own folder and the project, and not as this machine has them."""
    for place in (ground.vault.as_uri(), ground.vault, ground.base, _TOP, sys.prefix, sys.base_prefix):
        text = text.replace(f"{place}/", "")
    return text


def soak(counts: dict[str, int], seed: int, tell: Callable[[dict[str, Any]], None], keep: bool = False) -> list[dict[str, Any]]:
    """Run so many rounds of each kind; `tell` hears of each."""
    chooser = Random(seed)
    plan = [chooser.choice(kinds()[kind]) for kind, count in counts.items() for _ in range(count)]
    chooser.shuffle(plan)
    rounds: list[dict[str, Any]] = []
    ground: Ground | None = None
    for number, event in enumerate(plan):
        own = seed * 100_000 + number
        if ground is None:
            scratch = Scratch()
            ground = Ground(Path(tempfile.mkdtemp(prefix="khoj-crash-")).resolve())
            disk(ground)
            work = Workload(ground, Random(own))
            work.plant(_NOTES)
        rounds.append(one_round(ground, scratch, work, event, own))
        tell(rounds[-1])
        bad = bool(rounds[-1]["found"])
        if bad or (number + 1) % _ROUNDS_ON_ONE_GROUND == 0 or number + 1 == len(plan):
            if bad and keep:
                ground.stop()
                tell({"kept": str(ground.base)})
            else:
                ground.close()
            ground = None
    return rounds


def report(rounds: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """What is written down of a run."""
    bad = [each for each in rounds if each["found"]]
    return {
        "seed": seed,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rounds": len(rounds),
        "rounds_with_findings": len(bad),
        "by_event": dict(sorted(Counter(each["event"] for each in rounds).items())),
        "each": rounds,
    }


def main() -> int:
    """Exit status 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, count in (("kills", 300), ("corruptions", 100), ("troubles", 40)):
        parser.add_argument(f"--{kind}", type=int, default=count, help=f"rounds with {kind}")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same seed does the same things")
    parser.add_argument("--report", type=Path, help="write the report there, as JSON")
    parser.add_argument("--keep", action="store_true", help="leave the folders of rounds in which something was found")
    chosen = parser.parse_args()
    obey_permissions()
    counts = {kind: getattr(chosen, kind) for kind in kinds()}

    def tell(one: dict[str, Any]) -> None:
        print(json.dumps(one, ensure_ascii=False), flush=True)

    done = report(soak(counts, chosen.seed, tell, chosen.keep), chosen.seed)
    if chosen.report:
        chosen.report.parent.mkdir(parents=True, exist_ok=True)
        chosen.report.write_text(json.dumps(done, ensure_ascii=False, indent=1) + "\n")
    print(f"seed {done['seed']}: {done['rounds']} rounds, {done['rounds_with_findings']} with findings")
    return 1 if done["rounds_with_findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
