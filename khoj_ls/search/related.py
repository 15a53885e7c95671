"""What belongs to a note, a place in it, or a text: by the vectors that are stored, by telling words, and by its title.

A note is compared by the mean of its chunks' vectors with the passages of all others: one search, and no model. Its telling
words and those of its title find what a mean vector blurs. Each of the three is normalised by its best and they are added up;
the best hit is shown with the nearest cosine, the others in proportion.
What stands in many notes word for word - templates, footers - is not what a note is about: such sections are not compared.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Vector
from khoj_ls.search.bm25 import ENTRIES, Table, affordable, bound, count, ranked, saturated
from khoj_ls.search.context import QueryVector, SearchContext, missing
from khoj_ls.search.dense import DenseMatch, EntryRef, match_meaning
from khoj_ls.search.fusion import Candidate, ordered
from khoj_ls.search.hits import build_hits, ranks
from khoj_ls.search.keyterms import key_terms
from khoj_ls.search.linked import linked_files
from khoj_ls.search.passage import wanted_words
from khoj_ls.search.statistics import Statistics
from khoj_ls.search.stopwatch import Stopwatch
from khoj_ls.search.types import RelatedRequest, SearchResult
from khoj_ls.search.words import phrase, words
from khoj_ls.store.chunks import ChunkRow, chunks_of_file
from khoj_ls.store.entries import EntryRow, file_entries

_POOL = 200
_POOL_PER_HIT = 10
_WORDS = Table("entry_fts", "5.0, 2.0, 1.0")
"""A word in another note's title says most."""
_TELLING_WORDS = 32
_SHARES = (0.4, 0.35, 0.25)
"""Of meaning, telling words, and the words of the title or heading."""
_MANY = 3
"""A section whose first words stand in more entries than this is a template's."""
_FIRST_WORDS = 12
_FEWEST_WORDS = 5
_SECTIONS_READ = 40
"""So many sections of a note are looked at, the first ones."""


@dataclass(frozen=True)
class _Start:
    """What others are compared with."""

    file_id: int | None
    text: str
    name: str
    """Title of the note, or heading of the place."""
    vector: Vector | None
    reason: str | None = None


@dataclass(frozen=True)
class _ByWords:
    """BM25 score and entry by note, of its best entry."""

    notes: Mapping[int, tuple[float, EntryRef]]
    best: float
    most: float
    """The bound of the scores."""
    expression: str

    def share(self, file_id: int) -> float:
        """Score of a note in proportion to the best."""
        return self.notes[file_id][0] / self.best if file_id in self.notes else 0.0


def related(context: SearchContext, request: RelatedRequest, token: CancelToken | None = None) -> SearchResult:
    """Notes that belong to a place, a region, a note or a text: one hit each, never the note itself. Raises Cancelled."""
    clock = Stopwatch()
    pending = QueryVector(context, request.text) if request.text else None
    with context.database.read() as connection:
        statistics = context.statistics.of(connection, context.model)
        start = _start(connection, context, request)
        if start is None:
            return SearchResult((), True, f"{request.path} is not indexed", statistics.coverage, clock.stop())
        if pending:
            vector, reason = pending.wait(token)
            start = replace(start, vector=vector, reason=reason)
        clock.lap("start")
        pool = max(_POOL, _POOL_PER_HIT * request.limit)
        dense = _by_meaning(connection, context, start, pool)
        clock.lap("dense")
        if token:
            token.raise_if_cancelled()
        telling = _by_words(connection, statistics, start, start.text, pool)
        named = _by_words(connection, statistics, start, start.name, pool)
        clock.lap("lexical")
        candidates = _fused(dense, telling, named)
        chosen = candidates[: request.limit]
        linked = linked_files(connection, start.file_id, (c.entry.file_id for c in chosen)) if start.file_id else set()
        hits = build_hits(connection, chosen, ranks(candidates), wanted_words(telling.expression, {}))
        notes = {candidate.entry.id: candidate.entry.file_id for candidate in chosen}
        clock.lap("show")
    reason = start.reason or missing(statistics.coverage)
    return SearchResult(
        tuple(replace(hit, linked=notes[hit.entry_id] in linked) for hit in hits),
        reason is not None,
        reason,
        statistics.coverage,
        clock.stop(),
    )


def _start(connection: sqlite3.Connection, context: SearchContext, request: RelatedRequest) -> _Start | None:
    """What to compare; None when the note is not indexed."""
    if request.path is None:
        return _Start(None, request.text or "", "", None)
    rows = file_entries(connection, request.path)
    if not rows:
        known = connection.execute("SELECT id FROM file WHERE path = ?", (request.path,)).fetchone()
        if request.text:
            return _Start(known[0] if known else None, request.text, "", None)
        return None
    whole = request.line is None
    first = request.line or rows[0].span.line
    last = max(first, request.end_line or first) if not whole else rows[-1].span.end_line
    here = rows if whole else [row for row in rows if row.span.line <= last and row.span.end_line >= first] or rows
    name = here[0].heading or here[0].title if not whole else here[0].title
    own = here if not whole else _without_templates(connection, here)
    if request.text:
        return _Start(rows[0].file_id, request.text, name, None)
    text = "\n".join(_lines(row, first, last) for row in own)
    spans = [(max(first, row.span.line), min(last, row.span.end_line)) for row in own]
    vector = _mean(context, _chunks(connection, context, rows[0].file_id, spans))
    reason = None if vector else context.reason or "the note is not embedded yet"
    return _Start(rows[0].file_id, text, name, vector, reason)


