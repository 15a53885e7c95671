"""What belongs to a note, a place in it, or a text: by the vectors that are stored, by telling words, and by its title.

A note is compared by the mean of its chunks' vectors with the passages of all others: one search, and no model. Its telling
words and those of its title find what a mean vector blurs. Each of the three is normalised by its best and they are added up;
the best hit is shown with the nearest cosine, the others in proportion.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from khoj_ls.core.jobs import CancelToken
from khoj_ls.search.bm25 import Table, bound, ranked, saturated
from khoj_ls.search.context import QueryVector, SearchContext, missing
from khoj_ls.search.dense import DenseMatch, EntryRef, nearest_texts
from khoj_ls.search.fusion import Candidate
from khoj_ls.search.hits import Ranks, build_hits
from khoj_ls.search.keyterms import telling_terms
from khoj_ls.search.linked import linked_files
from khoj_ls.search.origin import Origin, origin_of
from khoj_ls.search.passage import wanted_words
from khoj_ls.search.privacy import PRIVATE, may_embed
from khoj_ls.search.statistics import Statistics
from khoj_ls.search.stopwatch import Stopwatch
from khoj_ls.search.types import RelatedRequest, SearchResult
from khoj_ls.search.words import phrase
from khoj_ls.store.entries import standing
from khoj_ls.store.note_chunks import HeldChunk, NoteChunks

_POOL = 200
_POOL_PER_HIT = 10
_WORDS = Table("entry_fts", (5.0, 2.0, 1.0))
"""A word in another note's title says most."""
_TELLING_WORDS = 32
_ROWS = 1500
"""Words are asked for from the most telling on, as long as no more entries than this hold them."""
_MOST_ROWS = 5000
"""A word that more entries hold is not asked for, even if it is the only one."""
_ROWS_TOGETHER = 5000
"""All words of a name are asked for together where no more entries than this hold any of them: all of these are counted."""
_SHARES = (0.4, 0.35, 0.25)
"""Of meaning, telling words, and the words of the title or heading."""


class _Near(NamedTuple):
    """The passage of a note that is nearest in meaning."""

    entry: EntryRef
    """The outermost entry that it covers."""
    cosine: float
    note: NoteChunks
    place: int
    """Which of the note's chunks it is."""


class _Scored(NamedTuple):
    """A note that may become a hit."""

    score: float
    entry: EntryRef
    lexical: float
    near: _Near | None


@dataclass(frozen=True)
class _ByWords:
    """BM25 score and entry by note, of its best entry."""

    notes: Mapping[int, tuple[float, EntryRef]]
    best: float
    most: float
    """The bound of the scores."""
    expression: str


def related(context: SearchContext, request: RelatedRequest, token: CancelToken | None = None) -> SearchResult:
    """Notes that belong to a place, a region, a note or a text: one hit each, never the note itself. Raises Cancelled."""
    clock = Stopwatch()
    asked = request.text and _may_embed(context, request)
    pending = QueryVector(context, request.text or "", passage=request.as_passage) if asked else None
    with context.database.read() as connection:
        statistics = context.statistics.of(connection, context.model)
        origin = origin_of(connection, context, request)
        if origin is None:
            return SearchResult((), True, f"{request.path} is not indexed", statistics.coverage, clock.stop())
        if pending:
            vector, reason = pending.wait(token)
            origin = replace(origin, vector=vector, reason=reason)
        elif request.text:
            origin = replace(origin, reason=PRIVATE)
        clock.lap("start")
        pool = max(_POOL, _POOL_PER_HIT * request.limit)
        near = _by_meaning(connection, context, origin, pool)
        clock.lap("dense")
        if token:
            token.raise_if_cancelled()
        telling = _by_words(connection, statistics, origin, origin.text, pool)
        named = _by_words(connection, statistics, origin, origin.name, pool, together=True)
        clock.lap("lexical")
        notes = _fused(near, telling, named)
        chosen = _candidates(notes[: request.limit], _shown(near, notes))
        others = (candidate.entry.file_id for candidate in chosen)
        linked = linked_files(connection, origin.file_id, others) if origin.file_id else set()
        hits = build_hits(connection, chosen, _ranks(notes), wanted_words(telling.expression, {}, context.finder))
        files = {candidate.entry.id: candidate.entry.file_id for candidate in chosen}
        clock.lap("show")
    reason = origin.reason or missing(statistics.coverage)
    return SearchResult(
        tuple(replace(hit, linked=files[hit.entry_id] in linked) for hit in hits),
        reason is not None,
        reason,
        statistics.coverage,
        clock.stop(),
    )


def _may_embed(context: SearchContext, request: RelatedRequest) -> bool:
    """Before the model is asked, which is done beside everything else; a model on this machine waits for nothing."""
    if not context.remote or request.path is None:
        return True
    with context.database.read() as connection:
        return may_embed(connection, context, request.path, request.line, request.end_line)


