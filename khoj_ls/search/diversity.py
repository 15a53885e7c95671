"""Maximal marginal relevance: what a better hit says already is worth less.

Carbonell & Goldstein 1998, "The use of MMR, diversity-based reranking for reordering documents and producing summaries".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
) -> list[Pick]:
    """All of a ranking, each time the one next for which (1 - `weight`) score - `weight` cosine is highest.

    `vectors` are of unit length, by the `ids` of the ranking; a pair of which one has none counts as near as pairs are on
    average, so that what is not embedded yet is neither favoured nor hidden. The first `held` stay before all others. Of equals
    the one that was before stays before; with a weight of 0 all do.
    """
    import numpy as np

    if not scores:
        return []
    cosines = _cosines(ids, vectors)
    worth = (1.0 - weight) * np.asarray(scores, np.float64)
    closest = np.zeros(len(scores))
    nearest = np.full(len(scores), -1)
    left: np.ndarray = np.ones(len(scores), bool)
    picks: list[Pick] = []
    while len(picks) < len(scores):
        last = held if len(picks) < held else len(scores)
        index = int(np.argmax(np.where(left[:last], worth[:last] - weight * closest[:last], -np.inf)))
        before = int(nearest[index])
        picks.append(Pick(index, float(closest[index]), before if before >= 0 else None))
        left[index] = False
        nearer = (cosines[index] > closest) | (nearest < 0)
        closest = np.where(nearer, cosines[index], closest)
        nearest = np.where(nearer, index, nearest)
    return picks


def _cosines(ids: Sequence[int], vectors: Mapping[int, Vector]) -> np.ndarray:
    """Cosine of each with each, clipped to 0..1."""
    import numpy as np

    known = [place for place, each in enumerate(ids) if each in vectors]
    cosines = np.zeros((len(ids), len(ids)))
    if known:
        matrix = np.frombuffer(b"".join(vectors[ids[place]] for place in known), np.float32).reshape(len(known), -1)
        near = np.clip(matrix @ matrix.T, 0.0, 1.0)
        pairs = len(known) * (len(known) - 1)
        cosines[:] = (near.sum() - np.trace(near)) / pairs if pairs else 0.0
        cosines[np.ix_(known, known)] = near
    return cosines
