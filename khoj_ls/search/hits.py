"""From chosen candidates to hits with a passage, a snippet, and where each came from."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from khoj_ls.core.places import Place, spanning
from khoj_ls.search.blocks import Reading, readings
from khoj_ls.search.fusion import Candidate
from khoj_ls.search.long_lines import pieces_found
from khoj_ls.search.passage import Found, Passage, Wanted, passages
from khoj_ls.search.types import SearchHit, Source


@dataclass(frozen=True)
class Ranks:
    """Each retriever's own order of the candidates, by entry id."""

    lexical: Mapping[int, int]
    dense: Mapping[int, int]


def ranks(candidates: Sequence[Candidate]) -> Ranks:
    """Places, from 1, that the candidates have in each retriever's own order."""
    by_words = sorted((c for c in candidates if c.lexical > 0.0), key=lambda c: -c.lexical)
    by_meaning = sorted((c for c in candidates if c.dense), key=lambda c: -c.dense.score if c.dense else 0.0)
    return Ranks(*({c.entry.id: rank for rank, c in enumerate(order, 1)} for order in (by_words, by_meaning)))


def build_hits(
    connection: sqlite3.Connection,
    chosen: Sequence[Candidate],
    order: Ranks,
    wanted: Wanted,
    sentence: Sequence[re.Pattern[str]] = (),
    reranked: Mapping[int, Source] = MappingProxyType({}),
) -> tuple[SearchHit, ...]:
    """Hits of the chosen candidates, in their order; `sentence` is the query as patterns, the strictest first.

    `reranked` is how a cross-encoder saw them, by entry id.
    """
    held = readings(connection, list(dict.fromkeys(i for c in chosen for i in (c.entry.id, *_covered(c)))))
    shown = [candidate for candidate in chosen if candidate.entry.id in held]
    found = [
        Found(
            readings=tuple(held[i] for i in _covered(candidate) or (candidate.entry.id,) if i in held),
            by_words=candidate.worded,
            near=candidate.dense.chunk.span if candidate.dense else None,
            sentence=tuple(sentence) if candidate.exact else (),
        )
        for candidate in shown
    ]
    cut = passages(found, wanted)
    return tuple(
        _hit(candidate, held[candidate.entry.id], piece or _place(item), passage, order, reranked.get(candidate.entry.id))
        for candidate, item, passage, piece in zip(shown, found, cut, pieces_found(found, cut, wanted), strict=True)
    )


def _covered(candidate: Candidate) -> tuple[int, ...]:
    """Entries to show as one: those of a chunk that was found by meaning alone."""
    return candidate.dense.covered if candidate.dense and not candidate.worded else ()


def _place(found: Found) -> Place | None:
    """Where it stands as people count there; pieces of one line are shown as one."""
    first, last = (found.readings[at].row for at in (0, -1))
    if first.place is None or first.place.columns is None:
        return first.place
    return spanning([first.place, last.place]) if first.span.line == last.span.line else replace(first.place, columns=None)


def _hit(
    candidate: Candidate, reading: Reading, place: Place | None, passage: Passage, order: Ranks, reranked: Source | None
) -> SearchHit:
    row = reading.row
    sources = {}
    if candidate.lexical > 0.0:
        sources["lexical"] = Source(order.lexical[row.id], candidate.lexical)
    if candidate.dense:
        sources["dense"] = Source(order.dense[row.id], candidate.dense.score)
    if reranked:
        sources["rerank"] = reranked
    return SearchHit(
        path=row.path,
        span=passage.span,
        title=row.title,
        heading=row.heading,
        outline=(*row.outline, row.heading) if row.heading else row.outline,
        snippet=passage.snippet,
        highlights=passage.highlights,
        score=candidate.score,
        type=row.type,
        tags=row.tags,
        date=row.dates[0].start if row.dates else None,
        entry_id=row.id,
        sources=MappingProxyType(sources),
        place=place,
    )
