"""Everything that `make bench` measures, in the order of its table. Each measure gives rows, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Measure:
    """One of them."""

    module: str
    """Has the function `rows`, which yields them."""
    what: str
    arguments: tuple[int, ...] = ()
    """What `rows` is called with."""
    always: bool = True
    """False: too long for every day, measured when it is named or with --all."""


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "startup": Measure("startup", "from spawning khoj-ls to the answer to initialize, to the first answers; idle"),
        "encoder": Measure("encoder", "the encoder beside sentence-transformers' own default"),
        "search-10k": Measure("latency", "search, memory and size at 10,000 passages", (10_000,)),
        "search-100k": Measure("latency", "the same at 100,000 passages", (100_000,)),
        "notes-1k": Measure("scale", "1,000 made-up notes: to words, opened again, searched", (1_000,)),
        "notes-10k": Measure("scale", "the same with 10,000", (10_000,)),
        "notes-40k": Measure("scale", "the same with 40,000", (40_000,), always=False),
        "notes-100k": Measure("scale", "the same with 100,000", (100_000,), always=False),
        "editing": Measure(
            "editing", "hover, definition, completion, diagnostics and search beside a backlog, in a real server"
        ),
        "daemon": Measure("daemon_search", "searches over the socket of a daemon, each with its own new vector"),
        "edits": Measure("edits", "until a sentence that was appended to a note is the first answer; notes to meaning"),
        "chat": Measure("chat", "a turn of a chat beside its model"),
        "reranking": Measure("reranking", "a cross-encoder beside CrossEncoder.predict"),
    }
)
