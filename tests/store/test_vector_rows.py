"""Vectors beside an HNSW index: read once, compared as the database's own are, to four decimals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khoj_ls.store.vector_rows import VectorRows

DIMENSIONS = 16
NUMBERS = np.random.default_rng(1).normal(size=(3000, DIMENSIONS))
STORED = (NUMBERS / np.linalg.norm(NUMBERS, axis=1, keepdims=True)).astype(np.float32)
QUERY = STORED[7]


class Table:
    """Every second id has a vector, as after a purge; what is read is noted."""

    def __init__(self):
        self.read = []

    def __call__(self, ids):
        self.read += ids
        return [(number, STORED[number].tobytes()) for number in ids if number % 2]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2999), max_size=30), max_size=8), st.integers(0, 20))
def test_cosines_are_those_of_the_vectors(questions, expected):
    rows, table = VectorRows(DIMENSIONS, expected), Table()
    for asked in questions:
        found = rows.cosines(QUERY.tobytes(), np.array(asked, np.int64), table)
        cosines = [float(STORED[number] @ QUERY) if number % 2 else np.nan for number in asked]
        assert found.tolist() == pytest.approx(cosines, abs=1e-3, nan_ok=True)
    there = [number for number in table.read if number % 2]
    assert len(there) == len(set(there))


@pytest.mark.parametrize("step", [1, 500])
def test_it_grows_beyond_what_was_expected(step):
    rows, table = VectorRows(DIMENSIONS, 10), Table()
    for start in range(1, 3000, step * 2):
        rows.cosines(QUERY.tobytes(), np.arange(start, min(start + step * 2, 3000), dtype=np.int64), table)
    known = len(table.read)
    found = rows.cosines(QUERY.tobytes(), np.arange(1, 3000, 2, dtype=np.int64), table)
    assert (np.isfinite(found).sum(), len(table.read)) == (1500, known)
