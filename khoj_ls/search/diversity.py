"""Maximal marginal relevance: what a better hit says already is worth less.

Carbonell & Goldstein 1998, "The use of MMR, diversity-based reranking for reordering documents and producing summaries".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from khoj_ls.core.types import Vector

if TYPE_CHECKING:
    import numpy as np


class Pick(NamedTuple):
    """One of a ranking, in the order in which they are to be shown."""

    place: int
    """Its place in the ranking that was given, from 0."""
    cosine: float
    """How near it is to the nearest of those picked before it, 0..1; 0 for the first."""
    nearest: int | None
    """The place, in the ranking that was given, of that one."""


def marginal(
    scores: Sequence[float], ids: Sequence[int], vectors: Mapping[int, Vector], weight: float, held: int = 0
) -> Iterator[Pick]:
    """All of a ranking, each time the one next for which (1 - `weight`) score - `weight` cosine is highest.

    `vectors` are of unit length, by the `ids` of the ranking; a pair of which one has none counts as near as pairs are on
    average, so that what is not embedded yet is neither favoured nor hidden. The first `held` stay before all others. Of equals
    the one that was before stays before; with a weight of 0 all do. They are picked one by one: nobody pays for more than is
    shown.
    """
    import numpy as np

    if not scores:
        return
    known = np.array([place for place, each in enumerate(ids) if each in vectors], np.intp)
    data = b"".join(vectors[ids[place]] for place in known)
    matrix = np.frombuffer(data, np.float32).reshape(len(known), -1) if len(known) else np.empty((0, 0), np.float32)
    rows = {int(place): row for row, place in enumerate(known)}
    usual = _mean_cosine(matrix)
    worth = (1.0 - weight) * np.asarray(scores, np.float64)
    closest = np.full(len(scores), -1.0)
    nearest = np.full(len(scores), -1)
    for number in range(len(scores)):
        last = held if number < held else len(scores)
        place = int(np.argmax(worth[:last] - weight * closest[:last].clip(0.0)))
        before = int(nearest[place])
        yield Pick(place, max(0.0, float(closest[place])), before if before >= 0 else None)
        worth[place] = -np.inf
        cosines = np.full(len(scores), usual)
        if place in rows:
            cosines[known] = (matrix @ matrix[rows[place]]).clip(0.0, 1.0)
        nearer = cosines > closest
        closest[nearer] = cosines[nearer]
        nearest[nearer] = place


def _mean_cosine(matrix: np.ndarray) -> float:
    """Of all pairs of different unit vectors, 0 to 1: their sum's squared length has each pair twice, and each vector once."""
    count = len(matrix)
    if count < 2:
        return 0.0
    total = matrix.sum(axis=0)
    return float(min(1.0, max(0.0, (total @ total - count) / (count * (count - 1)))))
