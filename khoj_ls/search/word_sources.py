"""Where the rows come from that hold some words: from arrays, or from FTS5.

Both give BM25 scores; a row that lacks some of the words counts for less in both. Arrays are asked for every row that holds any
word. FTS5 takes a microsecond a row, so that of many it is asked for those with all words, and those with the rare ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol

from khoj_ls.core.text import spaced
from khoj_ls.search.bm25 import ENTRIES, NAMES, NOTES, PARTLY, Table, affordable, holding_all, ranked_twice
from khoj_ls.search.filters.rows import RowSet
from khoj_ls.search.statistics import Statistics
from khoj_ls.search.word_rows import Hits, WordRows, everywhere, ranked
from khoj_ls.search.word_states import NAMING, WordState

_MOST_NAMED = 200


class WordSource(Protocol):
    """What is known of some words. They are told by FTS5 strings."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many entries hold each; of frequent ones about how many."""

    def ranked(self, table: Table, pool: int, allowed: RowSet | None) -> dict[int, tuple[float, float]]:
        """The best rows: their scores, and those of what notes are called."""

    def named(self, table: Table) -> Sequence[int] | None:
        """Rows that have all of the words in their headings, or in their names; None: they are many, or not known."""


class FromArrays:
    """Of single words that are typed in full."""

    def __init__(self, state: WordState, stems: Mapping[str, str]) -> None:
        """Look up stems by FTS5 string; `look_up` makes them."""
        self._state = state
        self._stems = stems

    @cached_property
    def _entries(self) -> list[Hits]:
        return [self._state.entries.look_up(stem) for stem in self._stems.values()]

    @cached_property
    def _notes(self) -> list[Hits]:
        return [self._state.notes.look_up(stem) for stem in self._stems.values()]

    def _of(self, table: Table) -> tuple[WordRows, list[Hits]]:
        return (self._state.entries, self._entries) if table is ENTRIES else (self._state.notes, self._notes)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many entries hold each."""
        return {string: len(hits.rows) for string, hits in zip(self._stems, self._entries, strict=True)}

    def ranked(self, table: Table, pool: int, allowed: RowSet | None) -> dict[int, tuple[float, float]]:
        """The best rows: their scores, and those of what notes are called."""
        mask = allowed.mask if allowed is not None else None
        if table is ENTRIES:
            return {row: (score, 0.0) for row, (score,) in ranked(*self._of(table), pool, mask).items()}
        return {row: (score, named) for row, (score, named) in ranked(*self._of(table), pool, mask, NAMING + 1).items()}

    def named(self, table: Table) -> Sequence[int] | None:
        """Rows that have all of the words in their headings, or in their names; None: they are many."""
        found = everywhere(*self._of(table), NAMING)
        return found if len(found) <= _MOST_NAMED else None


class FromIndex:
    """Of any phrases, and of beginnings of words."""

    def __init__(self, connection: sqlite3.Connection, statistics: Statistics, strings: Sequence[str]) -> None:
        """Ask the word index that `connection` reads for FTS5 strings."""
        self._connection = connection
        held = statistics.holding(connection, strings)
        self.counts: Mapping[str, int] = held

    def ranked(self, table: Table, pool: int, allowed: RowSet | None) -> dict[int, tuple[float, float]]:
        """The best rows: their scores, and those of what notes are called."""
        rarest_first = {string: rows for string, rows in sorted(self.counts.items(), key=lambda item: item[1]) if rows}
        mask = allowed.mask if allowed is not None else None
        found = ranked_twice(self._connection, table, NAMES if table is NOTES else (), affordable(rarest_first), pool, mask)
        if not found or len(rarest_first) == 1:
            return found
        whole = holding_all(self._connection, table, rarest_first, RowSet.of(found))
        return {row: (score if row in whole else PARTLY * score, named) for row, (score, named) in found.items()}

    def named(self, table: Table) -> Sequence[int] | None:
        """Nothing is known of that."""
        return None


def word_source(
    connection: sqlite3.Connection, statistics: Statistics, state: WordState | None, strings: Mapping[str, str], *, prefix: bool
) -> WordSource:
    """Who is to be asked for terms, by FTS5 string; `prefix`: the last one may be a beginning."""
    if state is not None and not prefix:
        cut = state.stems.of([spaced(term) for term in strings.values()])
        # In scripts without blanks a term is a phrase, of which arrays know nothing.
        if all(len(tokens) == 1 for tokens in cut):
            return FromArrays(state, {string: tokens[0] for string, tokens in zip(strings, cut, strict=True)})
    return FromIndex(connection, statistics, list(strings))
