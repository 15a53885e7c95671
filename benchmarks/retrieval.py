"""Retrieval quality: nDCG@10, recall@100 and MRR@10 per mode, beside baselines computed in the same run.

    python -m benchmarks.retrieval --sets DIR... [--cache DIR] [--names opaque|id] [--queries N] [--modes ...]

Each set is a folder in BEIR layout: corpus.jsonl {_id, title, text}, queries.jsonl {_id, text}, qrels.tsv with a header.
Every document becomes a Markdown note that is parsed, chunked, embedded and indexed as in a vault; then each query goes
through the real search. Where a query is itself a document that is not its own answer (note-linking sets), that note is left
out of every ranking, and the mode `related` asks for its related notes. Vectors are kept in the cache folder by model and text.

Baselines: FTS5 with the porter stemmer over whole documents, all words of the query OR-ed; the embedding model on whole
documents (cut at its limit), exact cosine; reciprocal rank fusion of the two.
"""

from __future__ import annotations

import argparse
import json
import math
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, quantiles

import numpy as np

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.content.chunk import chunk_file, chunker_id
from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.protocols import Tokenizer
from khoj_ls.core.text import spaced
from khoj_ls.core.types import Vector
from khoj_ls.embed.service import EncoderService
from khoj_ls.search.context import SearchContext
from khoj_ls.search.fusion import reciprocal_ranks
from khoj_ls.search.pipeline import search
from khoj_ls.search.related import related
from khoj_ls.search.types import RelatedRequest, SearchRequest
from khoj_ls.search.words import words
from khoj_ls.store.chunks import chunk_hash, store_chunks, store_vectors, use_model
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, replace_file
from khoj_ls.store.vectors import VectorIndex

DEPTH = 100


@dataclass(frozen=True)
class RetrievalSet:
    """One set in BEIR layout."""

    name: str
    documents: dict[str, tuple[str, str]]
    """(title, text) by id."""
    queries: dict[str, str]
    relevant: dict[str, dict[str, int]]

    def itself(self, query: str) -> str | None:
        """The document that the query is, when it is one and not its own answer."""
        return query if query in self.documents and query not in self.relevant[query] else None