def _by_meaning(connection: sqlite3.Connection, context: SearchContext, origin: Origin, pool: int) -> dict[int, _Near]:
    """The nearest passage of each other note, by file id."""
    if origin.vector is None or context.model is None or context.index is None:
        return {}
    own = 0
    if origin.file_id is not None:
        (own,) = connection.execute("SELECT count(*) FROM chunk WHERE file_id = ?", (origin.file_id,)).fetchone()
    reader = context.chunks.of(connection, context.model)
    nearest = dict(nearest_texts(context.index.search, reader, origin.vector, pool + min(own, pool)))
    best: dict[int, _Near] = {}
    for embedding, note, place in reader.places_of(list(nearest)):
        file_id = note.file_id
        if file_id not in best and file_id != origin.file_id and (covered := note.covered(place)):
            entry = EntryRef(covered[0], file_id, note.first(place))
            best[file_id] = _Near(entry, min(1.0, max(0.0, nearest[embedding])), note, place)
    return best


def _by_words(
    connection: sqlite3.Connection, statistics: Statistics, origin: Origin, text: str, pool: int, *, together: bool = False
) -> _ByWords:
    """The best entry of each other note for the telling words of `text`, and for all of them `together`."""
    counts = {phrase(term): rows for term, rows in telling_terms(connection, statistics, text, _TELLING_WORDS).items()}
    asked = _affordable(counts, together)
    scores = ranked(connection, _WORDS, asked, pool)
    best: dict[int, tuple[float, EntryRef]] = {}
    for entry, file_id, ordinal in standing(connection, scores):
        if file_id != origin.file_id and (file_id not in best or scores[entry] > best[file_id][0]):
            best[file_id] = (scores[entry], EntryRef(entry, file_id, ordinal))
    highest = max((score for score, _ in best.values()), default=0.0)
    return _ByWords(best, highest, bound(statistics.entries, counts.values()), " OR ".join(counts))


def _affordable(counts: Mapping[str, int], together: bool) -> list[str]:
    """The expressions that are asked for `counts`, how many entries hold each FTS5 string, the most telling first.

    A word that more entries hold than can be scored while somebody waits says too little to be waited for.
    """
    asked: list[str] = []
    left = _ROWS
    for string, rows in counts.items():
        if rows <= left or (not asked and rows <= _MOST_ROWS):
            asked.append(string)
            left -= rows
    expressions = [" OR ".join(asked)] if asked else []
    if together and len(asked) < len(counts) > 1 and sum(counts.values()) <= _ROWS_TOGETHER:
        expressions.append(" AND ".join(counts))
    return expressions


def _fused(near: Mapping[int, _Near], telling: _ByWords, named: _ByWords) -> list[_Scored]:
    """All notes, best first; equals in the order in which they stand in the index."""
    nearest = max((each.cosine for each in near.values()), default=0.0)
    by_meaning = _SHARES[0] / nearest if nearest else 0.0
    by_words = _SHARES[1] / telling.best if telling.best else 0.0
    by_name = _SHARES[2] / named.best if named.best else 0.0
    found = []
    for note in near.keys() | telling.notes.keys() | named.notes.keys():
        passage, told, called = near.get(note), telling.notes.get(note), named.notes.get(note)
        score = by_meaning * passage.cosine if passage else 0.0
        score += (by_words * told[0] if told else 0.0) + (by_name * called[0] if called else 0.0)
        words = told or called
        entry = passage.entry if passage else words[1] if words else None
        if entry is not None and score > 0.0:
            found.append(_Scored(score, entry, saturated(words[0], telling.most) if words else 0.0, passage))
    return sorted(found, key=lambda note: (-note.score, note.entry.file_id, note.entry.ordinal))


def _shown(near: Mapping[int, _Near], notes: Sequence[_Scored]) -> float:
    """What the score of a note is multiplied with: the best note has the nearest cosine."""
    best = max((each.cosine for each in near.values()), default=0.0) or max((note.lexical for note in notes), default=0.0)
    return best / notes[0].score if notes else 0.0


def _candidates(notes: Sequence[_Scored], scale: float) -> list[Candidate]:
    """The notes as what hits are built from, in their order."""
    found = []
    for note in notes:
        match = None
        if note.near is not None and (covered := note.near.note.covered(note.near.place)):
            chunk = HeldChunk(note.near.note, note.near.place)
            match = DenseMatch(note.near.cosine, chunk, tuple(covered) if len(covered) > 1 else ())
        found.append(Candidate(note.entry, scale * note.score, note.lexical, match, worded=match is None))
    return found


def _ranks(notes: Sequence[_Scored]) -> Ranks:
    """Places, from 1, that the notes have by words and by meaning."""
    by_words = sorted(((note.lexical, note.entry.id) for note in notes if note.lexical > 0.0), key=lambda pair: -pair[0])
    by_meaning = sorted(((note.near.cosine, note.entry.id) for note in notes if note.near), key=lambda pair: -pair[0])
    return Ranks(*({entry: rank for rank, (_, entry) in enumerate(order, 1)} for order in (by_words, by_meaning)))
