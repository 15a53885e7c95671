"""How one vault is: what it holds, what is missing, what goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from khoj_ls.graph.files import read_vault_conventions
from khoj_ls.indexing.models import active_model
from khoj_ls.store.chunks import coverage
from khoj_ls.store.counts import chunk_count, counts, failures, warnings
from khoj_ls.vault.open_index import OpenIndex


@dataclass(frozen=True)
class Status:
    """How one vault is."""

    root: Path
    files: int
    entries: int
    chunks: int
    embedded: int
    queue: int
    failures: tuple[tuple[str, str], ...]
    """(relative path, reason) of files that are not indexed."""
    warnings: tuple[tuple[str, int, str], ...]
    """(relative path, line, reason) of what was left out or guessed in files that are indexed, and of settings of the notes'
    tool that cannot be used."""
    model: str
    database_bytes: int
    coverage: float
    phase: str
    message: str
    paused: bool
    vectors: str
    eta_seconds: float | None


def status_of(index: OpenIndex, root: Path, model_name: str) -> Status:
    """Counts, coverage, failures and what is going on; `model_name` is what the settings ask for."""
    indexer = index.indexer
    state = indexer.state() if indexer else None
    with index.database.read() as connection:
        held = counts(connection)
        failed = {**(indexer.refused() if indexer else {}), **failures(connection)}
        warned = warnings(connection)
        model = active_model(connection)
        embedded, total = coverage(connection, model) if model else (0, held.files)
        chunks = chunk_count(connection, model.chunker_id) if model else 0
    return Status(
        root=root,
        files=held.files,
        entries=held.entries,
        chunks=chunks,
        embedded=embedded,
        queue=state.queue + state.pending if state else 0,
        failures=tuple(sorted(failed.items())),
        warnings=(*settings_warnings(root), *warned),
        model=model.name if model else model_name,
        database_bytes=index.database.size_bytes(),
        coverage=embedded / total if total else 1.0,
        phase=state.phase if state else "read-only",
        message=(state.message if state else "another process writes this index") or index.message,
        paused=bool(state and state.paused),
        vectors=index.vectors_kind,
        eta_seconds=state.eta_seconds if state else None,
    )


def settings_warnings(root: Path) -> tuple[tuple[str, int, str], ...]:
    """(relative path, line, reason) of settings of the notes' tool (Obsidian, Logseq, ..) that cannot be used."""
    _, problems = read_vault_conventions(root)
    return tuple((problem.path, problem.line, problem.message) for problem in problems)
