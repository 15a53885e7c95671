"""The encoder: chunks per second against sentence-transformers' default, the same rankings, a query beside the backlog.

    python -m benchmarks.encoder [--texts FILE] [--count 200] [--rounds 3]

FILE holds one text a line; without it the chunks of examples/vault are embedded. Both sides take turns on the same texts, each
with all cores, so that what else the machine does falls on both. Prints a table and writes benchmarks/results/encoder.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.content.chunk import chunk_file
from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.protocols import Tokenizer
from khoj_ls.embed.service import EncoderService

_ROOT = Path(__file__).parent
_GOAL = 3.0
_QUERIES = 50


def chunks_of(vault: Path, tokenizer: Tokenizer, count: int) -> list[str]:
    """The first `count` chunks of a vault, by path."""
    registry = default_registry(third_party=False)
    texts: list[str] = []
    for path in sorted(vault.rglob("*")):
        if path.is_file() and path.suffix in registry.extensions():
            parsed = parse_file(registry, path.read_bytes(), path.relative_to(vault).as_posix())
            texts += [chunk.text for chunk in chunk_file(parsed.title, parsed.entries, tokenizer)]
    return texts[:count]


def matrix(vectors: Sequence[bytes]) -> np.ndarray:
    """Vectors as rows."""
    return np.array([np.frombuffer(vector, "<f4") for vector in vectors])


def agreement(expected: np.ndarray, actual: np.ndarray, top: int = 10) -> float:
    """Share of texts whose `top` nearest are the same, in the same order but for scores less than 1e-5 apart."""
    truth, ours = expected @ expected.T, actual @ actual.T
    same = 0
    for row, (right, mine) in enumerate(zip(truth, ours, strict=True)):
        best, found = np.argsort(-right)[:top], np.argsort(-mine)[:top]
        same += bool(np.all(np.abs(right[best] - truth[row][found]) < 1e-5))
    return same / len(expected)


def seconds(work: Callable[[], Any]) -> float:
    """How long `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def cpu_seconds(service: EncoderService) -> float:
    """CPU time of the worker so far."""
    times = psutil.Process(service.status().pid).cpu_times()
    return float(times.user + times.system)


def throughput(service: EncoderService, texts: list[str], rounds: int) -> dict[str, Any]:
    """Both sides in turns; the ratio is the median of the rounds' ratios."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(service.spec.source, device="cpu", local_files_only=True)
    expected = model.encode(texts[:32], batch_size=32, show_progress_bar=False)
    service.embed_documents(texts[:32])
    theirs, ours, cpu = [], [], []
    actual: list[bytes] = []
    for _ in range(rounds):
        begun, used = time.perf_counter(), time.process_time()
        expected = model.encode(texts, batch_size=32, show_progress_bar=False)
        theirs.append(len(texts) / (time.perf_counter() - begun))
        their_cpu = time.process_time() - used
        begun, used = time.perf_counter(), cpu_seconds(service)
        actual = service.embed_documents(texts)
        ours.append(len(texts) / (time.perf_counter() - begun))
        cpu.append(their_cpu / (cpu_seconds(service) - used))
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return {
        "sentence_transformers_per_second": statistics.median(theirs),
        "khoj_ls_per_second": statistics.median(ours),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "cpu_ratio": statistics.median(cpu),
        "goal": _GOAL,
        "top10_agreement": agreement(expected, matrix(actual)),
        "lowest_cosine": float((expected * matrix(actual)).sum(axis=1).min()),
    }


def latency(service: EncoderService, label: str) -> dict[str, float]:
    """p50 and p95 of one query in milliseconds, each a new one."""
    service.embed_query(f"{label}: warm")
    times = [seconds(lambda n=n: service.embed_query(f"{label}: how did I fix the router, time {n}?")) for n in range(_QUERIES)]
    return {"p50_ms": 1000 * statistics.median(times), "p95_ms": 1000 * statistics.quantiles(times, n=20)[18]}


def beside_backlog(service: EncoderService, texts: list[str]) -> dict[str, float]:
    """The same while documents are embedded without end."""
    over = threading.Event()

    def backlog() -> None:
        while not over.is_set():
            service.embed_documents(texts[:64])

    thread = threading.Thread(target=backlog)
    thread.start()
    try:
        return latency(service, "beside")
    finally:
        over.set()
        thread.join()


def first_vector(models: Path) -> dict[str, float]:
    """Seconds from nothing to the first query's vector: with the model prepared, and with that to be done first."""
    service = EncoderService(EmbeddingSettings(), models, nice=0)
    warm = seconds(lambda: service.embed_query("the first query"))
    service.close()
    with tempfile.TemporaryDirectory() as folder:
        service = EncoderService(EmbeddingSettings(), Path(folder), nice=0)
        prepared = seconds(service.prepare)
        service.close()
    return {"first_query_seconds": warm, "prepare_seconds": prepared}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="one text a line")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", type=Path, help="folder of prepared models, to save preparing one")
    wanted = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        models = wanted.models or Path(scratch)
        # Not nice: the other side is not either.
        service = EncoderService(EmbeddingSettings(), models, nice=0)
        service.prepare()
        tokenizer = service.tokenizer()
        if wanted.texts:
            texts = [line for line in wanted.texts.read_text().splitlines() if line.strip()][: wanted.count]
        else:
            texts = chunks_of(_ROOT.parent / "examples" / "vault", tokenizer, wanted.count)
        result: dict[str, Any] = {"texts": len(texts), "mean_tokens": statistics.mean(tokenizer.count(texts))}
        result |= throughput(service, texts, wanted.rounds)
        service.close()
        # As nice as it is every day: that is what lets a query pass the backlog.
        service = EncoderService(EmbeddingSettings(), models)
        result["query_alone"] = latency(service, "alone")
        result["query_beside_backlog"] = beside_backlog(service, texts)
        result["worker_rss_mb"] = service.status().rss_bytes / 1e6
        service.close()
        result |= first_vector(models)
    result |= {"cores": os.cpu_count(), "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None}
    show(result)
    target = _ROOT / "results" / "encoder.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")


def show(result: dict[str, Any]) -> None:
    """Print the figures as a table."""
    met = "met" if result["ratio"] >= _GOAL else "missed"
    alone, beside = result["query_alone"], result["query_beside_backlog"]
    for name, value in (
        ("texts, mean tokens", f"{result['texts']}, {result['mean_tokens']:.0f}"),
        ("sentence-transformers", f"{result['sentence_transformers_per_second']:.1f} chunks/s"),
        ("khoj-ls", f"{result['khoj_ls_per_second']:.1f} chunks/s"),
        ("ratio", f"{result['ratio']:.2f} (goal {_GOAL}: {met})"),
        ("ratio of CPU time", f"{result['cpu_ratio']:.2f}"),
        ("same top 10", f"{result['top10_agreement']:.1%} (lowest cosine {result['lowest_cosine']:.6f})"),
        ("query alone", f"p50 {alone['p50_ms']:.1f} ms, p95 {alone['p95_ms']:.1f} ms"),
        ("query beside a backlog", f"p50 {beside['p50_ms']:.1f} ms, p95 {beside['p95_ms']:.1f} ms"),
        ("worker", f"{result['worker_rss_mb']:.0f} MB"),
        ("first query, model prepared", f"{result['first_query_seconds']:.2f} s"),
        ("preparing the model", f"{result['prepare_seconds']:.1f} s"),
    ):
        print(f"{name:30} {value}")


if __name__ == "__main__":
    main()
