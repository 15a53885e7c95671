"""How long the files made to hurt take, and how much memory: `make hostile`, or `python tests/support/hostile.py --help`.

Each is read in a process of its own under the limits that parser workers have. What one may come to: entries, with warnings or
without, or a problem that says why there are none. What escapes, a death, or more time or memory than allowed is a finding.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hostile_files import FILES

from khoj_ls.content.registry import default_registry, parse_file, places_fault
from khoj_ls.workers.child import limit_this_process

SECONDS = 60.0
MEMORY_MB = 2048


def read_one(path: Path) -> dict[str, Any]:
    """Read a file in this process; what came of it."""
    data = path.read_bytes()
    registry = default_registry(third_party=False)
    read = registry.for_path(path.name)
    parse_file(registry, b"", path.name)  # what the processor loads is no cost of this file
    before = _memory("VmRSS")
    limit_this_process(memory_mb=MEMORY_MB)
    begun = time.process_time()
    parsed = parse_file(registry, data, path.name)
    return {
        "type": read.name if read else "",
        "seconds": round(time.process_time() - begun, 2),
        "memory_mb": max(0, _memory("VmHWM") - before),
        "entries": len(parsed.entries),
        "problems": [f"{problem.code}: {problem.message}" for problem in parsed.problems],
        "fault": places_fault(parsed.entries) or "",
    }


def _memory(name: str) -> int:
    """Megabytes of this process."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else 0


def measure(name: str, scale: float, folder: Path) -> dict[str, Any]:
    """Read one of the files apart; what came of it, and what is wrong with that."""
    file, build = FILES[name]
    path = folder / file
    path.write_bytes(build(scale))
    told: dict[str, Any] = {"name": name, "file": file, "bytes": path.stat().st_size, "wrong": ""}
    command = [sys.executable, __file__, "--read", str(path)]
    begun = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * 3, check=False)
    except subprocess.TimeoutExpired:
        return told | {"seconds": round(time.monotonic() - begun, 2), "wrong": "hung"}
    if done.returncode:
        return told | {"wrong": f"died with status {done.returncode}: {done.stderr.strip()[-200:]}"}
    told |= json.loads(done.stdout)
    codes = [problem.partition(":")[0] for problem in told["problems"]]
    if told["seconds"] > SECONDS:
        told["wrong"] = "too slow"
    elif told.pop("fault") or any(code.startswith("processor-") for code in codes):
        told["wrong"] = "the processor failed"
    elif not told["entries"] and not codes:
        told["wrong"] = "nothing was read, and nothing said of it"
    return told


def line_of(told: dict[str, Any]) -> str:
    """A row of the table."""
    said = "; ".join(told.get("problems", ()))[:100]
    numbers = f"{told['bytes'] / 1e6:>8.2f} MB {told.get('seconds', 0):>7.2f} s {told.get('memory_mb', 0):>6} MB"
    return f"{told['name'][:34]:<35}{told['file']:<9}{numbers} {told.get('entries', 0):>7,}  {told['wrong'].upper() or said}"


def main() -> int:
    """Exit status 1 when something is wrong."""
    parser = argparse.ArgumentParser(description="Files made to hurt: time and memory of each.")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size")
    parser.add_argument("--only", action="append", default=[], help="a file by its name; may be repeated")
    parser.add_argument("--report", type=Path, help="write the report there, as JSON")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.read:
        print(json.dumps(read_one(chosen.read)))
        return 0
    print(f"{'what':<35}{'file':<9}{'size':>11} {'time':>9} {'memory':>9} {'entries':>7}  said")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.only or FILES:
            found.append(measure(name, chosen.scale, Path(folder)))
            print(line_of(found[-1]), flush=True)
    if chosen.report:
        chosen.report.parent.mkdir(parents=True, exist_ok=True)
        rows = ",\n".join(f"  {json.dumps(each, ensure_ascii=False)}" for each in found)
        chosen.report.write_text(f'{{\n "scale": {chosen.scale},\n "files": [\n{rows}\n ]\n}}\n', encoding="utf-8")
    return 1 if any(each["wrong"] for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
