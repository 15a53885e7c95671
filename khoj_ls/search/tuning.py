"""From candidates to the hits that are shown: threshold, type weights, recency, diversity, the cap per note, the limit.

Each is a number of the request's profile; one that is not set costs nothing and moves nothing. What holds the query word for
word stays before all else: it is moved among its like only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, takewhile, tee
from types import MappingProxyType

from khoj_ls.config.settings import Tuning
from khoj_ls.search.diversity import Pick, marginal
from khoj_ls.search.explain import behind_step, cap_step, diversity_step, recency_step, threshold_step, type_step
from khoj_ls.search.facts import Facts
from khoj_ls.search.fusion import Candidate, word_for_word
from khoj_ls.search.recency import recency_factor
from khoj_ls.search.types import Step

_POOL = 60
"""How many candidates each retriever brings at least, unless the profile says how many."""
_POOL_PER_HIT = 4
_EXACT_FROM = word_for_word(0.0)
"""What holds the query word for word scores this at least, and nothing else does."""

FactsReader = Callable[[Sequence[Candidate]], Facts]
"""Reads what is to know of candidates: `facts.read_facts`, with all but them filled in."""


def _unread(candidates: Sequence[Candidate]) -> Facts:
    return Facts()


@dataclass(frozen=True)
class TunedRanking:
    """What is to be shown."""

    candidates: list[Candidate]
    """Best first. Their scores never rise: one that a better score stands behind shows no more than that one is worth here."""
    steps: Mapping[int, tuple[Step, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """What moved each, by entry id, where that was asked."""


def pool_size(tuning: Tuning, limit: int) -> int:
    """How many candidates each retriever brings, and for how many of the best facts are read."""
    return max(tuning.bi_encoder_top_k or _POOL, _POOL_PER_HIT * limit)


def tune(
    candidates: Sequence[Candidate], tuning: Tuning, limit: int, read: FactsReader = _unread, *, explain: bool = False
) -> TunedRanking:
    """The best `limit` of `candidates`, which come best first, by the profile's numbers.

    The first `pool_size` of those that pass the threshold are weighed and made diverse; the rest follow as they are, to fill
    the limit. What is to know of them is asked of `read` where a number is set that needs it, and not else.
    """
    kept = above_threshold(candidates, tuning.score_threshold)
    reach = pool_size(tuning, limit)
    facts = read(kept[:reach]) if needs_facts(tuning) else Facts()
    near = _weighed(kept[:reach], tuning, facts)
    one, same = tee(chain(_diverse(near, tuning, facts), ((candidate, None) for candidate in kept[reach:])))
    taken = capped((candidate.entry.file_id for candidate, _ in one), limit, tuning.max_per_file)
    order = list(islice(same, max(taken, default=-1) + 1))
    shown = _falling(order[index][0] for index in taken)
    return TunedRanking(shown, _steps(kept, near, order, shown, tuning, facts) if explain else {})


def needs_facts(tuning: Tuning) -> bool:
    """Whether a number is set that looks at types, dates or vectors."""
    return bool(tuning.type_weights or tuning.recency_bias or tuning.diversity_weight)


def apart(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Candidates of which no two show the same lines: a passage over several entries swallows those after it, or yields."""
    shown: set[int] = set()
    kept = []
    for candidate in candidates:
        if candidate.entry.id in shown:
            continue
        dense = candidate.dense
        if dense and dense.covered:
            together = {candidate.entry.id} if shown & set(dense.covered) else set(dense.covered)
            if len(together) == 1:
                candidate = candidate._replace(dense=dense._replace(covered=()))
            shown |= together
        shown.add(candidate.entry.id)
        kept.append(candidate)
    return kept


def above_threshold(candidates: Iterable[Candidate], threshold: float) -> list[Candidate]:
    """Candidates without those that no word of the query speaks for and whose cosine with it is below `threshold`."""
    return [
        candidate
        for candidate in candidates
        if candidate.exact or candidate.lexical > 0.0 or (candidate.dense.score if candidate.dense else 0.0) >= threshold
    ]


def capped(notes: Iterable[int], limit: int, max_per_file: int) -> list[int]:
    """Which of a ranking to show, as ascending indices: at most `max_per_file` of one note while others fill the limit.

    `notes` is the note of each, best first; no more of them are looked at than it takes. What the cap kept out comes back when
    the limit is not reached without it.
    """
    taken: list[int] = []
    kept_out: list[int] = []
    seen: Counter[int] = Counter()
    for index, note in enumerate(notes):
        seen[note] += 1
        (taken if max_per_file <= 0 or seen[note] <= max_per_file else kept_out).append(index)
        if len(taken) == limit:
            break
    return sorted([*taken, *kept_out[: limit - len(taken)]])


