"""What the daemon takes and has done, as `khoj_ls.wire.messages.Metrics` has it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from khoj_ls.config.paths import Folders
from khoj_ls.core.metrics import Metrics


def measured(metrics: Metrics, folders: Folders) -> dict[str, Any]:
    """The numbers of this process, its workers and its files, now."""
    process = psutil.Process()
    workers = process.children(recursive=True)
    times = process.cpu_times()
    return {
        "cpu_seconds": round(times.user + times.system, 3),
        "threads": process.num_threads(),
        "open_files": process.num_fds() if hasattr(process, "num_fds") else 0,
        "workers": len(workers),
        "workers_rss_bytes": sum(map(_memory, workers)),
        "log_bytes": _sizes(folders.log.parent.glob(f"{folders.log.name}*")),
        "data_bytes": _sizes((folders.data / "vaults").glob("*/*.db*")),
        "requests": {name: asdict(timing) for name, timing in metrics.timings().items()},
    }


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has just ended
        return 0


def _sizes(paths: Iterable[Path]) -> int:
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):  # it has just gone
            total += path.stat().st_size
    return total
