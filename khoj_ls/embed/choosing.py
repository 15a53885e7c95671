"""How a prepared model is computed on this machine: tried once, in the process that prepares it, and kept in its model.json.

What is faster is taken only when it finds the same neighbours: its vectors are held against those of all 32 bits, and so is a
search for the one kind among the other, because vectors of both may lie in one index (decisions/0014).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from khoj_ls.config.settings import Settings
from khoj_ls.core.types import Vector
from khoj_ls.embed.presets import ModelSpec
from khoj_ls.embed.runtimes import INT8_GRAPH, OPENVINO, PLAIN, runtimes
from khoj_ls.embed.vectors import unit_rows
from khoj_ls.models.batches import Backend
from khoj_ls.models.exporting import PROBES
from khoj_ls.models.messages import ModelFile
from khoj_ls.models.onnx_backend import OnnxBackend

log = logging.getLogger(__name__)

LEAST_COSINE = 0.999
"""Of a text's two vectors: with less, what is computed in the one way is not kept beside what is computed in the other."""
LEAST_SAME = 0.98
"""Share of the ten nearest that must be the same."""
_LEAST_GAIN = 1.1
_NEAREST = 10
_TIE = 1e-4
_ROUNDS = 3
_TIMED = 16
"""The longest texts: as long as passages are."""
_INT8 = "-int8"


@dataclass(frozen=True)
class Agreement:
    """How near two ways of computing the same texts come to each other."""

    cosine: float
    """The lowest of a text's vector with its other one."""
    same: float
    """Share of the ten nearest that are the same, where each way searches its own vectors."""
    mixed: float
    """The same, where the vector that searches is of the one way and those that are searched of the other."""

    @property
    def interchangeable(self) -> bool:
        """Whether vectors of both may lie in one index."""
        return self.cosine >= LEAST_COSINE and min(self.same, self.mixed) >= LEAST_SAME

    def __str__(self) -> str:
        return f"{min(self.same, self.mixed):.1%} of the ten nearest are the same, lowest cosine {self.cosine:.5f}"


def probes() -> list[str]:
    """Some 70 texts, short and long, that every installation has: those that exports are tested with, and the settings' own."""
    said = list(_said(Settings))
    return [*PROBES, *said[::2], *(" ".join(said[at : at + 6]) for at in range(0, len(said), 6))]


def agreement(exact: Sequence[Vector], other: Sequence[Vector]) -> Agreement:
    """Compare two ways of computing the same texts, in the same order."""
    one, two = (np.array([np.frombuffer(vector, "<f4") for vector in vectors]) for vectors in (exact, other))
    truth = one @ one.T
    return Agreement(float((one * two).sum(axis=1).min()), same_nearest(truth, two @ two.T), same_nearest(truth, one @ two.T))


def same_nearest(truth: np.ndarray, scores: np.ndarray, nearest: int = _NEAREST) -> float:
    """Share of the `nearest` best of each row of `scores` that are among those of `truth`; ties count."""
    nearest = min(nearest, truth.shape[1])
    last = np.sort(truth, axis=1)[:, -nearest, None]
    found = np.argpartition(-scores, nearest - 1, axis=1)[:, :nearest]
    return float((np.take_along_axis(truth, found, axis=1) >= last - _TIE).mean())


def choose(spec: ModelSpec, folder: Path, made: ModelFile, texts: Sequence[str] | None = None) -> ModelFile:
    """`made` with what is to compute the model in `folder`, and why. Whatever a candidate raises, ONNX Runtime serves."""
    plain = msgspec.structs.replace(
        made, engine="onnxruntime", precision="f32", chosen="", runtime=runtimes(spec), id=made.id.removesuffix(_INT8)
    )
    texts = probes() if texts is None else texts
    try:
        if made.backend != "onnx":
            return plain if made.device == "cpu" else _on_accelerator(spec, plain, texts)
        if spec.precision == "int8":
            return _int8(folder, plain, texts)
        if plain.runtime == PLAIN:
            return plain
        return _openvino(spec, folder, plain, texts)
    except Exception as error:  # noqa: BLE001 - whatever a library raises: the plain way works, and the reason is told
        log.warning("%s is computed by ONNX Runtime: %s", spec.name, error)
        return msgspec.structs.replace(plain, chosen=f"what else was tried failed ({type(error).__name__}: {error})")


