"""One set from its files to its figures."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

from khoj_ls.config.settings import Tuning
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import ProgressCallback
from khoj_ls.embed.service import EncoderService
from khoj_ls.evaluation.asking import MODES, Mode, ask_all, embed_queries, searched
from khoj_ls.evaluation.baselines import baselines, fused
from khoj_ls.evaluation.beir import RetrievalSet
from khoj_ls.evaluation.indexed import Names, index_set
from khoj_ls.evaluation.measures import Figures, Run, figures, misses
from khoj_ls.evaluation.vectors import VectorCache
from khoj_ls.store.database import Database

_INDEX = "index"


@dataclass(frozen=True)
class Wish:
    """What is wanted of a set."""

    modes: Sequence[Mode] = ()
    """None: all that the set can be asked in."""
    profiles: Mapping[str, Tuning] = field(default_factory=lambda: MappingProxyType({}))
    """Numbers of the profiles to search with, by name. None: all that was found is ranked by what measured best."""
    names: Names = "id"
    baselines: bool = False
    exact_below: int = 30_000
    """The setting `search.exact_vectors_below`."""


@dataclass(frozen=True)
class Evaluation:
    """The runs over one set."""

    data: RetrievalSet
    runs: Mapping[str, Run]
    """By mode; where profiles were asked for, by mode and profile: `hybrid precise`."""
    baselines: Mapping[str, Run]
    unread: int
    """Documents that the parser could make nothing of."""
    refused: Mapping[str, str]
    """Why the search did not take a query, by query."""

    def figures(self, runs: Mapping[str, Run]) -> dict[str, Figures]:
        """Figures of some of the runs, by name."""
        return {name: figures(self.data.relevant, run) for name, run in runs.items()}

    def json(self, *, with_misses: bool = False) -> dict[str, Any]:
        """What `khoj-ls eval --json` prints for a set (docs/cli.md)."""
        result: dict[str, Any] = {
            "set": self.data.name,
            "documents": len(self.data.documents),
            "queries": len(self.data.queries),
            "modes": {name: found.json() for name, found in self.figures(self.runs).items()},
        }
        if self.baselines:
            result["baselines"] = {name: found.json() for name, found in self.figures(self.baselines).items()}
        if with_misses:
            result["misses"] = misses(self.data.relevant, self.runs, self.data.queries)
        return result


def evaluate(
    data: RetrievalSet, encoder: EncoderService, vectors: VectorCache, wish: Wish, scratch: Path, progress: ProgressCallback
) -> Evaluation:
    """Index a set in a folder below `scratch` that is gone afterwards, and ask its queries.

    Raises UsageError where a set is malformed or cannot be asked in a mode, ModelError, and Cancelled.
    """
    modes = wish.modes or [mode for mode in MODES if mode != "related" or data.all_own]
    if "related" in modes and not data.all_own:
        raise UsageError(
            f"{data.name}: the mode related is for sets whose queries are documents, and {len(data.queries) - len(data.own)} "
            f"of {len(data.queries)} are not"
        )
    with _own_folder(scratch) as folder, closing(Database(folder / "index.db")) as database:
        indexed = index_set(data, encoder, vectors, database, wish.names, exact_below=wish.exact_below, progress=progress)
        if any(mode in ("dense", "hybrid") for mode in modes):
            embed_queries(data, vectors, progress)
        plain = baselines(data, vectors, folder, progress) if wish.baselines else {}
        refused: dict[str, str] = {}
        runs = {
            name: ask_all(data, searched(data, indexed, mode, tuning, refused), name, progress)
            for name, mode, tuning in _variants(modes, wish.profiles)
        }
        if plain and "lexical" in runs and "dense" in runs:
            plain["own rrf"] = fused(runs["lexical"], runs["dense"])
        return Evaluation(data, runs, plain, indexed.unread, refused)


def _variants(modes: Sequence[Mode], profiles: Mapping[str, Tuning]) -> Iterator[tuple[str, Mode, Tuning | None]]:
    """What is asked, by its name; profiles are for searches, not for related notes."""
    for mode in modes:
        if mode == "related" or not profiles:
            yield mode, mode, None
        else:
            yield from ((f"{mode} {name}", mode, tuning) for name, tuning in profiles.items())


@contextmanager
def _own_folder(scratch: Path) -> Iterator[Path]:
    """A folder for the time of the block. What processes that were killed have left is removed: indexes are large."""
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in scratch.glob(f"{_INDEX}-*-*"):
        pid = left.name.split("-")[1]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_INDEX}-{os.getpid()}-", dir=scratch) as folder:
        yield Path(folder)
