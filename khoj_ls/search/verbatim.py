"""Candidates read as they are written: phrases that must or must not occur, and the query itself word for word."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence

from khoj_ls.query.phrases import occurs
from khoj_ls.query.types import Query
from khoj_ls.search.fusion import Candidate, ordered, sign_for_sign, word_for_word
from khoj_ls.search.lexical import is_sentence
from khoj_ls.search.words import flexible, literal, words
from khoj_ls.store.fts import SAID

_READ_FOR_SENTENCE = 20
"""How many of the best candidates are read for the query word for word, past markup that the word index sees."""
_READ_FOR_SIGNS = 60


def holding(connection: sqlite3.Connection, query: Query, candidates: list[Candidate]) -> list[Candidate]:
    """Candidates that hold every required phrase of the query and no excluded one, as typed."""
    texts = _texts(connection, candidates)

    def holds(candidate: Candidate, phrase: str) -> bool:
        return any(occurs(phrase, text) for text in texts.get(candidate.entry.id, ()))

    return [
        candidate
        for candidate in candidates
        if all(holds(candidate, required) for required in query.required)
        and not any(holds(candidate, excluded) for excluded in query.excluded)
    ]


def sentence_first(connection: sqlite3.Connection, text: str, typed: str, candidates: list[Candidate]) -> list[Candidate]:
    """Candidates with those put first that hold `text` word for word once markup is read past; of these, those as `typed`."""
    asked = words(text)
    if not is_sentence(asked):
        return candidates
    doubtful = [candidate for candidate in candidates if candidate.lexical and not candidate.exact][:_READ_FOR_SENTENCE]
    lowered = [word.lower() for word in asked]
    # The pattern is slow to make, and slow on text that does not hold the words at all.
    likely = [
        (entry, form)
        for entry, forms in _texts(connection, doubtful).items()
        for form in forms
        if all(word in folded for folded in (form.lower(),) for word in lowered)
    ]
    sentence = flexible(asked) if likely else None
    found = {entry for entry, form in likely if sentence and sentence.search(form)}
    if found:
        candidates = ordered(
            c._replace(score=word_for_word(c.score), exact=True) if c.entry.id in found else c for c in candidates
        )
    return _signs_first(connection, typed, candidates)


def sentence_patterns(text: str, typed: str, shown: Iterable[Candidate]) -> Sequence[re.Pattern[str]]:
    """The query as patterns, the strictest first, where one of what is shown holds it word for word."""
    return (literal(typed), flexible(words(text))) if any(candidate.exact for candidate in shown) else ()


def _signs_first(connection: sqlite3.Connection, typed: str, candidates: list[Candidate]) -> list[Candidate]:
    """Of candidates that hold the query word for word, those first that hold it sign for sign: code has more than words."""
    exact = [candidate for candidate in candidates if candidate.exact]
    if len(exact) < 2 or typed.split() == words(typed):
        return candidates
    as_typed = literal(typed)
    texts = _texts(connection, exact[:_READ_FOR_SIGNS])
    found = {entry for entry, forms in texts.items() if any(as_typed.search(form) for form in forms)}
    if not found:
        return candidates
    return ordered(c._replace(score=sign_for_sign(c.score, c.entry.id in found)) if c.exact else c for c in candidates)


def _texts(connection: sqlite3.Connection, candidates: Iterable[Candidate]) -> dict[int, tuple[str, str]]:
    """Source, where people read that, and readable form of candidates, by entry id."""
    rows = connection.execute(
        f"SELECT e.id, {SAID}, e.text FROM entry e JOIN file f ON f.id = e.file_id "
        "WHERE e.id IN (SELECT value FROM json_each(?))",
        (json.dumps([candidate.entry.id for candidate in candidates]),),
    )
    return {entry: (said, text) for entry, said, text in rows}
