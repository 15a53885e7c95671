"""Putting the retrievers' answers together.

A convex combination of normalised scores orders better than ranks do (Bruch, Gai & Ingber 2023, "An analysis of fusion
functions for hybrid retrieval", ACM TOIS 42). Both scores are normalised by what they can be, not by what they were for this
query, so the combination is absolute as well: it is shown as it is, and a low best hit means that nothing fits.
Reciprocal rank fusion is for retrievers whose range is not known (Cormack, Clarke & Büttcher 2009).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from khoj_ls.config.settings import Tuning
from khoj_ls.search.dense import DenseMatch, EntryRef
from khoj_ls.search.lexical import LexicalMatches
from khoj_ls.search.notes import WholeNotes
from khoj_ls.search.types import Mode

_INEXACT = 0.9
"""The best that is not the query word for word stays below all that is."""
_RRF_K = 60

Item = TypeVar("Item", bound=Hashable)


class Candidate(NamedTuple):
    """An entry that may become a hit, with how each retriever saw it."""

    entry: EntryRef
    score: float
    lexical: float
    """0 when neither it nor its note was found by words."""
    dense: DenseMatch | None
    worded: bool = False
    """Whether words were found in the entry itself."""
    exact: bool = False
    """Whether it is, or holds, the query word for word."""


def fuse(
    entries: Iterable[EntryRef],
    lexical: LexicalMatches,
    dense: Mapping[EntryRef, DenseMatch] | None,
    notes: WholeNotes,
    mode: Mode,
    tuning: Tuning,
) -> list[Candidate]:
    """All candidates, best first; `dense` is None when there is no vector to compare with, and words alone decide."""
    share, weight = tuning.note_share, tuning.names_weight
    by_words_share = lexical_share(lexical, dense, mode, tuning)
    # Looked up once: this is done for hundreds of entries in each search.
    own_words, note_words, names = lexical.entries.get, lexical.notes.get, lexical.names.get
    nearest_of, meaning, with_note = (dense or {}).get, notes.meaning.get, notes.with_note
    candidates = []
    for entry in entries:
        entry_id, note, ordinal = entry
        words, nearest = own_words(entry_id), nearest_of(entry)
        by_words = with_note(words or 0.0, note_words(note, 0.0), note, share)
        cosine = nearest.score if nearest else 0.0
        by_meaning = with_note(cosine, meaning(note, cosine), note, share)
        exact = entry_id in lexical.exact or (ordinal == 0 and note in lexical.titled)
        score = combine(by_words, by_meaning, by_words_share)
        if mode != "dense":
            score = (score + weight * names(note, 0.0)) / (1 + weight)
            score = word_for_word(score) if exact else _INEXACT * score
        if score > 0.0:
            worded = words is not None or entry_id in lexical.exact
            candidates.append(Candidate(entry, score, by_words, nearest, worded, exact))
    return ordered(candidates)


def lexical_share(lexical: LexicalMatches, dense: Mapping[EntryRef, DenseMatch] | None, mode: Mode, tuning: Tuning) -> float:
    """What words count beside meaning. Of words that stand nowhere they can say nothing: that part is left to meaning."""
    if mode == "dense":
        return 0.0
    return tuning.lexical_share * lexical.known if mode == "hybrid" and dense is not None else 1.0


def combine(lexical: float, dense: float, share: float) -> float:
    """The convex combination of two scores of 0..1."""
    return share * lexical + (1 - share) * dense


def word_for_word(score: float) -> float:
    """The score of a candidate that holds the query word for word: above all others, in the same order among themselves."""
    return _INEXACT + (1 - _INEXACT) * score


def sign_for_sign(score: float, holds: bool) -> float:
    """The score of a candidate that holds the query word for word, above (`holds`) or below those with other signs between."""
    return _INEXACT + (score - _INEXACT + (1 - _INEXACT) * holds) / 2


def ordered(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Best first; equals in the order in which they stand in their notes."""
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.entry.file_id, candidate.entry.ordinal))


def reciprocal_ranks(rankings: Iterable[Sequence[Item]], k: int = _RRF_K) -> dict[Item, float]:
    """Sum of 1 / (k + rank) over the rankings that hold an item."""
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return scores
