"""Search latency and memory over a made-up index of many chunks, without the encoder (see benchmarks.encoder for its share).

    python -m benchmarks.latency [--chunks 10000 100000] [--queries 200] [--seed 1]

Words follow Zipf's law over 50,000 words, so that queries meet frequent and rare ones; vectors are random with a common part.
Every query goes through the real pipeline: words, vectors, fusion, passages. Each size runs in a process of its own, whose
memory is what the daemon would hold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from khoj_ls.core.types import Chunk, Entry, ParsedFile, Span
from khoj_ls.daemon.launch import daemon_environment
from khoj_ls.search.context import SearchContext
from khoj_ls.search.matching import WordFinder
from khoj_ls.search.pipeline import search
from khoj_ls.search.statistics import StatisticsCache
from khoj_ls.search.types import SearchRequest
from khoj_ls.store.chunks import ActiveModel, chunk_hash, store_chunks, store_vectors, use_model
from khoj_ls.store.database import Database, set_meta
from khoj_ls.store.files import FileStat, content_hash, replace_file
from khoj_ls.store.fts import merge
from khoj_ls.store.vectors import VectorIndex

DIMENSIONS = 384
ENTRIES_PER_NOTE = 10
WORDS_PER_ENTRY = 90
GOALS_MS = ((10_000, 10.0, 30.0), (100_000, 15.0, 50.0))
"""Chunks, p50 and p95 of a hybrid search."""


def main() -> int:
    """Measure every size in a process of its own; prints a table and writes benchmarks/results/latency.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[size for size, *_ in GOALS_MS])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(measure(options.chunks[0], options.queries, options.seed)))
        return 0
    results = []
    for size in options.chunks:
        command = [sys.executable, "-m", "benchmarks.latency", "--one", "--chunks", str(size)]
        command += ["--queries", str(options.queries), "--seed", str(options.seed)]
        as_the_daemon = daemon_environment(os.environ)
        results.append(json.loads(subprocess.run(command, check=True, capture_output=True, env=as_the_daemon).stdout))
        sys.stdout.write(row(results[-1]))
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / "latency.json").write_text(json.dumps(results, indent=1))
    return 0


def row(result: dict[str, float]) -> str:
    """One line for people."""
    goal = next((f"goal {p50:g} / {p95:g}" for size, p50, p95 in GOALS_MS if size == result["chunks"]), "")
    return (
        f"{result['chunks']:>7} chunks: hybrid p50 / p95 {result['hybrid_p50']:.1f} / {result['hybrid_p95']:.1f} ms ({goal}), "
        f"lexical {result['lexical_p50']:.1f} / {result['lexical_p95']:.1f}, dense {result['dense_p50']:.1f} / "
        f"{result['dense_p95']:.1f}; memory {result['rss_mb']:.0f} MB, database {result['database_mb']:.0f} MB\n"
    )


def measure(chunks: int, queries: int, seed: int) -> dict[str, float]:
    """Build an index of `chunks` chunks and search it; milliseconds and megabytes."""
    numbers = random.Random(seed)
    vocabulary = [f"{numbers.choice('bcdfglmnprst')}{numbers.choice('aeiou')}w{i:x}" for i in range(50_000)]
    weights = [1.0 / (rank + 3) for rank in range(len(vocabulary))]
    generator = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "index.db")
        model = fill(database, chunks, numbers, vocabulary, weights, generator)
        merge_words(database)
        index = VectorIndex(database, model, Path(folder) / "v.hnsw", exact_below=30_000)
        index.catch_up()
        result: dict[str, float] = {"chunks": chunks}
        shared = StatisticsCache()
        finder = WordFinder()
        asked = [" ".join(numbers.choices(vocabulary, weights, k=numbers.randint(2, 9))) for _ in range(queries)]
        vectors = unit(generator.normal(size=(queries, DIMENSIONS)) + 0.5)
        for mode in ("hybrid", "lexical", "dense"):
            times = []
            for query, vector in zip(asked, vectors, strict=True):
                context = SearchContext(
                    database, model, index, lambda _, vector=vector: vector.tobytes(), statistics=shared, finder=finder
                )
                begun = time.perf_counter()
                search(context, SearchRequest(query, mode=mode))  # type: ignore[arg-type]  # of the three above
                times.append((time.perf_counter() - begun) * 1000)
            result[f"{mode}_p50"] = statistics.median(times)
            result[f"{mode}_p95"] = statistics.quantiles(times, n=20)[-1]
        result["rss_mb"] = psutil.Process().memory_info().rss / 1e6
        result["database_mb"] = database.size_bytes() / 1e6
        database.close()
    return result


def fill(
    database: Database,
    chunks: int,
    numbers: random.Random,
    vocabulary: list[str],
    weights: list[float],
    generator: np.random.Generator,
) -> ActiveModel:
    """Store notes of ten entries, one chunk and one vector each."""
    with database.write() as connection:
        model = use_model(connection, "made-up", "made-up", DIMENSIONS, "made-up")
        set_meta(connection, "active_model", "made-up")
    for number in range(chunks // ENTRIES_PER_NOTE):
        entries, cut = [], []
        for ordinal in range(ENTRIES_PER_NOTE):
            text = " ".join(numbers.choices(vocabulary, weights, k=WORDS_PER_ENTRY))
            raw = f"## {text[:30]}\n{text}\n"
            span = Span(ordinal * 1000, ordinal * 1000 + len(raw), ordinal * 2 + 1, ordinal * 2 + 2)
            entries.append(Entry(span, 2, text[:30], (), None, raw, f"\n{text}\n", (1,)))
            cut.append(Chunk(ordinal, ordinal, ordinal, span, text, WORDS_PER_ENTRY * 2))
        vectors = unit(generator.normal(size=(len(cut), DIMENSIONS)) + 0.5)
        path = f"folder{number % 50}/note{number}.md"
        with database.write() as connection:
            parsed = ParsedFile("markdown", f"Note {number}", tuple(entries))
            file_id = replace_file(connection, FileStat(path, 1, number, number, number), content_hash(path.encode()), parsed)
            store_chunks(connection, model, file_id, cut, 0.0)
            store_vectors(
                connection,
                model,
                ((chunk_hash(chunk.text), vector.tobytes()) for chunk, vector in zip(cut, vectors, strict=True)),
            )
    return model


def merge_words(database: Database) -> None:
    """Put the word index in order, as the indexer does when it has time."""
    begin = more = True
    while more:
        with database.write() as connection:
            more = merge(connection, begin=begin)
        begin = False


def unit(matrix: np.ndarray) -> np.ndarray:
    """Rows of length one, as float32."""
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype("<f4")


if __name__ == "__main__":
    sys.exit(main())
