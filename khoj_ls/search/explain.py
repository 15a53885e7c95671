"""What moved a hit, in words and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from khoj_ls.config.settings import Tuning
from khoj_ls.search.candidates import Fused
from khoj_ls.search.fusion import Candidate, combine, lexical_share
from khoj_ls.search.rerank import Reranked
from khoj_ls.search.types import Explanation, SearchHit, SearchRequest, Source, Step


def explained(
    request: SearchRequest,
    hits: Iterable[SearchHit],
    candidates: Sequence[Candidate],
    steps: Iterable[Mapping[int, Sequence[Step]]],
    retrievers: Mapping[int, Mapping[str, Source]] | None = None,
    *,
    embedded: bool = False,
) -> tuple[SearchHit, ...]:
    """Hits with how each came to stand where it does.

    `candidates` are all that fusion brought, best first. `steps` are what each later stage did, first things first, by entry
    id. `retrievers` are how each entry and its note were seen, where more is known than the hit's `sources`; `embedded`
    says whether the query had a vector.
    """
    ranks = {candidate.entry.id: (rank, candidate.score) for rank, candidate in enumerate(candidates, 1)}
    stages = list(steps)
    embedded_as: Literal["query", "passage"] | None = "passage" if request.as_passage else "query"
    if not embedded:
        embedded_as = None
    told = []
    for hit in hits:
        rank, fused = ranks.get(hit.entry_id, (len(ranks) + 1, hit.score))
        seen = {**hit.sources, **(retrievers or {}).get(hit.entry_id, {})}
        moved = tuple(each for stage in stages for each in stage.get(hit.entry_id, ()))
        sources = MappingProxyType(seen)
        how = Explanation(sources, fused, rank, moved, hit.score, request.profile, request.tuning, embedded_as)
        told.append(replace(hit, explanation=how))
    return tuple(told)


def fusion_steps(every: Fused, candidates: Iterable[Candidate], request: SearchRequest) -> dict[int, tuple[Step, ...]]:
    """How the score of each candidate was put together, by entry id."""
    return {candidate.entry.id: _fusion_steps(every, candidate, request) for candidate in candidates}


def _fusion_steps(every: Fused, candidate: Candidate, request: SearchRequest) -> tuple[Step, ...]:
    lexical, notes, tuning, note = every.lexical, every.notes, request.tuning, candidate.entry.file_id
    share = lexical_share(lexical, every.dense, request.mode, tuning)
    words, cosine = lexical.entries.get(candidate.entry.id, 0.0), candidate.dense.score if candidate.dense else 0.0
    note_words, note_cosine = lexical.notes.get(note, 0.0), notes.meaning.get(note, cosine)
    own = combine(words, cosine, share)
    drawn = combine(
        notes.with_note(words, note_words, note, tuning.note_share),
        notes.with_note(cosine, note_cosine, note, tuning.note_share),
        share,
    )
    steps = [
        step(
            "note_share",
            own,
            drawn,
            f"{share:.0%} words, {1 - share:.0%} meaning, drawn towards those of its note",
            words=words,
            meaning=cosine,
            note_words=note_words,
            note_meaning=note_cosine,
            lexical_share=share,
            share=tuning.note_share * notes.focus.get(note, 1.0),
        )
    ]
    if request.mode == "dense":
        return tuple(steps)
    named = lexical.names.get(note, 0.0)
    named_score = (drawn + tuning.names_weight * named) / (1 + tuning.names_weight)
    why = "words of the note's path and title" if named else "no words in the note's path or title"
    steps.append(step("names", drawn, named_score, why, names=named, weight=tuning.names_weight))
    why = "it is or holds the query word for word" if candidate.exact else "what is not the query word for word stays below"
    steps.append(step("word_for_word", named_score, candidate.score, why))
    return tuple(steps)


def fusion_sources(every: Fused) -> dict[int, dict[str, Source]]:
    """How the notes of the candidates were seen, by entry id."""
    seen = {
        "lexical_note": _ranked(every.lexical.notes),
        "names": _ranked(every.lexical.names),
        "dense_note": _ranked(every.notes.meaning),
    }
    return {
        candidate.entry.id: {name: notes[note] for name, notes in seen.items() if (note := candidate.entry.file_id) in notes}
        for candidate in every.candidates
    }


def rerank_steps(candidates: Iterable[Candidate], reranked: Reranked) -> dict[int, tuple[Step, ...]]:
    """What the cross-encoder made of the scores of those that it read, by entry id."""
    after = {candidate.entry.id: candidate.score for candidate in reranked.candidates}
    return {
        (entry := candidate.entry.id): (
            step("rerank", candidate.score, after[entry], "read again with the query", rank=reranked.sources[entry].rank),
        )
        for candidate in candidates
        if candidate.entry.id in reranked.sources
    }


def _ranked(scores: Mapping[int, float]) -> dict[int, Source]:
    order = sorted(scores, key=lambda note: -scores[note])
    return {note: Source(rank, scores[note]) for rank, note in enumerate(order, 1)}


def step(name: str, before: float, after: float, why: str, **numbers: float) -> Step:
    """One thing that moved a hit, with what it was made of."""
    return Step(name, before, after, why, MappingProxyType(numbers))


def type_step(before: float, after: float, kind: str, weight: float) -> Step:
    """What the content type of the note did."""
    return step("type", before, after, f"its note is of type {kind}", weight=weight)


def recency_step(before: float, after: float, age: float, factor: float) -> Step:
    """What the age of the passage did; `age` is in days."""
    days = "of today" if age < 1 else f"{age:,.0f} day{'' if round(age) == 1 else 's'} from today"
    return step("recency", before, after, days, age_days=age, factor=factor)


def diversity_step(score: float, tuning: Tuning, cosine: float, place: int | None, *, compared: bool) -> Step:
    """What it says that a better hit says already. `place` is the better one's, None when that is not shown.

    Where not both have a vector they are not `compared`: their cosine is what cosines are on average. The order is changed by
    it; the score is not.
    """
    nearest = f"hit {place}" if place else "one that is not shown"
    why = f"of all before it the nearest is {nearest}" if compared else f"without a vector, it or {nearest} is like any other"
    numbers = {"cosine": cosine, "penalty": tuning.diversity_weight * cosine, **({"nearest": float(place)} if place else {})}
    return step("diversity", score, score, why, **numbers)


def cap_step(score: float, tuning: Tuning, number: int) -> Step | None:
    """How many hits of its note stand before it."""
    most = tuning.max_per_file
    if most <= 0:
        return None
    why = f"number {number} of its note, of at most {most}"
    if number > most:
        why = f"number {number} of its note, over the cap of {most}: no other note fills the limit"
    return step("cap", score, score, why, number=number, most=most)


def threshold_step(candidate: Candidate, tuning: Tuning) -> Step | None:
    """Why the threshold left it in."""
    if not tuning.score_threshold:
        return None
    cosine = candidate.dense.score if candidate.dense else 0.0
    if candidate.exact or candidate.lexical > 0.0:
        why = "words speak for it, so that its cosine may be any"
    else:
        why = f"its cosine is not below {tuning.score_threshold:g}"
    return step("threshold", candidate.score, candidate.score, why, cosine=cosine, threshold=tuning.score_threshold)


def behind_step(own: float, shown: float) -> Step | None:
    """That it shows less than its own score, where one that scores less stands before it."""
    return step("behind", own, shown, "a hit that scores less stands before it") if shown < own else None
