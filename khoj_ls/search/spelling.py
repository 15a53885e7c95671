"""Words that no note has, and what was probably meant: the nearest of the words that stand somewhere.

Asked only where nothing at all was found by words, so that a right word is never put aside for a frequent one.
Damerau 1964, "A technique for computer detection and correction of spelling errors", CACM 7(3): most mistakes are one letter
too many, too few, wrong, or two in the wrong order.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence

from khoj_ls.search.matching import TOKENIZER
from khoj_ls.search.words import is_unspaced

_SHORTEST = 4
"""Of a shorter word almost every other is one letter away."""
_LONG = 8
"""From this length on two mistakes are let pass."""


def respelled(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, str]:
    """What was probably meant by those of `terms` that no entry holds: the stem of a word of the index that is near, by term.

    Stems are compared, as the index holds nothing else. Of several as near that which most entries hold. All begin with the
    letter of the term: nearly all mistakes leave it alone, and words with one first letter are read in no time.
    """
    likely = [term for term in terms if len(term) >= _SHORTEST and not is_unspaced(term)]
    meant = {term: _nearest(connection, stem, len(term)) for term, stem in zip(likely, _stems(likely), strict=True)}
    return {term: near for term, near in meant.items() if near}


def _stems(terms: Sequence[str]) -> list[str]:
    """The terms as the word index would hold them."""
    with contextlib.closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute(f"CREATE VIRTUAL TABLE t USING fts5(text, tokenize = '{TOKENIZER}')")
        scratch.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'instance')")
        scratch.executemany("INSERT INTO t (rowid, text) VALUES (?, ?)", enumerate(terms))
        stems = {row: stem for row, stem in scratch.execute("SELECT doc, term FROM v ORDER BY doc, offset DESC")}
    return [stems.get(number, term) for number, term in enumerate(terms)]


def _nearest(connection: sqlite3.Connection, stem: str, length: int) -> str | None:
    from rapidfuzz import process
    from rapidfuzz.distance import DamerauLevenshtein

    most = 2 if length >= _LONG else 1
    known = dict(
        connection.execute(
            "SELECT term, doc FROM entry_vocab WHERE term >= ?1 AND term < ?2 AND abs(length(term) - ?3) <= ?4",
            (stem[0], chr(ord(stem[0]) + 1), len(stem), most),
        ).fetchall()
    )
    near = process.extract(stem, known.keys(), scorer=DamerauLevenshtein.distance, score_cutoff=most, limit=None)
    return min(near, key=lambda found: (found[1], -known[found[0]], found[0]))[0] if near else None
