"""How a prepared model is computed on this machine: tried once, in the process that prepares it, and kept in its model.json.

What is faster is taken only when it finds the same neighbours: its vectors are held against those of all 32 bits, and so is a
search for the one kind among the other, because vectors of both may lie in one index (decisions/0014).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

from khoj_ls.embed.agreement import LEAST_GAIN, agreement, compared, computed, probes
from khoj_ls.embed.presets import ModelSpec
from khoj_ls.embed.query_graph import QUERY_GRAPH, choose_for_queries
from khoj_ls.embed.runtimes import INT8_GRAPH, OPENVINO, runtimes, tries_openvino
from khoj_ls.embed.vectors import unit_rows
from khoj_ls.models.messages import ModelFile
from khoj_ls.models.onnx_backend import OnnxBackend

log = logging.getLogger(__name__)

_INT8 = "-int8"


def choose(spec: ModelSpec, folder: Path, made: ModelFile, texts: Sequence[str] | None = None) -> ModelFile:
    """`made` with what is to compute the model in `folder`, and why. Whatever a candidate raises, ONNX Runtime serves."""
    plain = msgspec.structs.replace(
        made,
        engine="onnxruntime",
        precision="f32",
        chosen="",
        queries="f32",
        queries_chosen="",
        files={name: size for name, size in made.files.items() if not name.startswith(QUERY_GRAPH)},
        runtime=runtimes(spec),
        id=made.id.removesuffix(_INT8),
    )
    texts = probes() if texts is None else texts
    try:
        if made.backend != "onnx":
            return plain if made.device == "cpu" else _on_accelerator(spec, plain, texts)
        if spec.precision == "int8":
            return _int8(folder, plain, texts)
        found = _openvino(spec, folder, plain, texts) if tries_openvino(spec) else plain
    except Exception as error:  # noqa: BLE001 - whatever a library raises: the plain way works, and the reason is told
        log.warning("%s is computed by ONNX Runtime: %s", spec.name, error)
        found = msgspec.structs.replace(plain, chosen=f"what else was tried failed ({type(error).__name__}: {error})")
    return choose_for_queries(folder, found, texts) if spec.precision == "auto" and found.backend == "onnx" else found


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
    if not found.interchangeable or (gain < LEAST_GAIN and not wanted):
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
