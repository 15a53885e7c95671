"""Search latency and memory over a made-up index of many chunks, without the encoder (see benchmarks.encoder for its share).

    python -m benchmarks.latency [--chunks 10000 100000] [--queries 200] [--seed 1]

*While embedding* is the same search with its query embedded by the real encoder, which works on a backlog whose vectors are
stored meanwhile; beside it, in turns, stands that search with nothing to embed.

Words follow Zipf's law over 50,000 words, so that queries meet frequent and rare ones; vectors lie as those of real notes do
(`benchmarks.made_up`; `benchmarks.neighbours` has harder ones).
Every query goes through the real pipeline: words, vectors, fusion, passages. Under *filtered* each query carries one of the
filters of FILTERS, narrow and wide ones, single and combined; *new filter* are those of them whose filter was not asked before.
Each size runs in a process of its own, whose memory is what the daemon would hold.
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
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.made_up import MadeUpPlaces
from khoj_ls.config.paths import folders
from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.types import Chunk, Entry, EntryDate, Link, ParsedFile, Span
from khoj_ls.daemon.launch import daemon_environment
from khoj_ls.daemon.run import collect_seldom
from khoj_ls.embed.service import EncoderService
from khoj_ls.evaluation.speed.rows import Row, lines, p95, row
from khoj_ls.indexing.storing import NAMING
from khoj_ls.search.chunk_cache import ChunkCache
from khoj_ls.search.context import SearchContext
from khoj_ls.search.filters.cache import ScopeCache
from khoj_ls.search.matching import WordFinder
from khoj_ls.search.pipeline import search
from khoj_ls.search.related import related
from khoj_ls.search.statistics import StatisticsCache
from khoj_ls.search.types import RelatedRequest, SearchRequest
from khoj_ls.search.word_states import WordStates
from khoj_ls.store.chunks import ActiveModel, chunk_hash, store_chunks, store_vectors, use_model
from khoj_ls.store.database import Database, set_meta
from khoj_ls.store.files import FileStat, content_hash, replace_file
from khoj_ls.store.fts import merge
from khoj_ls.store.vectors import VectorIndex

DIMENSIONS = 384
ENTRIES_PER_NOTE = 10
WORDS_PER_ENTRY = 90
SIZES = (10_000, 100_000)
_BATCH = 64
_BLOCK = 50
_SETTLE_SECONDS = 1.0
FILTERS = (
    "tag:t3",
    "tag:t11",
    "-tag:t1",
    "tag:t1 tag:t2",
    "todo:TODO",
    "-todo:*",
    "priority:A",
    'dt>="2024-06-01"',
    'dt:"2024-03"',
    'dt>="2023-01-01" dt<"2024-01-01"',
    "prop:owner=ann",
    "prop:owner",
    "-prop:owner",
    "type:org",
    "type:markdown",
    "file:note1*.md",
    "file:note77.md",
    "path:folder7/",
    "-path:folder3",
    "title:note",
    'title:"Note 5"',
    "heading:ba",
    "heading:w1",
    "linksto:note7",
    'linksto:"Note 12"',
    "todo:TODO tag:t3",
    'type:org dt>="2024-01-01" -tag:t1',
    "path:folder7/ todo:WAITING",
    'prop:owner=bob dt<"2024-01-01"',
    "heading:fi -todo:DONE",
)


def main() -> int:
    """Measure every size in a process of its own; prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=SIZES)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(measure(options.chunks[0], options.queries, options.seed)))
        return 0
    for size in options.chunks:
        print("\n".join(lines(rows(size, options.queries, options.seed))))
    return 0


