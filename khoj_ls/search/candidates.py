"""What may become a hit: entries found by words and by meaning, each read together with its note, best first.

What can be looked up before the query's vector is there is looked up while the model makes it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from heapq import nlargest

from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Vector
from khoj_ls.query.types import Query
from khoj_ls.search.ahead import NearestAhead
from khoj_ls.search.context import SearchContext
from khoj_ls.search.dense import NOTHING, DenseMatch, EntryRef, Standing, match_meaning, neighbours, standing_for
from khoj_ls.search.filters.rows import IN_MASK
from khoj_ls.search.fusion import Candidate, fuse
from khoj_ls.search.lexical import LexicalMatches, match_words
from khoj_ls.search.notes import WholeNotes, whole_notes
from khoj_ls.search.scope import Scope
from khoj_ls.search.statistics import Statistics
from khoj_ls.search.stopwatch import Stopwatch
from khoj_ls.search.types import SearchRequest
from khoj_ls.store.entries import standing

_NOTES_READ = 40
"""For so many of the best candidates, or more for a higher limit, the vectors of their whole notes are read."""
_PER_HIT = 4
_NEAREST_SHARE = 2
"""Nearest vectors are asked for half the pool: those of what words found are compared besides."""
_NOTES_EXPECTED = 40
"""Of so many notes, the best by their words, the chunks are looked up before it is known whether they are needed."""


@dataclass(frozen=True)
class Run:
    """One search while it runs."""

    connection: sqlite3.Connection
    context: SearchContext
    statistics: Statistics
    request: SearchRequest
    query: Query
    scope: Scope | None
    vector: Vector | None
    token: CancelToken | None
    ahead: NearestAhead | None = None
    """What is near to the vector, where that is looked for while words are."""

    def check(self) -> None:
        """Raise Cancelled when nobody wants the answer any more."""
        if self.token:
            self.token.raise_if_cancelled()


@dataclass(frozen=True)
class FoundByWords:
    """What words found, and what was looked up of it."""

    lexical: LexicalMatches
    entries: tuple[EntryRef, ...] = ()
    """The entries, and the first of each note that was found though none of its entries was."""
    chunks: Standing = NOTHING
    """The passages of the entries, where there is to be a vector to compare them with."""


@dataclass(frozen=True)
class Fused:
    """All candidates, best first, and what they were made of."""

    candidates: list[Candidate]
    lexical: LexicalMatches
    dense: Mapping[EntryRef, DenseMatch] | None
    notes: WholeNotes


def find_by_words(run: Run, pool: int, *, compared: bool) -> FoundByWords:
    """Ask the words; with `compared` look up what a vector will be compared with."""
    run.check()
    if run.request.mode == "dense":
        return FoundByWords(LexicalMatches())
    if run.ahead:
        run.ahead.expect(neighbours(run.scope, pool // _NEAREST_SHARE))
    prefix = run.request.prefix
    lexical = match_words(
        run.connection,
        run.statistics,
        run.query.text,
        pool,
        state=run.context.words.of(run.connection),
        scope=run.scope,
        prefix=prefix,
        token=run.token,
    )
    found = FoundByWords(lexical, _refs(run.connection, lexical, run.scope))
    model = run.context.model
    if not compared or model is None:
        return found
    run.check()
    best = nlargest(_NOTES_EXPECTED, lexical.notes, key=lexical.notes.__getitem__)
    reader = run.context.chunks.of(run.connection, model)
    # All of them: of what is not compared nobody knows that it is not near.
    chunks = reader.of_entries((entry.file_id, entry.ordinal) for entry in found.entries)
    reader.of_notes(best)
    return replace(found, chunks=standing_for(chunks, run.scope, lexical.entries))


def fused(run: Run, found: FoundByWords, pool: int, clock: Stopwatch) -> Fused:
    """What words and the query's vector found, best first. What whole notes say is asked where it can still change a hit."""
    run.check()
    lexical, mode, tuning = found.lexical, run.request.mode, run.request.tuning
    model, index = run.context.model, run.context.index
    dense: dict[EntryRef, DenseMatch] | None = None
    reader = run.context.chunks.of(run.connection, model) if model is not None else None
    if run.vector is not None and model is not None and index is not None:
        dense = match_meaning(
            run.connection,
            model,
            index,
            run.vector,
            pool // _NEAREST_SHARE if found.entries else pool,
            scope=run.scope,
            by_words=lexical.entries,
            others=found.chunks,
            scopes=run.context.scopes,
            reader=reader,
            ahead=run.ahead,
        )
        clock.lap("dense")
    run.check()
    entries = dict.fromkeys([*found.entries, *(dense or ())])
    roughly = fuse(entries, lexical, dense, WholeNotes(), mode, tuning)
    near = max(_NOTES_READ, _PER_HIT * run.request.limit)
    refs = [candidate.entry for candidate in roughly[:near]]
    files = {entry.file_id for entry in refs}
    compared = reader.of_notes(files) if reader is not None and run.vector is not None else {}
    notes = whole_notes(run.connection, files, compared, index, run.vector)
    first = fuse(refs, lexical, dense, notes, mode, tuning)
    least = first[-1].score if first else 0.0
    candidates = [*first, *(candidate._replace(score=min(least, candidate.score)) for candidate in roughly[near:])]
    clock.lap("notes")
    return Fused(candidates, lexical, dense, notes)


def _refs(connection: sqlite3.Connection, lexical: LexicalMatches, scope: Scope | None) -> tuple[EntryRef, ...]:
    """Entries found by words, and the first that may be a hit of each note that was found though none of its entries was."""
    found = [EntryRef(*row) for row in standing(connection, [*lexical.entries, *lexical.exact])]
    notes = json.dumps(list(lexical.notes.keys() - {entry.file_id for entry in found} | lexical.titled))
    return (*found, *_first_entries(connection, notes, scope))


def _first_entries(connection: sqlite3.Connection, notes: str, scope: Scope | None) -> Iterable[EntryRef]:
    """The first entry of each note, of those that the scope leaves; `notes` is a JSON list of file ids."""
    if scope is None:
        first, mask = "ordinal = 0", []
    else:
        first, mask = IN_MASK.format("id"), [scope.rows.mask]
    rows = connection.execute(
        "SELECT id, file_id, min(ordinal) FROM entry WHERE file_id IN (SELECT value FROM json_each(?)) "
        f"AND {first} GROUP BY file_id",
        (notes, *mask),
    )
    return (EntryRef(*row) for row in rows)
