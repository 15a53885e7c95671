"""What plain means make of the same set, to compare the search with.

`fts5`: SQLite's FTS5 with the porter stemmer over whole documents, all words of the query OR-ed. `model`: the embedding model
on whole documents, cut at its limit, exact cosine. `rrf`: reciprocal rank fusion of the two (Cormack, Clarke & Büttcher 2009).
`own rrf`: the same of the search's own lexical and dense modes.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from khoj_ls.core.jobs import ProgressCallback
from khoj_ls.core.text import spaced
from khoj_ls.evaluation.asking import Ranking, ask_all
from khoj_ls.evaluation.beir import RetrievalSet, read_documents
from khoj_ls.evaluation.measures import DEPTH, Run
from khoj_ls.evaluation.vectors import VectorCache
from khoj_ls.search.fusion import reciprocal_ranks
from khoj_ls.search.words import words

_AT_ONCE = 4096
_FETCHED = DEPTH + 1
"""One more than is looked at: the document that a query is leaves its ranking."""


def baselines(data: RetrievalSet, vectors: VectorCache, folder: Path, progress: ProgressCallback) -> dict[str, Run]:
    """Runs by baseline, with an FTS5 table of their own in `folder`. Raises ModelError."""
    with closing(sqlite3.connect(folder / "baseline.db")) as table:
        ids = _fill(table, data)
        by_words = ask_all(data, _fts5(table, ids, data), "baseline fts5", progress)
    by_meaning = ask_all(data, _model(ids, data, vectors, progress), "baseline model", progress)

    return {"fts5": by_words, "model": by_meaning, "rrf": fused(by_words, by_meaning)}


def fused(first: Run, second: Run) -> Run:
    """Two runs over the same queries, put together by reciprocal ranks. No times: both had to be asked."""
    rankings = {}
    for query, ranking in first.rankings.items():
        scores = reciprocal_ranks([ranking, second.rankings[query]])
        rankings[query] = sorted(scores, key=lambda document: -scores[document])[:DEPTH]
    return Run(rankings)


def _fill(table: sqlite3.Connection, data: RetrievalSet) -> list[str]:
    """Write the documents into the table; returns their ids by row."""
    table.execute("PRAGMA journal_mode = OFF")
    table.execute("CREATE VIRTUAL TABLE t USING fts5(title, body, tokenize = 'porter unicode61')")
    ids: list[str] = []
    for document in read_documents(data.folder):
        row = (len(ids), spaced(document.title), spaced(document.text))
        table.execute("INSERT INTO t (rowid, title, body) VALUES (?, ?, ?)", row)
        ids.append(document.id)
    return ids


def _fts5(table: sqlite3.Connection, ids: list[str], data: RetrievalSet) -> Ranking:
    def rank(query: str) -> tuple[list[str], float]:
        started = time.perf_counter()
        expression = " OR ".join(f'"{word}"' for word in dict.fromkeys(words(spaced(data.queries[query].lower()))))
        if not expression:
            return [], 0.0
        rows = table.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank LIMIT ?", (expression, _FETCHED))
        return [ids[row] for (row,) in rows], _since(started)

    return rank


def _model(ids: list[str], data: RetrievalSet, vectors: VectorCache, progress: ProgressCallback) -> Ranking:
    import numpy as np

    parts: list[np.ndarray[Any, Any]] = []
    texts = (f"{document.title}\n{document.text}" for document in read_documents(data.folder))
    while some := list(islice(texts, _AT_ONCE)):
        made = vectors.embed(some, progress=progress, done=len(parts) * _AT_ONCE, total=len(ids))
        parts.append(np.frombuffer(b"".join(made), np.float32).reshape(len(some), -1))
    matrix = np.concatenate(parts)
    asked = dict(zip(data.queries, vectors.embed(list(data.queries.values()), "query", progress), strict=True))

    def rank(query: str) -> tuple[list[str], float]:
        started = time.perf_counter()
        scores = matrix @ np.frombuffer(asked[query], np.float32)
        return [ids[row] for row in np.argsort(-scores, kind="stable")[:_FETCHED]], _since(started)

    return rank


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