def _lines(row: EntryRow, first: int, last: int) -> str:
    """The heading, and the source lines `first`..`last` as far as they are the entry's."""
    lines = row.raw.splitlines()
    return "\n".join([row.heading, *lines[max(0, first - row.span.line) : max(0, last - row.span.line) + 1]])


def _without_templates(connection: sqlite3.Connection, rows: Sequence[EntryRow]) -> Sequence[EntryRow]:
    """The sections that say something of their own; all of them where none does."""
    own = [row for at, row in enumerate(rows) if at >= _SECTIONS_READ or not _is_template(connection, row)]
    return own or rows


def _is_template(connection: sqlite3.Connection, row: EntryRow) -> bool:
    """Whether the first words of a section's own text stand in many entries."""
    lines = row.raw.splitlines()[1 if row.level > 0 else 0 :]
    first = words("\n".join(lines)[:400])[:_FIRST_WORDS]
    return len(first) >= _FEWEST_WORDS and count(connection, ENTRIES, f"body : {phrase(' '.join(first))}") > _MANY


def _chunks(
    connection: sqlite3.Connection, context: SearchContext, file_id: int, spans: Sequence[tuple[int, int]]
) -> list[ChunkRow]:
    """The chunks that cover some lines, given as first and last ones; those of the whole note where none does."""
    if context.model is None:
        return []
    chunks = chunks_of_file(connection, context.model, file_id)
    # Both are in source order, so that the span to look at for a chunk is the first that does not end before it.
    found, at = [], 0
    for chunk in chunks:
        while at < len(spans) and spans[at][1] < chunk.span.line:
            at += 1
        if at < len(spans) and spans[at][0] <= chunk.span.end_line:
            found.append(chunk)
    return found or chunks


def _mean(context: SearchContext, chunks: Sequence[ChunkRow]) -> Vector | None:
    """The unit vector that points where most of the chunks' do."""
    import numpy as np

    hashes = list(dict.fromkeys(chunk.hash for chunk in chunks))
    vectors = context.index.vectors(hashes) if context.index is not None and hashes else {}
    if not vectors:
        return None
    mean = np.frombuffer(b"".join(vectors.values()), np.float32).reshape(len(vectors), -1).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return (mean / length).astype(np.float32).tobytes() if length > 0 else None


def _by_meaning(
    connection: sqlite3.Connection, context: SearchContext, start: _Start, pool: int
) -> dict[int, tuple[EntryRef, DenseMatch]]:
    """The nearest passage of each other note, by file id."""
    if start.vector is None or context.model is None or context.index is None:
        return {}
    own = len(chunks_of_file(connection, context.model, start.file_id)) if start.file_id is not None else 0
    best: dict[int, tuple[EntryRef, DenseMatch]] = {}
    for entry, match in match_meaning(connection, context.model, context.index, start.vector, pool + own).items():
        if entry.file_id != start.file_id and (entry.file_id not in best or match.score > best[entry.file_id][1].score):
            best[entry.file_id] = (entry, match)
    return best


def _by_words(connection: sqlite3.Connection, statistics: Statistics, start: _Start, text: str, pool: int) -> _ByWords:
    """The best entry of each other note for the telling words of `text`."""
    counts = {phrase(term): rows for term, rows in key_terms(connection, statistics, text, _TELLING_WORDS).items()}
    scores = ranked(connection, _WORDS, affordable(counts), pool)
    rows = connection.execute(
        "SELECT id, file_id, ordinal FROM entry WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(scores)),)
    )
    best: dict[int, tuple[float, EntryRef]] = {}
    for entry in (EntryRef(*row) for row in rows):
        if entry.file_id != start.file_id and scores[entry.id] > best.get(entry.file_id, (0.0,))[0]:
            best[entry.file_id] = (scores[entry.id], entry)
    highest = max((score for score, _ in best.values()), default=0.0)
    return _ByWords(best, highest, bound(statistics.entries, counts.values()), " OR ".join(counts))


def _fused(dense: Mapping[int, tuple[EntryRef, DenseMatch]], telling: _ByWords, named: _ByWords) -> list[Candidate]:
    """One candidate per note, best first."""
    nearest = max((match.score for _, match in dense.values()), default=0.0)
    candidates = []
    for note in dense.keys() | telling.notes.keys() | named.notes.keys():
        parts = (dense[note][1].score / nearest if note in dense and nearest else 0.0, telling.share(note), named.share(note))
        score = sum(share * part for share, part in zip(_SHARES, parts, strict=True))
        by_words = telling.notes.get(note) or named.notes.get(note)
        entry, match = dense[note] if note in dense else (by_words[1] if by_words else None, None)
        if entry is not None and score > 0.0:
            lexical = saturated(by_words[0], telling.most) if by_words else 0.0
            candidates.append(Candidate(entry, score, lexical, match, worded=match is None))
    best = max((candidate.score for candidate in candidates), default=0.0)
    shown = nearest or max((candidate.lexical for candidate in candidates), default=0.0)
    return ordered(candidate._replace(score=shown * candidate.score / best) for candidate in candidates)
