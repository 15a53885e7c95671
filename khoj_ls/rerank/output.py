"""What a cross-encoder computed, as scores that can be sent."""

from __future__ import annotations

import numpy as np

from khoj_ls.models.messages import Value


def score_rows(output: np.ndarray) -> list[Value]:
    """One score per row of a model's output; what is not a number is worth nothing."""
    return [score.tobytes() for score in np.nan_to_num(np.asarray(output, "<f4").reshape(-1), nan=0.0, posinf=1.0, neginf=0.0)]
