"""Prepare a cross-encoder once: load it with sentence-transformers, export it to ONNX, compare the two.

Runs in a process of its own (`python -m khoj_ls.rerank.prepare`).
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from khoj_ls.core.errors import ModelError
from khoj_ls.models import preparing
from khoj_ls.models.exporting import Differs
from khoj_ls.models.messages import ModelFile, Value
from khoj_ls.models.preparing import Kind, Report
from khoj_ls.rerank.export import PROBE_PAIRS, Exporter
from khoj_ls.rerank.presets import RerankSpec
from khoj_ls.rerank.role import RERANKER

_UNKNOWN_LIMIT = 512


def prepare(spec: RerankSpec, models: Path, report: Report, export: Exporter | None = None) -> ModelFile:
    """Make the prepared model of `spec`, unless it is there; safe to be run by several processes at once. Raises ModelError."""
    return preparing.prepare(spec, models, report, _kind(export))


def _kind(export: Exporter | None = None) -> Kind[RerankSpec]:
    return Kind(RERANKER.model, lambda spec: spec.remedy, partial(_make, export=export))


def _make(
    spec: RerankSpec, source: Path, found: str, scratch: Path, report: Report, export: Exporter | None = None
) -> ModelFile:
    from khoj_ls.models.torch_models import pick_device
    from khoj_ls.rerank.cross_encoder import labels, load_cross_encoder, longest, set_longest

    report(preparing.step(1))
    device = pick_device(spec.device, "rerank.device")
    model = preparing.loaded(lambda: load_cross_encoder(source, device), spec, source, RERANKER.model, spec.remedy)
    if labels(model) != 1:
        raise ModelError(
            f"the model in {source} gives {labels(model)} numbers for a pair of texts, and a reranker gives one: "
            "it is made for another task, choose another"
        )
    max_tokens = min(longest(model) or _UNKNOWN_LIMIT, spec.max_tokens)
    set_longest(model, max_tokens)
    preparing.save_tokenizer(model.tokenizer, scratch)
    backend, note = "sentence-transformers", f"it runs on {device}"
    if device == "cpu":
        backend, note = _exported(model, spec, scratch, max_tokens, report, export)
    return ModelFile(
        id=hashlib.sha256(repr((found, max_tokens, backend == "onnx" and spec.int8)).encode()).hexdigest()[:32],
        name=spec.name,
        dimensions=1,
        max_tokens=max_tokens,
        backend=backend,
        note=note,
        source=str(source),
        signature="",
        revision=found,
        device=device,
    )


def _exported(
    model: Any, spec: RerankSpec, scratch: Path, max_tokens: int, report: Report, export: Exporter | None
) -> tuple[str, str]:
    """Export the model, with 8-bit weights where they are wanted; the backend that can run it, and a note on that."""
    from khoj_ls.models.onnx_backend import OnnxBackend
    from khoj_ls.rerank.cross_encoder import predict
    from khoj_ls.rerank.export import compare, export_onnx, loss, quantize
    from khoj_ls.rerank.output import score_rows

    expected: np.ndarray = predict(model, list(PROBE_PAIRS), 4)

    def computed(folder: Path) -> list[Value]:
        return OnnxBackend(folder, max_tokens, 1, score_rows).compute(PROBE_PAIRS)

    note = preparing.exported(
        lambda: (export or export_onnx)(model, scratch / "model.onnx"),
        lambda: compare(expected, computed(scratch)),
        spec.name,
        scratch,
        report,
    )
    if note or not spec.int8:
        return ("sentence-transformers" if note else "onnx"), note
    small = scratch / "small"
    small.mkdir()
    try:
        quantize(scratch / "model.onnx", small / "model.onnx")
        (small / "tokenizer.json").hardlink_to(scratch / "tokenizer.json")
        note = loss(expected, computed(small))
        for part in small.glob("model.onnx*"):
            part.replace(scratch / part.name)
    except Differs as error:
        note = f"not used: {error}"
    finally:
        for part in small.iterdir():
            part.unlink()
        small.rmdir()
    return "onnx", note


if __name__ == "__main__":
    preparing.run_as_process(RerankSpec, RERANKER.model, prepare)
