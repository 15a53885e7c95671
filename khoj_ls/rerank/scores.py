"""Scores as they travel between processes, and how any model's come to lie between 0 and 1."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from khoj_ls.models.messages import Value

_SCORE = struct.Struct("<f")


def read_score(value: Value) -> float:
    """A score as it was sent."""
    return float(_SCORE.unpack(value)[0])


def between_0_and_1(scores: Sequence[float]) -> list[float]:
    """Scores of one service, in the same order: as they are where they all lie in 0..1, else through the logistic function.

    Most services answer with relevance of 0..1, some with the bare output of their model.
    """
    if all(0.0 <= score <= 1.0 for score in scores):
        return list(scores)
    return [0.5 * (1.0 + math.tanh(score / 2)) for score in scores]
