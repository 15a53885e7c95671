"""What `khoj-ls bench` measures: this machine, and the user's own notes in the user's own daemon."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

from khoj_ls import __version__
from khoj_ls.config.paths import folders
from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.daemon.client import DaemonClient
from khoj_ls.embed.service import EncoderService
from khoj_ls.evaluation.speed.embedding import chunks_of, embedding_rows
from khoj_ls.evaluation.speed.home import throw_away_home
from khoj_ls.evaluation.speed.rows import Row, row
from khoj_ls.evaluation.speed.searching import search_rows
from khoj_ls.evaluation.speed.starting import start_rows

_RUNS, _COLD_RUNS = 10, 5
_TEXTS, _ROUNDS = 100, 2
_IDLE_SECONDS = 5.0
_SEED = 1


def start(vault: Path, queries: int) -> Iterator[Row]:
    """Start-up, in a home of its own: the user's daemon goes on."""
    with throw_away_home():
        yield from start_rows(_RUNS, _COLD_RUNS)


def search(vault: Path, queries: int) -> Iterator[Row]:
    """Searches for words out of the notes, asked of the daemon; what its parts take in memory and on disk."""
    with DaemonClient.connect() as daemon:
        daemon.call("khoj/reindex", {"vault": str(vault), "wait": False})
        yield from search_rows(daemon, vault, queries, _SEED)
        yield from footprint_rows(daemon, vault)


def embedding(vault: Path, queries: int) -> Iterator[Row]:
    """The encoder on passages of these notes."""
    models = folders().models
    service = EncoderService(EmbeddingSettings(), models)
    try:
        service.prepare()
        texts = chunks_of(vault, service.tokenizer(), _TEXTS)
    finally:
        service.close()
    if texts:
        yield from embedding_rows(models, texts, _ROUNDS, all_ways=False)


PARTS: Mapping[str, Callable[[Path, int], Iterator[Row]]] = MappingProxyType(
    {"start": start, "search": search, "embedding": embedding}
)
"""What can be measured alone, from a vault and a number of queries."""


def footprint_rows(daemon: DaemonClient, vault: Path) -> Iterator[Row]:
    """Memory of the daemon and its encoder, the size of the vault's index, and what all of it does when nobody asks."""
    state = daemon.call("khoj/status", {"vault": str(vault)})
    [index], process = state["vaults"], state["daemon"]
    yield row("daemon: memory", process["rss_bytes"] / 1e6, unit="MB", note=f"{index['entries']:,} entries open")
    worker = process["worker"]
    if worker and worker["rss_bytes"]:
        yield row("encoder process: memory", worker["rss_bytes"] / 1e6, note=str(worker["backend"] or ""))
    yield row("index on disk", index["database_bytes"] / 1e6, unit="MB", note=f"{index['chunks']:,} passages")
    if index["phase"] == "idle":
        yield row("idle: share of one core", idle_share(process["pid"]), note=f"all processes, over {_IDLE_SECONDS:g} s")


def idle_share(pid: int, seconds: float = _IDLE_SECONDS) -> float:
    """Percent of one core that a process and its children take."""
    before = _cpu_seconds(pid)
    time.sleep(seconds)  # it is what happens meanwhile that is measured
    return 100 * (_cpu_seconds(pid) - before) / seconds


def machine() -> dict[str, Any]:
    """What these figures were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "khoj_ls": __version__,
        "load": round(psutil.getloadavg()[0], 1),
    }


def _cpu_seconds(pid: int) -> float:
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in [process, *process.children(recursive=True)]]
    return sum(each.user + each.system for each in times)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