class VectorCache:
    """Vectors by model and text, on disk."""

    def __init__(self, path: Path, encoder: EncoderService) -> None:
        """Open or make the cache at `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._encoder = encoder
        # A search asks for its query's vector on a thread of its own, one at a time.
        self._db = sqlite3.connect(path, timeout=600, check_same_thread=False)
        self._db.execute("CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, vector BLOB)")

    def embed(self, texts: Sequence[str], kind: str = "document") -> list[Vector]:
        """Vectors of `texts`; those not known yet are made, and kept."""
        keys = [chunk_hash(f"{self._encoder.id}\0{kind}\0{text}") for text in texts]
        known: dict[bytes, Vector] = {}
        for start in range(0, len(keys), 500):
            marks = ", ".join("?" * len(keys[start : start + 500]))
            known.update(self._db.execute(f"SELECT key, vector FROM vector WHERE key IN ({marks})", keys[start : start + 500]))
        missing = sorted(
            {key: text for key, text in zip(keys, texts, strict=True) if key not in known}.items(), key=lambda m: len(m[1])
        )
        for start in range(0, len(missing), 256):
            part = missing[start : start + 256]
            print(f"\rembedding {start}/{len(missing)}", end="", file=sys.stderr)
            made = (
                self._encoder.embed_documents([text for _, text in part])
                if kind == "document"
                else [self._encoder.embed_query(text) for _, text in part]
            )
            rows = list(zip((key for key, _ in part), made, strict=True))
            known.update(rows)
            with self._db:
                self._db.executemany("INSERT OR IGNORE INTO vector VALUES (?, ?)", rows)
        return [known[key] for key in keys]


def load(folder: Path, most_queries: int | None) -> RetrievalSet:
    """Read a set; with `most_queries` an even sample of its queries."""
    documents = {row["_id"]: (row.get("title") or "", row["text"]) for row in _jsonl(folder / "corpus.jsonl")}
    relevant: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, score = line.split("\t")
        if int(score) > 0:
            relevant.setdefault(query, {})[document] = int(score)
    queries = {row["_id"]: row["text"] for row in _jsonl(folder / "queries.jsonl") if row["_id"] in relevant}
    if most_queries and len(queries) > most_queries:
        step = len(queries) / most_queries
        queries = {query: queries[query] for query in (list(queries)[int(i * step)] for i in range(most_queries))}
    return RetrievalSet(folder.name, documents, queries, relevant)


def _jsonl(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def note(title: str, text: str) -> bytes:
    """A document as a Markdown note; the title goes where notes have it, into the front matter."""
    head = f"---\ntitle: {json.dumps(title)}\n---\n\n" if title else ""
    return f"{head}{text}\n".encode()


def index(
    data: RetrievalSet, vectors: VectorCache, encoder: EncoderService, path: Path, names: str
) -> tuple[SearchContext, dict[str, str]]:
    """A database of the set's documents, all embedded; and their ids by path."""
    registry = default_registry(third_party=False)
    tokenizer: Tokenizer = encoder.tokenizer()
    database = Database(path)
    ids: dict[str, str] = {}
    texts: dict[bytes, str] = {}
    with database.write() as connection:
        model = use_model(connection, encoder.id, "benchmark", encoder.dimensions, chunker_id(tokenizer))
        for number, (document, (title, text)) in enumerate(data.documents.items()):
            name = f"{number:06}.md" if names == "opaque" else f"{document.replace('/', '.')}.md"
            ids[name] = document
            parsed = parse_file(registry, source := note(title, text), name)
            file_id = replace_file(connection, FileStat(name, len(source), 1, 1, number), content_hash(source), parsed)
            chunks = chunk_file(parsed.title, parsed.entries, tokenizer)
            store_chunks(connection, model, file_id, chunks, 0.0)
            texts.update((chunk_hash(chunk.text), chunk.text) for chunk in chunks)
    made = vectors.embed(list(texts.values()))
    with database.write() as connection:
        store_vectors(connection, model, zip(texts, made, strict=True))
    print(f"\n{data.name}: {len(ids)} documents, {len(texts)} chunks, {len(data.queries)} queries")
    return SearchContext(
        database, model, VectorIndex(database, model, path.with_suffix(".hnsw"), exact_below=30_000), None
    ), ids


def run_search(data: RetrievalSet, context: SearchContext, ids: dict[str, str], mode: str, vectors: dict[str, Vector]) -> Run:
    """Rankings of the real search in one mode."""

    def ask(query: str) -> tuple[list[str], float]:
        ready = SearchContext(context.database, context.model, context.index, lambda _: vectors[query])
        if mode == "related":
            result = related(ready, RelatedRequest(next(path for path, id_ in ids.items() if id_ == query), limit=DEPTH))
        else:
            result = search(ready, SearchRequest(data.queries[query], DEPTH, mode, max_per_file=1))  # type: ignore[arg-type]
        return list(dict.fromkeys(ids[hit.path] for hit in result.hits)), result.timings["total"]

    return Run.of(data, ask)


@dataclass(frozen=True)
class Run:
    """Rankings by query, and how long they took."""

    rankings: dict[str, list[str]]
    milliseconds: list[float]

    @staticmethod
    def of(data: RetrievalSet, ask: Callable[[str], tuple[list[str], float]]) -> Run:
        """Ask every query; the document that a query is leaves its own ranking."""
        rankings, times = {}, []
        for query in data.queries:
            ranking, took = ask(query)
            rankings[query] = [document for document in ranking if document != data.itself(query)][:DEPTH]
            times.append(took)
        return Run(rankings, times)


