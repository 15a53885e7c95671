"""How near two ways of computing a model come to each other, and how much faster one is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from khoj_ls.config.settings import Settings
from khoj_ls.core.types import Vector
from khoj_ls.models.batches import Backend
from khoj_ls.models.exporting import PROBES

LEAST_COSINE = 0.999
"""Of a text's two vectors: with less, what is computed in the one way is not kept beside what is computed in the other."""
LEAST_SAME = 0.98
"""Share of the ten nearest that must be the same."""
LEAST_GAIN = 1.1
"""How many times as fast what finds the same has to be, to be worth it."""
TIMED = 16
"""So many texts are timed: the longest, as long as passages are, or the shortest, as questions are."""
_NEAREST = 10
_TIE = 1e-4
_ROUNDS = 3


@dataclass(frozen=True)
class Agreement:
    """How near two ways of computing the same texts come to each other."""

    cosine: float
    """The lowest of a text's vector with its other one."""
    same: float
    """Share of the ten nearest that are the same, in the worst of the searches that are to find the same."""

    @property
    def interchangeable(self) -> bool:
        """Whether the one vector may stand for the other."""
        return self.cosine >= LEAST_COSINE and self.same >= LEAST_SAME

    def __str__(self) -> str:
        return f"{self.same:.1%} of the ten nearest are the same, lowest cosine {self.cosine:.5f}"


def probes() -> list[str]:
    """Some 70 texts, short and long, that every installation has: those that exports are tested with, and the settings' own."""
    said = list(_said(Settings))
    return [*PROBES, *said[::2], *(" ".join(said[at : at + 6]) for at in range(0, len(said), 6))]


def agreement(exact: Sequence[Vector], other: Sequence[Vector]) -> Agreement:
    """Compare two ways of computing the same texts, in the same order, where vectors of both are to lie in one index."""
    one, two = _rows(exact), _rows(other)
    return _agreement(one, two, [(two, two), (one, two)])


def agreement_of_queries(exact: Sequence[Vector], other: Sequence[Vector], *notes: Sequence[Vector]) -> Agreement:
    """The same where vectors of the `other` kind only search, those of `notes`: the same texts, computed as notes may be."""
    two = _rows(other)
    return _agreement(_rows(exact), two, [(two, _rows(each)) for each in notes])


def _rows(vectors: Sequence[Vector]) -> np.ndarray:
    rows: np.ndarray = np.frombuffer(b"".join(vectors), "<f4").reshape(len(vectors), -1)
    return rows


def _agreement(one: np.ndarray, two: np.ndarray, searches: Iterable[tuple[np.ndarray, np.ndarray]]) -> Agreement:
    same = min(same_nearest(one @ one.T, queries @ notes.T) for queries, notes in searches)
    return Agreement(float((one * two).sum(axis=1).min()), same)


def same_nearest(truth: np.ndarray, scores: np.ndarray, nearest: int = _NEAREST) -> float:
    """Share of the `nearest` best of each row of `scores` that are among those of `truth`; ties count."""
    nearest = min(nearest, truth.shape[1])
    last = np.sort(truth, axis=1)[:, -nearest, None]
    found = np.argpartition(-scores, nearest - 1, axis=1)[:, :nearest]
    return float((np.take_along_axis(truth, found, axis=1) >= last - _TIE).mean())


def compared(exact: Backend, other: Backend, texts: Sequence[str]) -> tuple[Agreement, float]:
    """How near `other` comes to `exact`, and how many times as fast it computes passages."""
    vectors, others = computed(exact, texts), computed(other, texts)
    passages = sorted(texts, key=len)[-TIMED:]
    return agreement(vectors, others), gain(lambda: computed(exact, passages), lambda: computed(other, passages))


def gain(before: Callable[[], object], after: Callable[[], object]) -> float:
    """How many times as fast the one is as the other: the best of some rounds, in turns."""
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        ours.append(_seconds(before))
        theirs.append(_seconds(after))
    return min(ours) / min(theirs)


def computed(backend: Backend, texts: Sequence[str]) -> list[Vector]:
    """Vectors of `texts`, in order, on the calling thread."""
    vectors = [b""] * len(texts)
    for batch in backend.plan(texts):
        for place, vector in zip(batch.places, backend.run(batch), strict=True):
            vectors[place] = vector
    return vectors


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _said(settings: Any) -> Iterator[str]:
    """What the settings say of themselves, section by section."""
    for each in fields(settings):
        if "doc" in each.metadata:
            yield str(each.metadata["doc"])
        section: Any = each.default_factory  # the class of the section, where it is one
        if is_dataclass(section):
            yield from _said(section)