def rows(chunks: int, queries: int = 200, seed: int = 1) -> Iterator[Row]:
    """The rows of one size, measured in a process that is set up as the daemon."""
    command = [sys.executable, "-m", "benchmarks.latency", "--one", "--chunks", str(chunks)]
    command += ["--queries", str(queries), "--seed", str(seed)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=daemon_environment(os.environ))
    found = json.loads(done.stdout)
    size = f"{chunks:,} passages"
    for name, kind in (("search", "hybrid"), ("search with a filter", "filtered")):
        yield row(f"{name}, {size}, p50", found[f"{kind}_p50"], unit="ms")
        yield row(f"{name}, {size}, p95", found[f"{kind}_p95"], unit="ms")
    note = "with the query's own vector, which the other rows leave out"
    yield row(f"search while embedding, {size}, p95", found["beside_p95"], found["alone_p95"], unit="ms", note=note)
    yield row(f"search by words, {size}, p95", found["lexical_p95"], unit="ms")
    yield row(f"search by meaning, {size}, p95", found["dense_p95"], unit="ms")
    yield row(f"related notes, {size}, p95", found["related_p95"], unit="ms")
    yield row(f"memory with {size} open", found["rss_mb"], unit="MB")
    yield row(f"database, {size}", found["database_mb"], unit="MB")
    yield row(f"vector index, {size}", found["index_mb"], unit="MB")


def measure(chunks: int, queries: int, seed: int) -> dict[str, float]:
    """Build an index of `chunks` chunks and search it; milliseconds and megabytes."""
    numbers = random.Random(seed)
    vocabulary = [f"{numbers.choice('bcdfglmnprst')}{numbers.choice('aeiou')}w{i:x}" for i in range(50_000)]
    weights = [1.0 / (rank + 3) for rank in range(len(vocabulary))]
    places = MadeUpPlaces(np.random.default_rng(seed), DIMENSIONS)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "index.db")
        model = fill(database, chunks, numbers, vocabulary, weights, places)
        merge_words(database)
        index = VectorIndex(database, model, Path(folder) / "v.hnsw", exact_below=30_000)
        index.catch_up()
        result: dict[str, float] = {"chunks": chunks}
        shared, finder, scopes, chunks = StatisticsCache(), WordFinder(), ScopeCache(), ChunkCache()
        words = WordStates(Path(folder) / "words.postings")
        words.renew(database)
        chunks.fill(database, model, lambda: False)  # as an open vault does with its first search
        collect_seldom()  # as the daemon
        asked = [" ".join(numbers.choices(vocabulary, weights, k=numbers.randint(2, 9))) for _ in range(queries)]
        vectors = places.of_queries(queries)
        filters = ["", *([*FILTERS] * queries)[: queries - 1]]  # the first finds out which entries are whose
        filtered = [f"{query} {narrowed}".strip() for query, narrowed in zip(asked, filters, strict=True)]
        for name, mode, texts in (
            ("hybrid", "hybrid", asked),
            ("lexical", "lexical", asked),
            ("dense", "dense", asked),
            ("filtered", "hybrid", filtered),
        ):
            times = []
            for text, vector in zip(texts, vectors, strict=True):
                context = SearchContext(
                    database,
                    model,
                    index,
                    lambda _, vector=vector: vector.tobytes(),
                    statistics=shared,
                    finder=finder,
                    scopes=scopes,
                    chunks=chunks,
                    words=words,
                )
                begun = time.perf_counter()
                search(context, SearchRequest(text, mode=mode))  # type: ignore[arg-type]  # of the three above
                times.append((time.perf_counter() - begun) * 1000)
            measured = {name: times, "new_filter": times[1 : len(FILTERS) + 1]} if name == "filtered" else {name: times}
            for each, milliseconds in measured.items():
                result[f"{each}_p50"] = statistics.median(milliseconds)
                result[f"{each}_p95"] = statistics.quantiles(milliseconds, n=20)[-1]
        times = []
        for number in range(queries):
            request = RelatedRequest(path=f"folder{number % 50}/note{number}.md")
            begun = time.perf_counter()
            related(context, request)
            times.append((time.perf_counter() - begun) * 1000)
        result["related_p95"] = p95(times)
        index.save()
        result["rss_mb"] = psutil.Process().memory_info().rss / 1e6
        result["database_mb"] = database.size_bytes() / 1e6
        result["index_mb"] = sum(path.stat().st_size for path in Path(folder).glob("v.hnsw*")) / 1e6
        result |= measure_beside(database, model, index, asked, weights, vocabulary, numbers)
        database.close()
    return result


