"""The words that tell what a longer text is about: frequent in it, rare elsewhere."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter

from khoj_ls.search.bm25 import ENTRIES, counted, idf
from khoj_ls.search.statistics import Statistics
from khoj_ls.search.words import phrase, query_terms

_MOST_READ = 200_000
"""Characters of a note that are read."""
_MOST_COUNTED = 40
"""How many words are looked up in the index."""
_LONGEST = 40
_ROWS_COUNTED = 500
"""Of a word that stands in more entries it is enough to know about how many: it tells little."""


def key_terms(
    connection: sqlite3.Connection, statistics: Statistics, text: str, most: int, *, least: int = 2
) -> dict[str, int]:
    """The `most` telling words of `text`, rarest first, with about how many entries hold each: see `telling_terms`."""
    held = telling_terms(connection, statistics, text, most, least=least)
    return {term: held[term] for term in sorted(held, key=held.__getitem__)}


def telling_terms(
    connection: sqlite3.Connection, statistics: Statistics, text: str, most: int, *, least: int = 2
) -> dict[str, int]:
    """The `most` telling words of `text`, the one that tells most first, with about how many entries hold each.

    Weighed by tf-idf (Salton & Buckley 1988); a word that fewer than `least` entries hold is left out: of a text that is
    indexed itself, one that only one entry holds leads nowhere else.
    """
    frequency = Counter(term for term in query_terms(text[:_MOST_READ]) if 1 < len(term) <= _LONGEST)
    often = sorted(frequency, key=lambda term: (-frequency[term], -len(term)))[:_MOST_COUNTED]
    strings = {phrase(term): term for term in often}
    counts = counted(connection, ENTRIES, list(strings), statistics.entries, _ROWS_COUNTED)
    held = {strings[string]: rows for string, rows in counts.items()}
    telling = [term for term in often if held[term] >= least]
    telling.sort(key=lambda term: -(1 + math.log(frequency[term])) * idf(statistics.entries, held[term]))
    return {term: held[term] for term in telling[:most]}