def baselines(data: RetrievalSet, vectors: VectorCache, asked: dict[str, Vector]) -> dict[str, Run]:
    """What plain FTS5, the plain model, and plain rank fusion make of the same set."""
    ids = list(data.documents)
    fts = sqlite3.connect(":memory:")
    fts.execute("CREATE VIRTUAL TABLE t USING fts5(title, body, tokenize = 'porter unicode61')")
    fts.executemany(
        "INSERT INTO t (rowid, title, body) VALUES (?, ?, ?)", ((i, *map(spaced, data.documents[d])) for i, d in enumerate(ids))
    )
    matrix = np.frombuffer(b"".join(vectors.embed([f"{title}\n{text}" for title, text in data.documents.values()])), np.float32)
    matrix = matrix.reshape(len(ids), -1)

    def lexical(query: str) -> tuple[list[str], float]:
        expression = " OR ".join(f'"{word}"' for word in dict.fromkeys(words(spaced(data.queries[query].lower()))))
        rows = (
            fts.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank LIMIT ?", (expression, DEPTH + 1))
            if expression
            else ()
        )
        return [ids[row[0]] for row in rows], 0.0

    def dense(query: str) -> tuple[list[str], float]:
        scores = matrix @ np.frombuffer(asked[query], np.float32)
        return [ids[i] for i in np.argsort(-scores, kind="stable")[: DEPTH + 1]], 0.0

    words_alone, meaning_alone = Run.of(data, lexical), Run.of(data, dense)

    def fused(query: str) -> tuple[list[str], float]:
        scores = reciprocal_ranks([words_alone.rankings[query], meaning_alone.rankings[query]])
        return sorted(scores, key=lambda document: -scores[document]), 0.0

    return {"baseline fts5": words_alone, "baseline model": meaning_alone, "baseline rrf": Run.of(data, fused)}


def ndcg(ranking: Sequence[str], relevant: dict[str, int], k: int = 10) -> float:
    """Normalised discounted cumulative gain at `k` (Järvelin & Kekäläinen 2002)."""
    gain = sum(relevant.get(document, 0) / math.log2(rank + 1) for rank, document in enumerate(ranking[:k], 1))
    best = sum(score / math.log2(rank + 1) for rank, score in enumerate(sorted(relevant.values(), reverse=True)[:k], 1))
    return gain / best


def report(data: RetrievalSet, name: str, run: Run) -> None:
    """One line of the table."""
    judged = [(run.rankings[query], data.relevant[query]) for query in data.queries]
    recall = fmean(len(set(ranking[:100]) & set(relevant)) / len(relevant) for ranking, relevant in judged)
    rr = fmean(next((1 / rank for rank, d in enumerate(ranking[:10], 1) if d in relevant), 0.0) for ranking, relevant in judged)
    line = f"{data.name:<18}{name:<16}{fmean(ndcg(*pair) for pair in judged):.3f} / {recall:.3f} / {rr:.3f}"
    if any(run.milliseconds):
        cuts = quantiles(run.milliseconds, n=20)
        line += f"   p50 {cuts[9]:.1f} ms  p95 {cuts[18]:.1f} ms"
    print(line, flush=True)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=Path, nargs="+", required=True)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "khoj-ls-bench")
    parser.add_argument("--names", choices=("opaque", "id"), default="opaque", help="what the notes' files are called")
    parser.add_argument("--queries", type=int, help="ask at most this many of each set's queries")
    parser.add_argument("--modes", nargs="+", default=("lexical", "dense", "hybrid", "related"))
    parser.add_argument("--no-baselines", action="store_true")
    options = parser.parse_args()
    encoder = EncoderService(EmbeddingSettings(), options.cache / "models")
    try:
        encoder.prepare()
        vectors = VectorCache(options.cache / "vectors.db", encoder)
        for folder in options.sets:
            data = load(folder, options.queries)
            asked = dict(zip(data.queries, vectors.embed(list(data.queries.values()), "query"), strict=True))
            with tempfile.TemporaryDirectory() as scratch:
                started = time.perf_counter()
                context, ids = index(data, vectors, encoder, Path(scratch) / "index.db", options.names)
                print(f"indexed in {time.perf_counter() - started:.1f} s; nDCG@10 / recall@100 / MRR@10")
                if not options.no_baselines:
                    for name, run in baselines(data, vectors, asked).items():
                        report(data, name, run)
                for mode in options.modes:
                    if mode != "related" or all(data.itself(query) for query in data.queries):
                        report(data, mode, run_search(data, context, ids, mode, asked))
                context.database.close()
    finally:
        encoder.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
