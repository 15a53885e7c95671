"""Words that no note has, and what was probably meant: the nearest of the words that stand somewhere.

Asked only where nothing at all was found by words, so that a right word is never put aside for a frequent one.
Damerau 1964, "A technique for computer detection and correction of spelling errors", CACM 7(3): most mistakes are one letter
too many, too few, wrong, or two in the wrong order.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from khoj_ls.search.stems import cut, cutter
from khoj_ls.search.vocabulary import Near, Vocabulary
from khoj_ls.search.words import is_unspaced

_SHORTEST = 4
"""Of a shorter word almost every other is one letter away."""
_FIRST_LETTER = 6
"""From this length on the first letter may be wrong: `house` and `mouse` are two words, `jnterface` is none."""
_LONG = 7
"""From this length of the stem on two mistakes are let pass."""
_LONGEST = 32
_MOST = 8
"""Terms that are looked at: where none of more words stands anywhere, they are of another language, and no mistakes."""
_ENDING = 6
"""Letters at the end of a word of which a stem may know nothing: `-ation`."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def respelled(connection: sqlite3.Connection, terms: Sequence[str], vocabulary: Vocabulary) -> dict[str, str]:
    """What was probably meant by those of `terms` that no entry holds: the stem of a word of the index that is near, by term.

    Stems are compared, as the index holds nothing else. The one with the fewest mistakes is meant; of several, one with the
    same first letter, as nearly all mistakes leave it alone, and then the one that most entries hold. Signs that are written
    without blanks (CJK) and numbers are left as they are.
    """
    likely = [term for term in terms if _SHORTEST <= len(term) <= _LONGEST and not is_unspaced(term) and not term.isnumeric()]
    meant = {}
    for term, stem in zip(likely[:_MOST], _stems(likely[:_MOST]), strict=True):
        found = vocabulary.near(connection, stem, 2 if len(stem) >= _LONG else 1)
        if min((each.edits for each in found), default=2) > 1:
            found += _with_other_endings(connection, term)
        if near := _most_likely(term, found):
            meant[term] = near
    return meant


def _most_likely(term: str, found: Iterable[Near]) -> str | None:
    likely = [each for each in found if each.stem[0] == term[0] or len(term) >= _FIRST_LETTER]
    return (
        min(likely, key=lambda near: (near.edits, near.stem[0] != term[0], -near.entries, near.stem)).stem if likely else None
    )


def _with_other_endings(connection: sqlite3.Connection, term: str) -> list[Near]:
    """The words that `term` is but for one mistake in its ending, where it has kept the stem from being found.

    The stem of `configuratoin` is all of it, and far from that of `configuration`.
    """
    if not (term.isascii() and term.isalpha() and len(term) >= _FIRST_LETTER):
        return []
    marks = dict.fromkeys(_stems(list(dict.fromkeys(_one_mistake_less(term)))))
    rows = connection.execute(f"SELECT term, doc FROM entry_vocab WHERE term IN ({', '.join('?' * len(marks))})", tuple(marks))
    return [Near(stem, 1, entries) for stem, entries in rows]


def _one_mistake_less(term: str) -> Iterator[str]:
    """What `term` may have been before a mistake among its last letters."""
    for at in range(len(term) - _ENDING, len(term) + 1):
        before, after = term[:at], term[at:]
        yield from (before + letter + after for letter in _LETTERS)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in _LETTERS)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def _stems(terms: Sequence[str]) -> list[str]:
    """The terms as the word index would hold them."""
    with contextlib.closing(cutter()) as scratch:
        tokens = cut(scratch, terms)
    return [tokens[term][0] if tokens[term] else term for term in terms]
