"""Prepare a model once: check its weights, make what runs every day, keep it on disk. What is made is up to each kind of model.

Runs in a process of its own: it imports torch, which takes seconds and half a gigabyte.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

import msgspec

from khoj_ls.core.errors import ModelError
from khoj_ls.models.messages import ModelFile, Ready, Step, Unusable, read_model
from khoj_ls.models.sources import locate, revision, signature
from khoj_ls.workers.child import limit_this_process
from khoj_ls.workers.frames import own_streams, read_frame, write_frame

log = logging.getLogger(__name__)

_ABANDONED_SECONDS = 3600.0
"""A half-made model this old belongs to a process that was killed: preparing is given up long before."""
_LAST_SECONDS = 3.0
"""How long a preparation that is called off may take to clean up."""
_STEPS = (
    "checking the weights",
    "loading the model",
    "exporting the model",
    "comparing the export with the model",
    "choosing what computes it",
)

Report = Callable[[Step], None]


class Spec(Protocol):
    """What a setting means: which weights, from where."""

    @property
    def name(self) -> str:
        """As the user set it."""
        ...

    @property
    def source(self) -> str:
        """A folder, a Hugging Face name, or the address of an endpoint; empty for a model that is code."""
        ...

    @property
    def slug(self) -> str:
        """Name of the folder that holds the prepared model; changes with all that changes what is made."""
        ...


S = TypeVar("S", bound=Spec)


def _as_made(spec: Spec, folder: Path, made: ModelFile) -> ModelFile:
    return made


def _nothing(spec: Spec) -> str:
    return ""


@dataclass(frozen=True)
class Kind(Generic[S]):
    """How models of one kind are prepared."""

    model: str
    """What such a model is called: `embedding model`."""
    advice: Callable[[S], str]
    """What to do about a model that is not here, or does not load."""
    make: Callable[[S, Path, str, Path, Report], ModelFile]
    """Makes the files of a model from its spec, source folder and revision in a scratch folder. Raises ModelError."""
    check: Callable[[S, Path], None] = lambda spec, source: None
    """Refuses weights that are not what was promised. Raises ModelError."""
    choose: Callable[[S, Path, ModelFile], ModelFile] = _as_made
    """Says what is to compute the model that was made in a folder, on this machine."""
    runtimes: Callable[[S], str] = _nothing
    """What there is to choose from: when it changes, it is chosen anew."""


def folder_of(models: Path, spec: Spec) -> Path:
    """Where the prepared model of `spec` is, or will be."""
    return models / spec.slug


def read_current(models: Path, spec: Spec, runtimes: str | None = None) -> ModelFile | None:
    """The prepared model of `spec`; None when there is none, or when its weights, or `runtimes`, have changed since.

    None for `runtimes`: whatever it was chosen from. Costs a few stats.
    """
    model = read_model(folder_of(models, spec))
    if model is None or (runtimes is not None and model.runtime != runtimes):
        return None
    source = locate(spec.source) if spec.source else None
    try:
        changed = source is not None and signature(source) != model.signature
    except OSError:  # being replaced at this moment
        changed = True
    # What was exported needs its source no more, and code has none.
    return None if changed or (source is None and model.backend == "sentence-transformers") else model


def prepare(spec: S, models: Path, report: Report, kind: Kind[S]) -> ModelFile:
    """Make the prepared model of `spec`, unless it is there; safe to be run by several processes at once. Raises ModelError."""
    source = locate(spec.source)
    if source is None:
        raise ModelError(f"the {kind.model} {spec.name} is not on this machine: {kind.advice(spec)}")
    report(step(0))
    kind.check(spec, source)
    seen = signature(source)
    found = revision(source)
    folder = folder_of(models, spec)
    before = read_model(folder)
    if before is not None and before.revision == found:
        # The same weights, fetched or installed once more.
        made = msgspec.structs.replace(before, source=str(source), signature=seen)
        if made.runtime != kind.runtimes(spec):
            report(step(4))
            made = kind.choose(spec, folder, made)
        if made != before:
            _write(folder, made)
        return made

    def make(scratch: Path) -> ModelFile:
        made = kind.make(spec, source, found, scratch, report)
        report(step(4))
        return msgspec.structs.replace(kind.choose(spec, scratch, made), signature=seen)

    return installed(folder, make)


def installed(folder: Path, make: Callable[[Path], ModelFile]) -> ModelFile:
    """Have `make` make the files of a model in a scratch folder, and put that in the place of `folder`."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_abandoned(folder.parent)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".preparing-"))
    try:
        made = make(scratch)
        made = msgspec.structs.replace(made, files=_sizes(scratch))
        _write(scratch, made)
        return _install(scratch, folder, made)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def loaded(load: Callable[[], Any], spec: S, source: Path, kind_model: str, advice: str) -> Any:
    """What `load` loads. Raises ModelError, whatever the library raises: the user hears which files, and what to do."""
    try:
        return load()
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"the {kind_model} {spec.name} in {source} does not load ({first_line(error)}): {advice}") from error


