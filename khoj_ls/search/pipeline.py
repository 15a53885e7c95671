"""A search from query to hits, in stages: read the query, scope it, ask the retrievers, fuse, tune, show.

Reads only, in one snapshot of the database; while words are looked up the model embeds the query. What is not ready - vectors,
a model - is left out and said so.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Vector
from khoj_ls.search.context import QueryVector, SearchContext, missing
from khoj_ls.search.dense import DenseMatch, EntryRef, match_meaning
from khoj_ls.search.fusion import Candidate, fuse, ordered, sign_for_sign, word_for_word
from khoj_ls.search.hits import build_hits, ranks
from khoj_ls.search.lexical import LexicalMatches, is_sentence, match_words
from khoj_ls.search.notes import WholeNotes, whole_notes
from khoj_ls.search.passage import Wanted, wanted_words
from khoj_ls.search.query import Query, occurs, parse
from khoj_ls.search.scope import Scope, scope_of
from khoj_ls.search.statistics import Statistics
from khoj_ls.search.stopwatch import Stopwatch
from khoj_ls.search.tuning import above_threshold, apart, capped
from khoj_ls.search.types import SearchHit, SearchRequest, SearchResult
from khoj_ls.search.words import any_of, flexible, literal, phrase, query_terms, words

__all__ = ["SearchContext", "search"]

_POOL = 60
"""How many candidates each retriever brings for a limit of up to a quarter of it; more for more."""
_POOL_PER_HIT = 4
_MOST_POOLED = 5000
"""Where hits are checked against their text and many fall, the pool grows up to this."""
_NOTES_READ = 60
"""For so many of the best candidates, or more for a higher limit, the vectors of their whole notes are read."""
_READ_FOR_SENTENCE = 20
"""How many of the best candidates are read for the query word for word, past markup that the word index sees."""


@dataclass(frozen=True)
class _Search:
    """One search while it runs."""

    connection: sqlite3.Connection
    context: SearchContext
    statistics: Statistics
    request: SearchRequest
    query: Query
    scope: Scope | None
    vector: Vector | None
    token: CancelToken | None

    def check(self) -> None:
        if self.token:
            self.token.raise_if_cancelled()


def search(context: SearchContext, request: SearchRequest, token: CancelToken | None = None) -> SearchResult:
    """Find passages. Raises UsageError, StoreError, Cancelled; a model that fails leaves the answer to the words."""
    clock = Stopwatch()
    query = parse(request.query)
    if not query.text:
        return SearchResult((), timings=clock.stop())
    by_meaning = request.mode != "lexical"
    pending = QueryVector(context, query.text) if by_meaning else None
    with context.database.read() as connection:
        statistics = context.statistics.of(connection, context.model)
        run = _Search(connection, context, statistics, request, query, scope_of(connection, query, request.paths), None, token)
        clock.lap("query")
        lexical = _by_words(run, pool := max(_POOL, _POOL_PER_HIT * request.limit))
        clock.lap("lexical")
        reason = missing(statistics.coverage)
        if pending:
            vector, problem = pending.wait(token)
            run = replace(run, vector=vector)
            reason = problem or reason
            clock.lap("embed")
        candidates = _fused(run, lexical, pool, clock)
        while query.exact and len(candidates) < request.limit and len(lexical.entries) >= pool < _MOST_POOLED:
            pool *= 5
            candidates = _fused(run, lexical := _by_words(run, pool), pool, clock)
        hits = _shown(run, lexical, candidates)
        clock.lap("show")
    degraded = by_meaning and reason is not None
    return SearchResult(hits, degraded, reason if degraded else None, statistics.coverage, clock.stop())


def _by_words(run: _Search, pool: int) -> LexicalMatches:
    run.check()
    if run.request.mode == "dense":
        return LexicalMatches()
    return match_words(
        run.connection, run.statistics, run.query.text, pool, scope=run.scope, prefix=run.request.prefix, token=run.token
    )


def _fused(run: _Search, lexical: LexicalMatches, pool: int, clock: Stopwatch) -> list[Candidate]:
    """Candidates of both retrievers that pass the query's phrases, best first."""
    run.check()
    dense: dict[EntryRef, DenseMatch] | None = None
    if run.vector is not None and run.context.model is not None and run.context.index is not None:
        dense = match_meaning(
            run.connection, run.context.model, run.context.index, run.vector, pool, scope=run.scope, by_words=lexical.entries
        )
        clock.lap("dense")
    run.check()
    entries = dict.fromkeys([*_refs(run.connection, lexical), *(dense or ())])
    candidates = _ranked(run, entries, lexical, dense)
    clock.lap("notes")
    candidates = apart(candidates)
    if run.query.exact:
        candidates = _holding(run, candidates)
    candidates = _with_sentence(run, candidates)
    clock.lap("fuse")
    return candidates