def _weighed(candidates: list[Candidate], tuning: Tuning, facts: Facts) -> list[Candidate]:
    """Candidates by their scores with type and age taken into account, best first; equals stay in their order."""
    if not tuning.type_weights and not tuning.recency_bias:
        return candidates
    scored = [
        candidate._replace(
            score=_scaled(candidate, _type_weight(candidate, tuning, facts) * _recency(candidate, tuning, facts))
        )
        for candidate in candidates
    ]
    return sorted(scored, key=lambda candidate: -candidate.score)


def _type_weight(candidate: Candidate, tuning: Tuning, facts: Facts) -> float:
    return tuning.type_weights.get(facts.types.get(candidate.entry.id, ""), 1.0)


def _recency(candidate: Candidate, tuning: Tuning, facts: Facts) -> float:
    age = facts.ages.get(candidate.entry.id)
    return 1.0 if age is None else recency_factor(age, tuning.recency_bias, tuning.recency_decay_days)


def _scaled(candidate: Candidate, factor: float) -> float:
    """The candidate's score times `factor`, within the range of those that hold the query word for word if it does."""
    least = _EXACT_FROM if _leads(candidate) else 0.0
    return least + (candidate.score - least) * factor


def _leads(candidate: Candidate) -> bool:
    return candidate.exact and candidate.score >= _EXACT_FROM


def _diverse(near: list[Candidate], tuning: Tuning, facts: Facts) -> Iterator[tuple[Candidate, Pick | None]]:
    """Candidates in the order that is diverse, each with what decided; as they are where diversity is not asked for."""
    if not tuning.diversity_weight or not facts.vectors:
        yield from ((candidate, None) for candidate in near)
        return
    ids = [candidate.entry.id for candidate in near]
    leading = sum(1 for _ in takewhile(_leads, near))
    for pick in marginal([candidate.score for candidate in near], ids, facts.vectors, tuning.diversity_weight, leading):
        yield near[pick.place], pick


def _falling(candidates: Iterable[Candidate]) -> list[Candidate]:
    shown: list[Candidate] = []
    for candidate in candidates:
        if shown and candidate.score > shown[-1].score:
            candidate = candidate._replace(score=shown[-1].score)
        shown.append(candidate)
    return shown


def _steps(
    kept: Sequence[Candidate],
    near: Sequence[Candidate],
    order: Sequence[tuple[Candidate, Pick | None]],
    shown: Sequence[Candidate],
    tuning: Tuning,
    facts: Facts,
) -> dict[int, tuple[Step, ...]]:
    """What moved each of those `shown`, by entry id."""
    before = {candidate.entry.id: candidate for candidate in kept[: len(near)]}
    places = {candidate.entry.id: place for place, candidate in enumerate(shown, 1)}
    seen: Counter[int] = Counter()
    steps = {}
    for candidate, pick in order:
        entry = candidate.entry.id
        seen[candidate.entry.file_id] += 1
        if entry not in places:
            continue
        told: list[Step | None] = _weighing(before[entry], tuning, facts) if entry in before else []
        if pick and pick.nearest is not None:
            other = near[pick.nearest].entry.id
            compared = entry in facts.vectors and other in facts.vectors
            told.append(diversity_step(candidate.score, tuning, pick.cosine, places.get(other), compared=compared))
        told.append(cap_step(candidate.score, tuning, seen[candidate.entry.file_id]))
        told.append(threshold_step(candidate, tuning))
        told.append(behind_step(candidate.score, shown[places[entry] - 1].score))
        steps[entry] = tuple(each for each in told if each)
    return steps


def _weighing(candidate: Candidate, tuning: Tuning, facts: Facts) -> list[Step | None]:
    """What its type and its age do to the score of a candidate."""
    steps: list[Step | None] = []
    entry = candidate.entry.id
    if entry in facts.types and tuning.type_weights:
        weight = _type_weight(candidate, tuning, facts)
        after = _scaled(candidate, weight)
        steps.append(type_step(candidate.score, after, facts.types[entry], weight))
        candidate = candidate._replace(score=after)
    if entry in facts.ages and tuning.recency_bias:
        factor = _recency(candidate, tuning, facts)
        steps.append(recency_step(candidate.score, _scaled(candidate, factor), facts.ages[entry], factor))
    return steps
