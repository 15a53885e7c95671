"""The queries of a set, asked of the real search: one ranking of documents for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from khoj_ls.config.settings import Tuning
from khoj_ls.core.errors import ModelError, UsageError
from khoj_ls.core.jobs import Progress, ProgressCallback
from khoj_ls.evaluation.beir import RetrievalSet
from khoj_ls.evaluation.indexed import IndexedSet
from khoj_ls.evaluation.measures import DEPTH, Run
from khoj_ls.evaluation.vectors import VectorCache
from khoj_ls.query.parse import parse
from khoj_ls.search.pipeline import search
from khoj_ls.search.related import related
from khoj_ls.search.types import RelatedRequest, SearchRequest, SearchResult

Mode = Literal["lexical", "dense", "hybrid", "related"]

MODES: tuple[Mode, ...] = ("lexical", "dense", "hybrid", "related")
"""`related` asks what belongs with the note that a query is."""

Ranking = Callable[[str], tuple[list[str], float]]
"""Documents for a query's id, best first, and milliseconds."""


def ask_all(data: RetrievalSet, rank: Ranking, name: str, progress: ProgressCallback) -> Run:
    """The rankings of every query; the document that a query is leaves its own."""
    rankings, times = {}, []
    for number, query in enumerate(data.queries):
        progress(Progress("ask", number, len(data.queries), name))
        ranking, took = rank(query)
        own = query if query in data.own else None
        rankings[query] = [document for document in dict.fromkeys(ranking) if document != own][:DEPTH]
        times.append(took)
    return Run(rankings, times)


def embed_queries(data: RetrievalSet, vectors: VectorCache, progress: ProgressCallback) -> None:
    """Make the vectors that the searches will ask for, so that none of them waits for the model."""
    vectors.embed(list(dict.fromkeys(filter(None, map(_embedded, data.queries.values())))), "query", progress)


def searched(data: RetrievalSet, indexed: IndexedSet, mode: Mode, tuning: Tuning | None, refused: dict[str, str]) -> Ranking:
    """Rankings of the search in one mode, or of related notes.

    Without the numbers of a profile everything is kept that was found; with or without them each document is one place of the
    ranking, and nothing is reranked.

    Queries that the search does not take find nothing, and the reason is told in `refused`. They raise ModelError where the
    model does not answer: words alone would be measured in the name of meaning.
    """

    def by_search(query: str) -> SearchResult:
        request = SearchRequest(
            data.queries[query],
            DEPTH,
            mode,  # type: ignore[arg-type]  # `related` was asked elsewhere
            tuning or Tuning(score_threshold=0.0),
            max_per_file=1,
            rerank=False,
        )
        result = search(indexed.context, request)
        if result.degraded:
            raise ModelError(f"a search was answered without the model: {result.reason}")
        return result

    def rank(query: str) -> tuple[list[str], float]:
        try:
            result = (
                related(indexed.context, RelatedRequest(indexed.paths[query], limit=DEPTH))
                if mode == "related"
                else by_search(query)
            )
        except UsageError as error:
            refused[query] = str(error)
            return [], 0.0
        return [indexed.ids[hit.path] for hit in result.hits], result.timings["total"]

    return rank


def _embedded(text: str) -> str:
    """What the search embeds of a query; nothing of one that it does not take."""
    try:
        return parse(text).text
    except UsageError:
        return ""
