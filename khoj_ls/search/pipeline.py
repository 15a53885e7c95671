"""A search from query to hits, in stages: read the query, scope it, ask the retrievers, fuse, rerank, tune, show.

Reads only, in one snapshot of the database; while words are looked up the model embeds the query. What is not ready - vectors,
a model - is left out and said so.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from functools import partial

from khoj_ls.core.jobs import CancelToken
from khoj_ls.links.conventions import PLAIN
from khoj_ls.query.parse import parse
from khoj_ls.query.types import Query
from khoj_ls.search.candidates import Fused, Run, find_by_words, fused
from khoj_ls.search.context import QueryVector, SearchContext, missing
from khoj_ls.search.dense import EntryRef
from khoj_ls.search.explain import explained, fusion_sources, fusion_steps, rerank_steps
from khoj_ls.search.facts import read_facts
from khoj_ls.search.filters.listing import listed
from khoj_ls.search.fusion import Candidate
from khoj_ls.search.hits import build_hits, ranks
from khoj_ls.search.lexical import LexicalMatches, is_sentence
from khoj_ls.search.passage import Wanted, wanted_words
from khoj_ls.search.rerank import Reranked, passage_texts, rerank
from khoj_ls.search.scope import Scope, scope_of
from khoj_ls.search.stopwatch import Stopwatch
from khoj_ls.search.tuning import apart, pool_size, tune
from khoj_ls.search.types import SearchHit, SearchRequest, SearchResult
from khoj_ls.search.verbatim import holding, sentence_first, sentence_patterns
from khoj_ls.search.words import any_of, phrase, query_terms, words

__all__ = ["SearchContext", "search"]

_POOL_PER_HIT = 4
_MOST_POOLED = 5000
"""Where hits are checked against their text and many fall, the pool grows up to this."""


def search(context: SearchContext, request: SearchRequest, token: CancelToken | None = None) -> SearchResult:
    """Find passages. Raises UsageError, StoreError, Cancelled; a model that fails leaves the answer to the words."""
    clock = Stopwatch()
    query = parse(request.query)
    if not query.text:
        return SearchResult(_listed(context, request, query, token), timings=clock.stop())
    by_meaning = request.mode != "lexical"
    pending = QueryVector(context, query.text, passage=request.as_passage) if by_meaning else None
    with context.database.read() as connection:
        statistics = context.statistics.of(connection, context.model)
        scope = _scope(context, connection, query, request)
        run = Run(connection, context, statistics, request, query, scope, None, token, pending.ahead if pending else None)
        clock.lap("query")
        pool = pool_size(request.tuning, request.limit)
        found = find_by_words(run, pool, compared=by_meaning)
        wanted = _wanted(context, query, found.lexical, prefix=request.prefix)
        clock.lap("lexical")
        reason = missing(statistics.coverage) if by_meaning else None
        if pending:
            vector, problem = pending.wait(token)
            run = replace(run, vector=vector)
            reason = problem or reason
            clock.lap("embed")
        every = fused(run, found, pool, clock)
        candidates = _checked(run, every)
        while query.exact and len(candidates) < request.limit and len(every.lexical.entries) >= pool < _MOST_POOLED:
            pool *= 5
            every = fused(run, find_by_words(run, pool, compared=by_meaning), pool, clock)
            candidates = _checked(run, every)
        clock.lap("fuse")
        reranked = _reranked(run, every, candidates)
        clock.lap("rerank")
        hits = _shown(run, every, candidates, reranked, wanted)
        clock.lap("show")
    # A profile asks for a reranker where there is one; only who asks himself misses it.
    reasons = [each for each in (reason, reranked.reason if request.rerank else None) if each]
    respelled = every.lexical.respelled
    return SearchResult(hits, bool(reasons), "; ".join(reasons) or None, statistics.coverage, clock.stop(), respelled)


def _scope(context: SearchContext, connection: sqlite3.Connection, query: Query, request: SearchRequest) -> Scope | None:
    """The notes and entries that the filters leave; None: all."""
    conventions = context.conventions() if query.filters else PLAIN
    return scope_of(connection, query, request.paths, context.scopes, conventions)


def _listed(context: SearchContext, request: SearchRequest, query: Query, token: CancelToken | None) -> tuple[SearchHit, ...]:
    """What filters alone let through, the newest notes first; nothing when nothing is asked."""
    with context.database.read() as connection:
        scope = _scope(context, connection, query, request) if query.filters else None
        if scope is None:
            return ()
        count = request.limit if not query.exact else _POOL_PER_HIT * request.limit
        rows = listed(connection, scope.rows, scope.notes, count, request.tuning.max_per_file)
        candidates = [Candidate(EntryRef(*row), 0.0, 0.0, None) for row in rows]
        kept = holding(connection, query, candidates) if query.exact else candidates
        return build_hits(connection, kept[: request.limit], ranks(()), _wanted(context, query, LexicalMatches(), prefix=False))


def _checked(run: Run, every: Fused) -> list[Candidate]:
    """Candidates of which no two show the same lines, with the query's phrases, and those first that hold all of it."""
    run.check()
    candidates = apart(every.candidates)
    if run.query.exact:
        candidates = holding(run.connection, run.query, candidates)
    if run.request.mode == "dense":
        return candidates
    return sentence_first(run.connection, run.query.text, _typed(run), candidates)


def _reranked(run: Run, every: Fused, candidates: list[Candidate]) -> Reranked:
    """The candidates as a cross-encoder orders them, where that is wanted; never for a query that is still being typed."""
    context, request = run.context, run.request
    if not request.wants_rerank or request.prefix:
        return Reranked(candidates)
    head = candidates[: max(context.rerank_candidates, request.limit)]
    texts = passage_texts(run.connection, head, every.lexical.terms.keys())
    return rerank(run.query.text, candidates, texts, context.reranker, run.token, context.rerank_timeout)


def _shown(run: Run, every: Fused, candidates: list[Candidate], reranked: Reranked, wanted: Wanted) -> tuple[SearchHit, ...]:
    """Hits of the candidates that the tuning leaves."""
    run.check()
    request, connection = run.request, run.connection
    read = partial(read_facts, connection, run.context.model, tuning=request.tuning, now=time.time())
    tuned = tune(reranked.candidates, request.tuning, request.limit, read, explain=request.explain)
    hits = build_hits(
        connection,
        tuned.candidates,
        ranks(candidates),
        wanted,
        sentence_patterns(run.query.text, _typed(run), tuned.candidates),
        reranked.sources,
    )
    if not request.explain:
        return hits
    steps = [fusion_steps(every, candidates, request), rerank_steps(candidates, reranked), tuned.steps]
    return explained(request, hits, candidates, steps, fusion_sources(every), embedded=run.vector is not None)


def _typed(run: Run) -> str:
    """The query sign for sign, without filters."""
    return run.query.text if run.query.filters else run.request.query


def _wanted(context: SearchContext, query: Query, lexical: LexicalMatches, *, prefix: bool) -> Wanted:
    """What to find in a hit: the query's words, its phrases, and all of it where it stands as it is."""
    in_order = query_terms(query.text)
    terms = dict.fromkeys(in_order, 1.0) | dict(lexical.terms)
    strings = [any_of(terms), *(phrase(required) for required in query.required)]
    if prefix and in_order:
        strings.append(phrase(in_order[-1], prefix=True))
    if is_sentence(words(query.text)):
        strings.append(phrase(query.text))
    return wanted_words(" OR ".join(string for string in strings if string), terms, context.finder)
