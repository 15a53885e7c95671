"""The graph of near vectors, searched by itself."""

from __future__ import annotations

import numpy as np
import pytest

from khoj_ls.store.hnsw_vectors import HnswVectors, hnsw_available

pytestmark = pytest.mark.skipif(not hnsw_available(), reason="no hnswlib on this machine: exact search serves")


def test_among_many_that_are_alike_most_of_the_nearest_are_found():
    """As in a manual, whose pages are made by few patterns: with 96 candidates it was 81%."""
    numbers = np.random.default_rng(1)
    patterns = numbers.standard_normal((40, 48))
    alike = patterns[numbers.integers(40, size=8000)] + 0.25 * numbers.standard_normal((8000, 48))
    vectors = (alike / np.linalg.norm(alike, axis=1, keepdims=True)).astype(np.float32)
    graph = HnswVectors(48, len(vectors))
    graph.add(np.arange(len(vectors)), vectors, threads=1)
    found = []
    for query in numbers.standard_normal((100, 48)).astype(np.float32):
        nearest = set(np.argsort(-(vectors @ query))[:50].tolist())
        found.append(len(nearest & {number for number, _ in graph.nearest(query.tobytes(), 50)}))
    assert np.mean(found) / 50 > 0.95
