"""From candidates to the hits that are shown: the threshold, the cap per note, the limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from khoj_ls.search.fusion import Candidate


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


def capped(notes: Sequence[int], limit: int, max_per_file: int) -> list[int]:
    """Which of a ranking to show, as ascending indices: at most `max_per_file` of one note while others fill the limit.

    `notes` is the note of each, best first. What the cap kept out comes back when the limit is not reached without it.
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
