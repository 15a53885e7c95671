"""The words that tell what a longer text is about: frequent in it, rare elsewhere."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Sequence

from khoj_ls.search.bm25 import idf
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
    held = _entries_with(connection, often)
    telling = [term for term in often if held[term] >= least]
    telling.sort(key=lambda term: -(1 + math.log(frequency[term])) * idf(statistics.entries, held[term]))
    return {term: held[term] for term in telling[:most]}


def _entries_with(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """How many entries hold each term: exactly for few, else by how densely the first few stand."""
    rows = connection.execute(
        "SELECT wanted.key, (SELECT count(*) || ' ' || ifnull(max(rowid), 0) FROM "
        "(SELECT rowid FROM entry_fts WHERE entry_fts MATCH wanted.value LIMIT ?)) FROM json_each(?) wanted",
        (_ROWS_COUNTED + 1, json.dumps([phrase(term) for term in terms])),
    )
    counts = {terms[number]: [int(part) for part in counted.split()] for number, counted in rows}
    highest = 0
    if any(found > _ROWS_COUNTED for found, _ in counts.values()):
        (highest,) = connection.execute("SELECT max(id) FROM entry").fetchone()
    return {term: found if found <= _ROWS_COUNTED else found * highest // last for term, (found, last) in counts.items()}