def measure_beside(
    database: Database,
    model: ActiveModel,
    index: VectorIndex,
    asked: list[str],
    weights: list[float],
    vocabulary: list[str],
    numbers: random.Random,
) -> dict[str, float]:
    """p95 of searches whose query the real encoder embeds: alone, and beside a backlog that it embeds and that is stored."""
    service = EncoderService(EmbeddingSettings(), folders().models)
    service.prepare()
    working, over = threading.Event(), threading.Event()

    def backlog() -> None:
        while not over.is_set():
            if not working.wait(0.1):
                continue
            texts = [" ".join(numbers.choices(vocabulary, weights, k=WORDS_PER_ENTRY)) for _ in range(_BATCH)]
            vectors = service.embed_documents(texts)
            with database.write() as connection:
                store_vectors(connection, model, zip(map(chunk_hash, texts), vectors, strict=True))

    thread = threading.Thread(target=backlog)
    thread.start()
    caches = {
        "statistics": StatisticsCache(),
        "finder": WordFinder(),
        "scopes": ScopeCache(),
        "chunks": ChunkCache(),
        "words": WordStates(database.path.with_name("words.postings")),
    }
    times: dict[str, list[float]] = {"alone": [], "beside": []}
    context = SearchContext(database, model, index, service.embed_query, **caches)  # type: ignore[arg-type]  # by their names
    try:
        context.words.renew(database)
        search(context, SearchRequest("the first query"))
        for start in range(0, len(asked), _BLOCK):
            for name in times:
                (working.set if name == "beside" else working.clear)()
                time.sleep(_SETTLE_SECONDS)  # what was handed out before is through
                for text in asked[start : start + _BLOCK]:
                    begun = time.perf_counter()
                    search(context, SearchRequest(f"{text} {name}"))
                    times[name].append((time.perf_counter() - begun) * 1000)
    finally:
        over.set()
        working.set()
        thread.join()
        service.close()
    return {f"{name}_p95": p95(found) for name, found in times.items()}


def fill(
    database: Database,
    chunks: int,
    numbers: random.Random,
    vocabulary: list[str],
    weights: list[float],
    places: MadeUpPlaces,
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
            entries.append(Entry(span, 2, text[:30], (), None, raw, f"\n{text}\n", (1,), **facets(numbers)))
            cut.append(Chunk(ordinal, ordinal, ordinal, span, text, WORDS_PER_ENTRY * 2))
        vectors = places.of_note(len(cut))
        path = f"folder{number % 50}/note{number}.md"
        with database.write() as connection:
            parsed = ParsedFile(numbers.choice(("markdown", "markdown", "org")), f"Note {number}", tuple(entries))
            stat = FileStat(path, 1, number, number, number)
            file_id = replace_file(connection, stat, content_hash(path.encode()), parsed, naming=NAMING)
            store_chunks(connection, model, file_id, cut, 0.0)
            store_vectors(
                connection,
                model,
                ((chunk_hash(chunk.text), vector.tobytes()) for chunk, vector in zip(cut, vectors, strict=True)),
            )
    return model


def facets(numbers: random.Random) -> dict[str, Any]:
    """What filters ask for: a tag of Zipf's law over 20, and now and then a state, a property, a day of two years, a link."""
    day = date(2023, 1, 1) + timedelta(numbers.randrange(730))
    target = f"note{numbers.randrange(40)}"
    span = Span(0, 1, 1, 1)
    return {
        "tags": (f"t{min(20, int(1 / (numbers.random() + 0.05)))}",) if numbers.random() < 0.4 else (),
        "todo": numbers.choice(("TODO", "TODO", "WAITING", "DONE")) if numbers.random() < 0.2 else None,
        "priority": "A" if numbers.random() < 0.02 else None,
        "properties": (("owner", numbers.choice(("ann", "bob", "cyd"))),) if numbers.random() < 0.1 else (),
        "dates": (EntryDate("content", day.isoformat()),) if numbers.random() < 0.3 else (),
        "links": (Link("wikilink", target, None, span),) if numbers.random() < 0.2 else (),
    }


def merge_words(database: Database) -> None:
    """Put the word index in order, as the indexer does when it has time."""
    begin = more = True
    while more:
        with database.write() as connection:
            more = merge(connection, begin=begin)
        begin = False


if __name__ == "__main__":
    sys.exit(main())
