"""Retrieval by words: BM25 over entries and over whole notes.

Scores are absolute. BM25 is bounded by the sum of its words' weights, so the share a row has of that bound, put through a
saturating curve, says how much of what was asked stands in it.
Words that stand side by side in the query count again where they do so in the text (the sequential dependence model of
Metzler & Croft 2005, "A Markov random field model for term dependencies").
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from khoj_ls.core.jobs import CancelToken
from khoj_ls.search.bm25 import ENTRIES, FEW_ROWS, NAMES, NOTES, Table, bound, idf, ranked_twice, saturated, scattered
from khoj_ls.search.filters.rows import IN_MASK, RowSet
from khoj_ls.search.keyterms import key_terms
from khoj_ls.search.scope import Scope
from khoj_ls.search.spelling import respelled
from khoj_ls.search.statistics import Statistics
from khoj_ls.search.word_sources import WordSource, word_source
from khoj_ls.search.word_states import WordState
from khoj_ls.search.words import adjacent_terms, any_of, is_unspaced, phrase, query_terms, same_words, words
from khoj_ls.store.fts import display_title

_ADJACENT_WEIGHT = 0.3
_MAX_TERMS = 32
"""A longer text is looked up by its most telling words."""
_MAX_ADJACENT = 16
_VERBATIM_WORDS = 4
"""From this many words on, a text that stands in a note word for word is taken to be that very sentence."""


@dataclass(frozen=True)
class LexicalMatches:
    """What was found by words."""

    entries: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """Score by entry id, of the entry's own words."""
    notes: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """Score by file id, of the whole note's words."""
    names: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """Score by file id, of the words of the note's path, title and aliases."""
    exact: frozenset[int] = frozenset()
    """Entries that hold the whole text word for word, or whose heading it is."""
    titled: frozenset[int] = frozenset()
    """Notes whose title or alias the text is."""
    terms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """What was looked for, with how much each term tells (its inverse document frequency)."""
    respelled: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Where nothing holds any word: what was looked for in the place of each."""
    known: float = 1.0
    """How much of that is told by terms that stand somewhere, 0..1: of the others, words can say nothing."""


def match_words(
    connection: sqlite3.Connection,
    statistics: Statistics,
    text: str,
    pool: int,
    *,
    state: WordState | None = None,
    scope: Scope | None = None,
    prefix: bool = False,
    respell: bool = True,
    token: CancelToken | None = None,
) -> LexicalMatches:
    """Entries and notes that hold words of `text`: the best `pool` of each.

    With `prefix` the last word may be a beginning. Where nothing holds any, words spelled nearly so are looked for (`respell`).
    `state` is the word index as arrays, where it is at hand: they tell of whole words what FTS5 does, in less time.
    """
    in_order = query_terms(text)
    terms = list(dict.fromkeys(in_order))
    if not terms:
        return LexicalMatches()
    if len(terms) > _MAX_TERMS:
        terms = list(key_terms(connection, statistics, text, _MAX_TERMS)) or terms[:_MAX_TERMS]
    strings = {phrase(term, prefix=prefix and term == in_order[-1]): term for term in terms}
    source = word_source(connection, statistics, state, strings, prefix=prefix)
    counts = dict(sorted(source.counts.items(), key=lambda item: item[1]))
    # What is still being typed is no mistake.
    if respell and not (prefix or any(counts.values())) and (meant := respelled(connection, terms, statistics.vocabulary)):
        text = " ".join(meant.get(term, term) for term in in_order)
        near = match_words(connection, statistics, text, pool, state=state, scope=scope, respell=False, token=token)
        return replace(near, respelled=meant)
    side_by_side = any_of(_telling_pairs(text, counts)[:_MAX_ADJACENT])

    weights = {string: idf(statistics.entries, rows) for string, rows in counts.items()}

    def scored(table: Table, others: tuple[float, ...], most: float, allowed: RowSet | None) -> dict[int, tuple[float, float]]:
        if token:
            token.raise_if_cancelled()
        found = source.ranked(table, pool, allowed)
        if found and side_by_side:
            again = ranked_twice(connection, table, others, [side_by_side], pool, RowSet.of(found).mask)
            for row, (first, second) in again.items():
                found[row] = found[row][0] + _ADJACENT_WEIGHT * first, found[row][1] + _ADJACENT_WEIGHT * second
        return {
            row: (saturated(first, most), saturated(second, most) if second else 0.0) for row, (first, second) in found.items()
        }

    entries = scored(ENTRIES, (), bound(statistics.entries, counts.values()), scope.rows if scope else None)
    most = bound(statistics.notes, (scattered(rows, statistics.notes) for rows in counts.values()))
    notes = scored(NOTES, NAMES, most, scope.notes if scope else None)
    return LexicalMatches(
        entries={entry: score for entry, (score, _) in entries.items()},
        notes={note: score for note, (score, _) in notes.items()},
        names={note: named for note, (_, named) in notes.items() if named > 0.0},
        exact=_exact(connection, source, text, pool, scope),
        titled=_titled(connection, source, text, pool, scope),
        terms={strings[string]: weight for string, weight in weights.items()},
        known=sum(weight for string, weight in weights.items() if counts[string]) / sum(weights.values()),
    )


def _telling_pairs(text: str, held: Mapping[str, int]) -> list[str]:
    """Adjacent terms of `text` but those of two words that are everywhere: they are slow to look up and say little."""
    return [
        pair
        for pair in adjacent_terms(text)
        if min((held.get(phrase(word), 0) for word in pair.split()), default=0) <= FEW_ROWS
    ]


def _exact(connection: sqlite3.Connection, source: WordSource, text: str, pool: int, scope: Scope | None) -> frozenset[int]:
    """Entries that hold the whole of a longer `text`, or whose heading is `text`."""
    asked, allowed = words(text), scope.rows if scope else None
    if is_sentence(asked):
        return frozenset(_matching(connection, ENTRIES, phrase(text), pool, allowed))
    likely = source.named(ENTRIES)
    if likely is None:
        likely = _matching(connection, ENTRIES, f"heading : ^ {phrase(text)}", pool, allowed)
    headed = connection.execute(
        "SELECT id, heading FROM entry WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(likely),)
    )
    return frozenset(row for row, heading in headed if same_words(heading, asked) and (allowed is None or row in allowed))


def _matching(connection: sqlite3.Connection, table: Table, expression: str, pool: int, allowed: RowSet | None) -> list[int]:
    """Some rows that an FTS5 expression finds, of those of a set."""
    within, mask = (f"AND {IN_MASK.format('rowid')}", [allowed.mask]) if allowed is not None else ("", [])
    found = connection.execute(
        f"SELECT rowid FROM {table.name} WHERE {table.name} MATCH ? {within} LIMIT ?", (expression, *mask, pool)
    )
    return [row for (row,) in found]


def is_sentence(asked: Sequence[str]) -> bool:
    """Whether words are so many that, found in a row, they are that very sentence and no chance."""
    return sum(len(word) / 2 if is_unspaced(word) else 1 for word in asked) >= _VERBATIM_WORDS


def _titled(connection: sqlite3.Connection, source: WordSource, text: str, pool: int, scope: Scope | None) -> frozenset[int]:
    """Notes whose title or alias is `text`."""
    asked, allowed = words(text), scope.notes if scope else None
    likely = source.named(NOTES)
    if likely is None:
        likely = _matching(connection, NOTES, f"title : {phrase(text)}", pool, allowed)
    titles = connection.execute(
        "SELECT id, path, title, aliases FROM file WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(likely),)
    )
    return frozenset(
        row
        for row, path, title, aliases in titles
        if (allowed is None or row in allowed)
        and any(same_words(name, asked) for name in (display_title(path, title), *json.loads(aliases)))
    )
