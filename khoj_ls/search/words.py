"""Words of a text and of a query, cut as the word index cuts them.

The index writes scripts without blanks character by character (`core.text.spaced`): there a word of a query becomes its pairs
of neighbouring characters, each a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from khoj_ls.core.text import spaced
from khoj_ls.search.stopwords import content_words

_ASCII_WORD = re.compile(r"[^\W_]+")
_CONTRACTION = re.compile(r"(?<=\w)['’](?:s|t|d|m|ll|re|ve)\b", re.IGNORECASE)
_UNQUOTABLE = re.compile(r'["\x00-\x1f]')
_WORD_CATEGORIES = frozenset("LNM")


def words(text: str) -> list[str]:
    """Runs of letters, numbers and their marks, in order, as typed."""
    if text.isascii():
        return _ASCII_WORD.findall(text)
    others = {ord(char): " " for char in set(text) if unicodedata.category(char)[0] not in _WORD_CATEGORIES}
    return text.translate(others).split()


def query_terms(text: str) -> list[str]:
    """What to look for, in order, with repeats: lower-case words without function words; pairs where no blanks are written."""
    found = [word.lower() for word in words(_CONTRACTION.sub(" ", text))]
    return [term for word in content_words(found) for term in ((word,) if word.isascii() else _grams(word, 2))]


def adjacent_terms(text: str) -> list[str]:
    """Pairs of content words that stand side by side in `text`, as phrases; triples of characters in unspaced scripts."""
    found = [word.lower() for word in words(_CONTRACTION.sub(" ", text))]
    content = set(content_words(found))
    pairs: dict[str, None] = {}
    for word in found:
        if is_unspaced(word) and len(word) > 2:
            pairs.update(dict.fromkeys(term for term in _grams(word, 3) if is_unspaced(term) and len(term) > 2))
    for first, second in pairwise(found):
        if first in content and second in content and not is_unspaced(first + second):
            pairs[f"{first} {second}"] = None
    return list(pairs)


def is_unspaced(text: str) -> bool:
    """Whether `text` has characters of a script that is written without blanks."""
    return spaced(text) != text


def phrase(text: str, *, prefix: bool = False) -> str:
    """An FTS5 string: the words of `text` side by side, cut by FTS5 itself. Never a syntax error, whatever `text` holds."""
    return f'"{" ".join(spaced(_UNQUOTABLE.sub(" ", text)).split())}"' + (" *" if prefix else "")


def any_of(terms: Iterable[str]) -> str:
    """An FTS5 expression that finds any of `terms`; empty when there are none."""
    return " OR ".join(phrase(term) for term in terms)


def same_words(text: str, asked: Sequence[str]) -> bool:
    """Whether `text` consists of the words `asked`, in any case."""
    return [word.lower() for word in words(text)] == [word.lower() for word in asked]


def flexible(parts: Sequence[str]) -> re.Pattern[str]:
    """A pattern for `parts` in a row, in any case, whatever stands between them that is no word: blanks, breaks, markup."""
    pattern = ""
    glued = True
    for part in parts:
        # The characters of an unspaced script may have a line break between them, and need none around them.
        unspaced = is_unspaced(part)
        if pattern:
            pattern += r"[\W_]*" if glued and unspaced else r"[\W_]+"
        pattern += r"[\W_]*".join(map(re.escape, part)) if unspaced else re.escape(part)
        glued = unspaced
    before = "" if not parts or is_unspaced(parts[0]) else r"(?<![^\W_])"
    behind = "" if glued else r"(?![^\W_])"
    return re.compile(before + pattern + behind, re.IGNORECASE)


def literal(text: str) -> re.Pattern[str]:
    """A pattern for `text` sign for sign, in any case, with any blanks where it has some."""
    return re.compile(r"\s+".join(re.escape(piece) for piece in text.split()), re.IGNORECASE)


def _grams(word: str, size: int) -> Iterator[str]:
    run = ""
    for piece in spaced(word).split():
        if is_unspaced(piece):
            run += piece
            continue
        yield from _windows(run, size)
        run = ""
        yield piece
    yield from _windows(run, size)


def _windows(run: str, size: int) -> list[str]:
    return [run[start : start + size] for start in range(max(1, len(run) - size + 1))] if run else []