def _ranked(
    run: _Search, entries: Iterable[EntryRef], lexical: LexicalMatches, dense: Mapping[EntryRef, DenseMatch] | None
) -> list[Candidate]:
    """Candidates, best first. What their whole notes say is asked where it can still change what is shown."""
    mode = run.request.mode
    roughly = fuse(entries, lexical, dense, WholeNotes(), mode)
    near = max(_NOTES_READ, _POOL_PER_HIT * run.request.limit)
    refs = [candidate.entry for candidate in roughly[:near]]
    notes = whole_notes(run.connection, {entry.file_id for entry in refs}, run.context.model, run.context.index, run.vector)
    first = fuse(refs, lexical, dense, notes, mode)
    least = first[-1].score if first else 0.0
    return [*first, *(candidate._replace(score=min(least, candidate.score)) for candidate in roughly[near:])]


def _refs(connection: sqlite3.Connection, lexical: LexicalMatches) -> list[EntryRef]:
    """Entries found by words, and the first entry of each note that was found though none of its entries was."""
    ids = json.dumps([*lexical.entries, *lexical.exact])
    rows = connection.execute("SELECT id, file_id, ordinal FROM entry WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    found = [EntryRef(*row) for row in rows]
    notes = json.dumps(
        list((lexical.notes.keys() | lexical.names.keys()) - {entry.file_id for entry in found} | lexical.titled)
    )
    rows = connection.execute(
        "SELECT id, file_id, ordinal FROM entry WHERE ordinal = 0 AND file_id IN (SELECT value FROM json_each(?))", (notes,)
    )
    return [*found, *(EntryRef(*row) for row in rows)]


def _texts(connection: sqlite3.Connection, candidates: Iterable[Candidate]) -> dict[int, tuple[str, str]]:
    """Source and readable form of candidates, by entry id."""
    rows = connection.execute(
        "SELECT id, raw, text FROM entry WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps([candidate.entry.id for candidate in candidates]),),
    )
    return {entry: (raw, text) for entry, raw, text in rows}


def _holding(run: _Search, candidates: list[Candidate]) -> list[Candidate]:
    """Candidates that hold every required phrase and no excluded one, as typed."""
    texts = _texts(run.connection, candidates)

    def holds(candidate: Candidate, phrase: str) -> bool:
        return any(occurs(phrase, text) for text in texts.get(candidate.entry.id, ()))

    return [
        candidate
        for candidate in candidates
        if all(holds(candidate, required) for required in run.query.required)
        and not any(holds(candidate, excluded) for excluded in run.query.excluded)
    ]


def _with_sentence(run: _Search, candidates: list[Candidate]) -> list[Candidate]:
    """Candidates with those put first that hold the query word for word once markup is read past."""
    asked = words(run.query.text)
    if run.request.mode == "dense" or not is_sentence(asked):
        return candidates
    doubtful = [candidate for candidate in candidates if candidate.lexical and not candidate.exact][:_READ_FOR_SENTENCE]
    lowered = [word.lower() for word in asked]
    # The pattern is slow to make, and slow on text that does not hold the words at all.
    likely = [
        (entry, form)
        for entry, forms in _texts(run.connection, doubtful).items()
        for form in forms
        if all(word in folded for folded in (form.lower(),) for word in lowered)
    ]
    sentence = flexible(asked) if likely else None
    holding = {entry for entry, form in likely if sentence and sentence.search(form)}
    exact = [c._replace(score=word_for_word(c.score), exact=True) if c.entry.id in holding else c for c in candidates]
    return _with_signs(run, ordered(exact))


def _with_signs(run: _Search, candidates: list[Candidate]) -> list[Candidate]:
    """Of candidates that hold the query word for word, those first that hold it sign for sign: code has more than words."""
    text = run.request.query
    exact = [candidate for candidate in candidates if candidate.exact]
    if len(exact) < 2 or text.split() == words(text):
        return candidates
    as_typed = literal(text)
    texts = _texts(run.connection, exact[:_POOL])
    holding = {entry for entry, forms in texts.items() if any(as_typed.search(form) for form in forms)}
    if not holding:
        return candidates
    return ordered(c._replace(score=sign_for_sign(c.score, c.entry.id in holding)) if c.exact else c for c in candidates)


def _shown(run: _Search, lexical: LexicalMatches, candidates: list[Candidate]) -> tuple[SearchHit, ...]:
    """Hits of the candidates that the threshold, the cap per note and the limit leave."""
    run.check()
    ranked = above_threshold(candidates, run.request.tuning.score_threshold)
    taken = capped([candidate.entry.file_id for candidate in ranked], run.request.limit, run.request.tuning.max_per_file)
    shown = [ranked[index] for index in taken]
    asked = words(run.query.text) if any(candidate.exact for candidate in shown) else []
    return build_hits(
        run.connection,
        shown,
        ranks(candidates),
        _wanted(run.query, lexical, prefix=run.request.prefix),
        (literal(run.request.query), flexible(asked)) if asked else (),
    )


def _wanted(query: Query, lexical: LexicalMatches, *, prefix: bool) -> Wanted:
    """What to find in a hit: the query's words, its phrases, and all of it where it stands as it is."""
    in_order = query_terms(query.text)
    terms = dict.fromkeys(in_order, 1.0) | dict(lexical.terms)
    strings = [any_of(terms), *(phrase(required) for required in query.required)]
    if prefix and in_order:
        strings.append(phrase(in_order[-1], prefix=True))
    if is_sentence(words(query.text)):
        strings.append(phrase(query.text))
    return wanted_words(" OR ".join(string for string in strings if string), terms)
