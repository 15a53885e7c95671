"""Rows of numbers as the unit vectors that are stored."""

from __future__ import annotations

import numpy as np

from khoj_ls.core.types import Vector


def unit_rows(matrix: np.ndarray) -> list[Vector]:
    """Rows as unit vectors; one that is zero or not a number becomes the first axis, so that it can be compared."""
    matrix = np.asarray(matrix, dtype="<f4")
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    good = np.isfinite(norms) & (norms > 1e-9)
    unit = np.divide(matrix, norms, out=np.zeros_like(matrix), where=good)
    unit[~good[:, 0], 0] = 1.0
    return [row.tobytes() for row in unit]
