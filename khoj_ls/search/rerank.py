"""Reranking: a cross-encoder reads the best candidates once more, each together with the query, and puts them in order.

Its order replaces the fused one and is not blended with it: what two scores are worth beside each other depends on the model,
and any weight would have to be tuned per model. Two things are kept from before: what holds the query word for word stays in
front, as that is no matter of opinion; and what the model did not read follows what it did, or, being private, keeps its place.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from khoj_ls.core.errors import Cancelled, KhojError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.protocols import RerankModel
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Span
from khoj_ls.search.fusion import Candidate, word_for_word
from khoj_ls.search.types import Source

_CHARACTERS = 1200
"""Most of a passage that is read: about what a chunk holds, and what rerankers were trained on."""
_MOST_QUERY = 1000
"""Characters of the query: a longer one leaves the model no room for the passage."""
_BELOW_EXACT = word_for_word(0.0)
_PIECES = re.compile(r"[^\n]{0,199}\s|[^\n]{1,200}")
"""A line, or of a long one what ends between two words; together they are the text."""


class PassageText(NamedTuple):
    """What the model is to read of a candidate."""

    text: str
    private: bool


@dataclass(frozen=True)
class Reranked:
    """Candidates in their new order."""

    candidates: list[Candidate]
    sources: Mapping[int, Source] = field(default_factory=lambda: MappingProxyType({}))
    """By entry id, of those that were read: the place that the model gives them, from 1, and its score."""
    reason: str | None = None
    """Why nothing was reranked, for people."""


def rerank(
    query: str,
    candidates: Sequence[Candidate],
    texts: Mapping[int, PassageText],
    reranker: RerankModel | None,
    token: CancelToken | None = None,
    timeout: float | None = None,
) -> Reranked:
    """`candidates`, best first, those that have a text (by entry id) in the order that `reranker` gives them.

    Scores never rise from one to the next; those that were read show the model's score, a little less than 1 at most unless
    they hold the query word for word. What is private is not sent away. A model that fails leaves the order as it was, with the
    reason. Raises Cancelled.
    """
    try:
        if reranker is None:
            raise KhojError("no reranker is set up: `khoj-ls config set rerank.model fast` names one")
        away = bool(reranker.remote)
        read = [
            place
            for place, candidate in enumerate(candidates)
            if (known := texts.get(candidate.entry.id)) and not (away and known.private)
        ]
        passages = [texts[candidates[place].entry.id].text for place in read]
        scores = reranker.score(query[:_MOST_QUERY], passages, token, timeout) if read else []
    except Cancelled:
        raise
    except KhojError as error:
        return Reranked(list(candidates), reason=f"the results are not reranked: {error}")
    order = sorted(range(len(read)), key=lambda index: -scores[index])
    sources = {candidates[read[index]].entry.id: Source(rank, scores[index]) for rank, index in enumerate(order, 1)}
    return Reranked(_in_order(candidates, read, sources), MappingProxyType(sources))


def passage_texts(
    connection: sqlite3.Connection, candidates: Sequence[Candidate], terms: Collection[str]
) -> dict[int, PassageText]:
    """What to read of `candidates`, by entry id: title and headings, then the chunk nearest in meaning.

    Of an entry that has none, the part of its text that holds most of the query's `terms`.
    """
    held = _entries(connection, {i for candidate in candidates for i in _shown(candidate)})
    texts: dict[int, PassageText] = {}
    for candidate in candidates:
        entries = [held[i] for i in _shown(candidate) if i in held]
        if entries:
            near = candidate.dense.chunk.span if candidate.dense else None
            body = "\n".join(filter(None, (_body(entry, near, terms) for entry in entries)))
            text = "\n".join(filter(None, (entries[0].place, body[:_CHARACTERS])))
            texts[candidate.entry.id] = PassageText(text, any(entry.private for entry in entries))
    return texts


def best_part(text: str, terms: Collection[str], most: int = _CHARACTERS) -> str:
    """`text`, or of a longer one the first part of at most `most` characters that holds most of the `terms`.

    It is as long as may be: what stands around the words belongs to the passage.
    """
    if len(text) <= most:
        return text
    pieces = _PIECES.findall(text)
    lowered = [term.lower() for term in terms]
    held = [{term for term in lowered if term in piece.lower()} for piece in pieces]
    best, first, size = (-1, 0, 0), 0, 0
    for last, piece in enumerate(pieces):
        size += len(piece)
        while size > most and first < last:
            size -= len(pieces[first])
            first += 1
        best = max(best, (len(set().union(*held[first : last + 1])), -first, last + 1))
    return "".join(pieces[-best[1] : best[2]])


class _Entry(NamedTuple):
    line: int
    place: str
    """Title and headings, outermost first."""
    text: str
    private: bool


def _in_order(candidates: Sequence[Candidate], read: Sequence[int], sources: Mapping[int, Source]) -> list[Candidate]:
    """Those at the places `read` by their new scores, on these places; the others where they were, scored no higher."""

    def shown(candidate: Candidate) -> Candidate:
        score = sources[candidate.entry.id].score
        return candidate._replace(score=word_for_word(score) if candidate.exact else _BELOW_EXACT * score)

    ordered = iter(sorted((shown(candidates[place]) for place in read), key=lambda candidate: -candidate.score))
    places = frozenset(read)
    result: list[Candidate] = []
    least = 1.0
    for place, candidate in enumerate(candidates):
        taken = next(ordered) if place in places else candidate
        least = min(least, taken.score)
        result.append(taken._replace(score=least))
    return result


def _shown(candidate: Candidate) -> tuple[int, ...]:
    """Ids of the entries that a candidate stands for."""
    covered = candidate.dense.covered if candidate.dense and not candidate.worded else ()
    return covered or (candidate.entry.id,)


def _entries(connection: sqlite3.Connection, ids: Collection[int]) -> dict[int, _Entry]:
    rows = connection.execute(
        "SELECT e.id, e.line, e.heading, e.outline, e.text, e.private OR f.private, f.title, f.path "
        "FROM entry e JOIN file f ON f.id = e.file_id WHERE e.id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(ids)),),
    )
    found = {}
    for number, line, heading, outline, text, private, title, path in rows:
        name = title or path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        headings = dict.fromkeys(part for part in (name, *json.loads(outline), heading) if part)
        found[number] = _Entry(line, " > ".join(headings), text, bool(private))
    return found


def _body(entry: _Entry, near: Span | None, terms: Collection[str]) -> str:
    """What an entry says on the lines of `near`, where it has any of them, else on all; of that the part with most terms."""
    text = entry.text
    lines = text_lines(text)
    if near and near.line < entry.line + len(lines) and near.end_line >= entry.line:
        text = "".join(lines[max(0, near.line - entry.line) : near.end_line - entry.line + 1])
    return best_part(text, terms).strip()