def exported(export: Callable[[], None], compare: Callable[[], None], name: str, scratch: Path, report: Report) -> str:
    """Export a model and compare the outcome with it; why that cannot be used, or nothing when it can."""
    report(step(2))
    try:
        export()
        report(step(3))
        compare()
    except Exception as error:  # noqa: BLE001 - whatever an exporter raises: the model still runs in PyTorch, and says why
        note = f"its export to ONNX cannot be used ({type(error).__name__}: {first_line(error)})"
        log.info("sentence-transformers itself runs %s: %s", name, note)
        for left in scratch.glob("model.onnx*"):
            left.unlink()
        return note
    return ""


def save_tokenizer(tokenizer: Any, scratch: Path) -> None:
    """Write a model's tokenizer, which knows what it pads with. Raises ModelError when it cannot run without transformers."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "to_str"):
        raise ModelError("this model has no fast tokenizer, so its texts cannot be cut to its limit: choose another model")
    backend.save(str(scratch / "tokenizer.json"))


def step(number: int) -> Step:
    """What begins as step `number` of a preparation."""
    return Step(number, len(_STEPS), _STEPS[number])


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its name."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def run_as_process(spec_type: type[S], model: str, make: Callable[[S, Path, Report], object]) -> None:
    """Read a spec, a folder and a niceness from standard input, and `make` it; write steps, then Ready or Unusable.

    `model` is what such a model is called.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service ends this process when it is called off
    stream, out = own_streams()
    first = read_frame(stream)
    if first is None:
        return
    spec: S
    spec, models, nice = msgspec.msgpack.decode(first, type=tuple[spec_type, str, int])  # type: ignore[valid-type]  # known at run time only
    limit_this_process(nice=nice)
    signal.signal(signal.SIGTERM, _called_off)
    done = threading.Event()
    threading.Thread(target=_end_with_parent, args=(stream, done), daemon=True).start()
    try:
        make(spec, Path(models), lambda begun: write_frame(out, begun))
        done.set()
        write_frame(out, Ready())
    except ModelError as error:
        done.set()
        write_frame(out, Unusable(str(error)))
    except Exception as error:  # the boundary of the process: the service hears the reason, the log the rest
        log.exception("preparing %s failed", spec.name)
        what = f"{type(error).__name__}: {first_line(error)}"
        write_frame(out, Unusable(f"preparing the {model} {spec.name} in {models} failed ({what})"))


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


def _end_with_parent(stream: BinaryIO, done: threading.Event) -> None:
    """End when standard input does before the work is `done`: whoever asked for the model is gone."""
    stream.read(1)
    if done.is_set():
        return
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_SECONDS)  # the signal's handler tidies up first, if it gets to
    os._exit(1)  # deep in a library that does not listen


def _called_off(number: int, frame: object) -> None:
    raise SystemExit(1)