def _openvino(spec: ModelSpec, folder: Path, plain: ModelFile, texts: Sequence[str]) -> ModelFile:
    from khoj_ls.models.openvino_backend import OpenVinoBackend, has_bfloat16, openvino_works

    wanted = spec.engine == OPENVINO
    half = spec.precision != "full" and has_bfloat16()
    if not half and not (wanted and openvino_works()):
        missing = 'OpenVINO is not installed (pip install "khoj-ls[openvino]")' if not openvino_works() else ""
        reason = missing or "this processor has no bfloat16, without which OpenVINO gains nothing"
        return msgspec.structs.replace(plain, chosen=reason)
    precision = "bf16" if half else "f32"
    exact = OnnxBackend(folder, plain.max_tokens, 1, unit_rows)
    # Kept for as long as the comparison takes: giving it up between two rounds would measure its loading.
    other = OpenVinoBackend(folder / "model.onnx", exact, 1, unit_rows, precision=precision, worth_inputs=0, kept_seconds=3600)
    found, gain = compared(exact, other, texts)
    told = f"OpenVINO in {precision} is {gain:.1f} times as fast as ONNX Runtime in f32; {found}"
    if not found.interchangeable or (gain < _LEAST_GAIN and not wanted):
        return msgspec.structs.replace(plain, chosen=f"{told}: not used")
    return msgspec.structs.replace(plain, engine=OPENVINO, precision=precision, chosen=told)


def _int8(folder: Path, plain: ModelFile, texts: Sequence[str]) -> ModelFile:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(folder / "model.onnx", folder / INT8_GRAPH, weight_type=QuantType.QInt8, per_channel=True)
    found, gain = compared(
        OnnxBackend(folder, plain.max_tokens, 1, unit_rows),
        OnnxBackend(folder, plain.max_tokens, 1, unit_rows, graph=INT8_GRAPH),
        texts,
    )
    return msgspec.structs.replace(
        plain,
        # Other vectors, so another name: none of them is ever compared with one of 32 bits.
        id=f"{plain.id}{_INT8}",
        precision="int8",
        chosen=f"8-bit weights are {gain:.1f} times as fast as ONNX Runtime in f32; {found}",
        files={**plain.files, INT8_GRAPH: (folder / INT8_GRAPH).stat().st_size},
    )


def _on_accelerator(spec: ModelSpec, plain: ModelFile, texts: Sequence[str]) -> ModelFile:
    if spec.precision == "full":
        return msgspec.structs.replace(plain, chosen="as the settings say")
    from khoj_ls.embed.sentence_transformers_backend import sentence_transformers_backend

    exact = sentence_transformers_backend(Path(plain.source), "cpu", plain.max_tokens, 1024, spec.batch)
    half = sentence_transformers_backend(Path(plain.source), plain.device, plain.max_tokens, 1024, spec.batch, half=True)
    found = agreement(computed(exact, texts), computed(half, texts))
    told = f"numbers of 16 bits on {plain.device}: {found}"
    if not found.interchangeable:
        return msgspec.structs.replace(plain, chosen=f"{told}: not used")
    return msgspec.structs.replace(plain, precision="f16", chosen=told)


def compared(exact: Backend, other: Backend, texts: Sequence[str]) -> tuple[Agreement, float]:
    """How near `other` comes to `exact`, and how many times as fast it is: the best of some rounds, in turns."""
    vectors, others, ours, theirs = computed(exact, texts), computed(other, texts), [], []
    timed = sorted(texts, key=len)[-_TIMED:]
    for _ in range(_ROUNDS):
        ours.append(_seconds(lambda: computed(exact, timed)))
        theirs.append(_seconds(lambda: computed(other, timed)))
    return agreement(vectors, others), min(ours) / min(theirs)


def computed(backend: Backend, texts: Sequence[str]) -> list[Vector]:
    """Vectors of `texts`, in order, on the calling thread."""
    vectors = [b""] * len(texts)
    for batch in backend.plan(texts):
        for place, vector in zip(batch.places, backend.run(batch), strict=True):
            vectors[place] = vector
    return vectors


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _said(settings: Any) -> Iterator[str]:
    """What the settings say of themselves, section by section."""
    for each in fields(settings):
        if "doc" in each.metadata:
            yield str(each.metadata["doc"])
        section: Any = each.default_factory  # the class of the section, where it is one
        if is_dataclass(section):
            yield from _said(section)
