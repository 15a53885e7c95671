"""A bi-encoder as an ONNX graph, and the proof that both say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from khoj_ls.core.types import Vector
from khoj_ls.models.exporting import Differs, export_graph

Exporter = Callable[[Any, Path], None]

_PARITY = 0.9999
_TIE = 1e-4
"""Two scores this close may change places."""


def export_onnx(model: Any, path: Path) -> None:
    """Write a sentence-transformers model, pooling and all, as one ONNX graph at `path`."""
    sample = dict(model.tokenizer(["a short text", "another text that is longer"], padding=True, return_tensors="pt"))
    transformer = getattr(model[0], "auto_model", None)
    export_graph(lambda features: model(features)["sentence_embedding"], model, transformer, sample, path)


def compare(expected: np.ndarray, vectors: Sequence[Vector]) -> None:
    """Hold an export's unit vectors against the model's own. Raises Differs.

    The cosine of every pair is at least .9999, and every text ranks the others alike but for ties.
    """
    actual = np.array([np.frombuffer(vector, "<f4") for vector in vectors])
    if actual.shape != expected.shape:
        raise Differs(f"its vectors have {actual.shape[1]} numbers, not {expected.shape[1]}")
    worst = float((expected * actual).sum(axis=1).min())
    if not worst >= _PARITY:
        raise Differs(f"its vectors are other ones (cosine {worst:.5f})")
    truth = expected @ expected.T
    order = np.argsort(-(actual @ actual.T), axis=1)
    ranked = np.take_along_axis(truth, order, axis=1)
    if float(np.diff(ranked, axis=1).max()) > _TIE:
        raise Differs("it ranks texts in another order")
