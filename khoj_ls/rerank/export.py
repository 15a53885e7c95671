"""A cross-encoder as an ONNX graph, activation and all; the proof that both say the same; and the graph with 8-bit weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from khoj_ls.models.exporting import PROBES, Differs, export_graph
from khoj_ls.models.messages import Value
from khoj_ls.rerank.cross_encoder import Pair, activation
from khoj_ls.rerank.scores import read_score

Exporter = Callable[[Any, Path], None]

_PARITY = 0.02
"""How far two scores may lie apart before the logistic function: what rounding makes of them."""
_CLIPPED = 1e-5
"""Scores nearer to 0 or 1 are all the same after rounding."""
_MOST_LOST = 0.1
"""8-bit weights that move a score further are not used."""

PROBE_PAIRS: tuple[Pair, ...] = tuple((PROBES[query], passage) for query in (1, 8, 14) for passage in PROBES)
"""Short and long queries, one of them longer than any model's limit, with passages of every length."""


def export_onnx(model: Any, path: Path) -> None:
    """Write a CrossEncoder as one ONNX graph at `path`: tokens of pairs in, one score of 0..1 per pair out."""
    pairs = [("a short text", "another"), ("a question", "a passage that is longer than the other one")]
    sample = dict(model.tokenizer(pairs, padding=True, return_tensors="pt"))
    bounded = activation(model)
    export_graph(lambda features: bounded(model.model(**features).logits).reshape(-1), model.model, model.model, sample, path)


def compare(expected: np.ndarray, scores: Sequence[Value]) -> None:
    """Hold an export's scores against the model's own. Raises Differs."""
    actual = _read(scores)
    if actual.shape != expected.shape:
        raise Differs(f"it gives {actual.shape[0]} scores for {expected.shape[0]} pairs")
    worst = float(np.abs(_logit(expected) - _logit(actual)).max())
    if not worst <= _PARITY:
        raise Differs(f"its scores are other ones (one lies {worst:.3f} apart before the logistic function)")


def quantize(path: Path, small: Path) -> None:
    """Write the graph at `path` with 8-bit weights to `small`, its weights beside it."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(path, small, weight_type=QuantType.QInt8, per_channel=True, use_external_data_format=True)


def loss(expected: np.ndarray, scores: Sequence[Value]) -> str:
    """What 8-bit weights cost, in words. Raises Differs when that is too much."""
    furthest = float(np.abs(_read(scores) - expected).max())
    if not furthest <= _MOST_LOST:
        raise Differs(f"8-bit weights move a score by {furthest:.3f}")
    return f"8-bit weights move scores by at most {furthest:.3f} (of {len(expected)} pairs of a test)"


def _read(scores: Sequence[Value]) -> np.ndarray:
    read: np.ndarray = np.array([read_score(value) for value in scores])
    return read


def _logit(scores: np.ndarray) -> np.ndarray:
    clipped = np.clip(scores.astype(np.float64), _CLIPPED, 1 - _CLIPPED)
    logits: np.ndarray = np.log(clipped / (1 - clipped))
    return logits
