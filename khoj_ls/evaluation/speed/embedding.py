"""The encoder beside sentence-transformers as it comes: throughput, the same neighbours, a query alone and beside a backlog."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.content.chunk import chunk_file
from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.protocols import Tokenizer
from khoj_ls.embed.agreement import same_nearest
from khoj_ls.embed.service import EncoderService
from khoj_ls.evaluation.speed.rows import Row, p50, p95, row

_QUERIES = 50
_THEIR_BATCH = 32
_WARM = 64
_BACKLOG = 64
_NAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "as chosen": ("embedding, as chosen for this machine", "same ten nearest, as chosen"),
        "32 bits": ("embedding, all numbers of 32 bits", "same ten nearest, 32 bits"),
        "8-bit weights": ("embedding, 8-bit weights (not the default)", "same ten nearest, 8-bit weights"),
    }
)
_FIRST = """
import sys, time, resource
begun = time.perf_counter()
from sentence_transformers import SentenceTransformer
SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True).encode("the first query")
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def chunks_of(vault: Path, tokenizer: Tokenizer, count: int) -> list[str]:
    """`count` passages of a vault as they are embedded, evenly from all of it."""
    registry = default_registry(third_party=False)
    files = [path for path in sorted(vault.rglob("*")) if path.is_file() and path.suffix in (".md", ".org", ".txt")]
    texts: list[str] = []
    for path in files[:: max(1, len(files) // count)]:
        parsed = parse_file(registry, path.read_bytes(), path.relative_to(vault).as_posix())
        texts += [chunk.text for chunk in chunk_file(parsed.title, parsed.entries, tokenizer)]
    return texts[:: max(1, len(texts) // count)][:count]


def embedding_rows(models: Path, texts: Sequence[str], rounds: int, *, all_ways: bool = True) -> Iterator[Row]:
    """All sides take turns on the same texts, each with all cores; a ratio is the median of the rounds' ratios.

    Prepared models are kept in `models`. `all_ways`: what computes in 32 bits, and 8-bit weights, are measured beside what was
    chosen for this machine.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    from sentence_transformers import SentenceTransformer

    ways = {"as chosen": EmbeddingSettings()}
    if all_ways:
        ways |= {"32 bits": EmbeddingSettings(precision="full"), "8-bit weights": EmbeddingSettings(precision="int8")}
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        services = dict(_served(models, ways, Path(scratch), stack))
        chosen = services["as chosen"]
        theirs = SentenceTransformer(chosen.spec.source, device="cpu", local_files_only=True)
        about = f"{len(texts)} passages, mean {statistics.mean(chosen.tokenizer().count(texts)):.0f} tokens"
        measured = _in_turns(theirs, services, texts, rounds)
        yield from _throughput_rows(measured, services, about)
        del theirs
        memory = chosen.status().rss_bytes / 1e6
        queries = _query_times(chosen, "alone")
        their_first, their_memory = _their_first(chosen.spec.source)
        yield row("vector of a query, p50", p50(queries), note=f"p95 {p95(queries):.1f} ms")
        # As nice as it is every day: that is what lets a query pass the backlog.
        service = EncoderService(EmbeddingSettings(), models)
        stack.callback(service.close)
        alone = _query_times(service, "nice")
        yield row("vector of a query beside a backlog, p95", p95(_beside_backlog(service, texts)), p95(alone))
        note = f"{chosen.status().backend}, while a backlog is computed"
        yield row("encoder: memory", memory, their_memory, note=note)
        service = EncoderService(EmbeddingSettings(), models, nice=0)
        stack.callback(service.close)
        yield row("encoder: load and first vector", _seconds(lambda: service.embed_query("the first query")), their_first)


class _Measured:
    """Chunks per second and vectors of each side, and of sentence-transformers in the same rounds."""

    def __init__(self, sides: Iterable[str]) -> None:
        self.theirs: list[float] = []
        self.rates: dict[str, list[float]] = {side: [] for side in sides}
        self.exact: np.ndarray = np.zeros(0)
        self.vectors: dict[str, np.ndarray] = {}


def _served(
    models: Path, ways: Mapping[str, EmbeddingSettings], scratch: Path, stack: contextlib.ExitStack
) -> Iterator[tuple[str, EncoderService]]:
    """A service for each way, not nice, as the other side is not. The model is exported once and lies beside itself."""
    first: EncoderService | None = None
    for number, (way, settings) in enumerate(ways.items()):
        folder = models if first is None else scratch / str(number)
        if first is not None:
            name = first.spec.slug
            shutil.copytree(models / name, folder / name)
        service = EncoderService(settings, folder, nice=0)
        stack.callback(service.close)
        service.prepare()
        first = first or service
        yield way, service


def _in_turns(theirs: Any, services: Mapping[str, EncoderService], texts: Sequence[str], rounds: int) -> _Measured:
    found = _Measured(services)
    theirs.encode(list(texts[:_THEIR_BATCH]), batch_size=_THEIR_BATCH, show_progress_bar=False)
    for service in services.values():
        service.embed_documents(texts[:_WARM])
    for _ in range(rounds):
        begun = time.perf_counter()
        found.exact = theirs.encode(list(texts), batch_size=_THEIR_BATCH, show_progress_bar=False)
        found.theirs.append(len(texts) / (time.perf_counter() - begun))
        for way, service in services.items():
            begun = time.perf_counter()
            vectors = service.embed_documents(texts)
            found.rates[way].append(len(texts) / (time.perf_counter() - begun))
            found.vectors[way] = np.array([np.frombuffer(vector, "<f4") for vector in vectors])
    return found


def _throughput_rows(found: _Measured, services: Mapping[str, EncoderService], about: str) -> Iterator[Row]:
    truth = found.exact @ found.exact.T
    for way, (name, same) in _NAMES.items():
        if way not in services:
            continue
        ratio = statistics.median(mine / other for mine, other in zip(found.rates[way], found.theirs, strict=True))
        rate = statistics.median(found.rates[way])
        vectors = found.vectors[way]
        by = services[way].status().backend
        # The baseline of the median round, so that value and ratio belong together.
        yield row(name, rate, rate / ratio, note=f"{by}; {about}")
        cosine = float((found.exact * vectors).sum(axis=1).min())
        yield row(same, same_nearest(truth, vectors @ vectors.T), note=f"{by}; lowest cosine {cosine:.5f}")


def _query_times(service: EncoderService, label: str) -> list[float]:
    """Milliseconds of queries, each a new one."""
    service.embed_query(f"{label}: warm")
    return [
        1000 * _seconds(lambda n=number: service.embed_query(f"{label}: how did I fix the router, time {n}?"))  # type: ignore[misc]
        for number in range(_QUERIES)
    ]


def _beside_backlog(service: EncoderService, texts: Sequence[str]) -> list[float]:
    """The same while documents are embedded without end."""
    over = threading.Event()

    def backlog() -> None:
        while not over.is_set():
            service.embed_documents(texts[:_BACKLOG])

    thread = threading.Thread(target=backlog)
    thread.start()
    try:
        return _query_times(service, "beside")
    finally:
        over.set()
        thread.join()


def _their_first(model: str) -> tuple[float, float]:
    """Seconds that sentence-transformers needs to its first vector in a process of its own, and that process's megabytes."""
    done = subprocess.run([sys.executable, "-c", _FIRST, model], check=True, capture_output=True, text=True)
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), float(kilobytes) / 1000


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
