"""A second graph of a model, for queries alone: its weights in 8 bits.

A query is a dozen tokens, for which every weight of the model is read. A quarter of the bits takes a third of the time off. The
vectors of notes stay as they are, and a query's must find the same among them (decisions/0014).
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from khoj_ls.core.types import Vector
from khoj_ls.embed.agreement import LEAST_GAIN, TIMED, agreement_of_queries, computed, gain
from khoj_ls.embed.runtimes import OPENVINO
from khoj_ls.embed.vectors import unit_rows
from khoj_ls.models.batches import Backend
from khoj_ls.models.exporting import TENSOR_BYTES
from khoj_ls.models.messages import ModelFile
from khoj_ls.models.onnx_backend import OnnxBackend

log = logging.getLogger(__name__)

QUERY_GRAPH = "model.query.onnx"
"""Beside the graph of 32 bits, in the folder of a prepared model; its weights in QUERY_GRAPH.data."""

_BITS = 8
_BLOCK = 16
"""Weights that share a scale and a zero. With 32, 19 to 27 of a thousand nearest were others, with these 15 to 19."""
_INTEGERS = 4
"""MatMulNBits multiplies integers (its `accuracy_level`): with numbers of 32 bits it would take three times as long."""
_KEPT = re.compile(r"/(?:self/value|attn/v|v_proj)/")
"""What attention hands on of each token stays in 32 bits: a twelfth of the weights, a fifth to a third of what is lost."""
_LEAST_WORDS = 3


def choose_for_queries(folder: Path, made: ModelFile, texts: Sequence[str]) -> ModelFile:
    """`made` with what is to compute queries, and why. Whatever is raised on the way, they are computed in 32 bits."""
    try:
        return _tried(folder, made, texts)
    except Exception as error:  # noqa: BLE001 - whatever a library raises: the plain way works, and the reason is told
        log.info("queries of %s are computed in 32 bits: %s", made.name, error)
        _remove(folder)
        return msgspec.structs.replace(made, queries_chosen=f"8-bit weights cannot be made ({type(error).__name__}: {error})")


def _tried(folder: Path, made: ModelFile, texts: Sequence[str]) -> ModelFile:
    make_query_graph(folder)
    exact = OnnxBackend(folder, made.max_tokens, 1, unit_rows)
    other = exact.with_graph(QUERY_GRAPH)
    vectors = computed(exact, texts)
    found = agreement_of_queries(vectors, computed(other, texts), vectors, *_as_notes(folder, made, exact, texts))
    queries = sorted((text for text in texts if len(text.split()) >= _LEAST_WORDS), key=len)[:TIMED]
    faster = gain(lambda: _one_by_one(exact, queries), lambda: _one_by_one(other, queries))
    told = f"8-bit weights answer a query {faster:.1f} times as fast; {found}"
    if not found.interchangeable or faster < LEAST_GAIN:
        _remove(folder)
        return msgspec.structs.replace(made, queries_chosen=f"{told}: not used")
    sizes = {path.name: path.stat().st_size for path in _files(folder)}
    return msgspec.structs.replace(made, queries="int8", queries_chosen=told, files={**made.files, **sizes})


def _as_notes(folder: Path, made: ModelFile, exact: OnnxBackend, texts: Sequence[str]) -> Iterator[list[Vector]]:
    """The vectors of `texts` as OpenVINO computes those of notes, where it does."""
    if made.engine == OPENVINO:
        from khoj_ls.models.openvino_backend import OpenVinoBackend

        path = folder / "model.onnx"
        yield computed(OpenVinoBackend(path, exact, 1, unit_rows, precision=made.precision, worth_inputs=0), texts)


def _one_by_one(backend: Backend, texts: Sequence[str]) -> None:
    for text in texts:
        computed(backend, [text])


def _files(folder: Path) -> tuple[Path, Path]:
    return folder / QUERY_GRAPH, folder / f"{QUERY_GRAPH}.data"


def _remove(folder: Path) -> None:
    """Remove the graph. A worker that has it mapped into its memory keeps it; on Windows it stays, and is not used."""
    for path in _files(folder):
        with contextlib.suppress(OSError):
            path.unlink()


def make_query_graph(folder: Path) -> None:
    """Write QUERY_GRAPH beside `model.onnx` in `folder`. Raises whatever ONNX Runtime's tools raise.

    Tensors that it has in common with that graph stay in its file: the table of tokens is the larger half of a small model.
    """
    import onnx
    from onnx.external_data_helper import set_external_data
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    # It tells of every node that it leaves.
    logging.getLogger(MatMulNBitsQuantizer.__module__).setLevel(logging.WARNING)
    plain = folder / "model.onnx"
    beside = {
        tensor.name: tensor
        for tensor in onnx.load_model(str(plain), load_external_data=False).graph.initializer
        if tensor.data_location == onnx.TensorProto.EXTERNAL
    }
    graph = onnx.load_model(str(plain))
    kept = [node.name for node in graph.graph.node if node.op_type == "MatMul" and _KEPT.search(node.name)]
    quantizer = MatMulNBitsQuantizer(
        graph, bits=_BITS, block_size=_BLOCK, is_symmetric=False, accuracy_level=_INTEGERS, nodes_to_exclude=kept
    )
    quantizer.process()
    made: Any = quantizer.model.model
    for tensor in made.graph.initializer:
        if tensor.name in beside:
            tensor.CopyFrom(beside[tensor.name])
        elif len(tensor.raw_data) >= TENSOR_BYTES:
            set_external_data(tensor, location=f"{QUERY_GRAPH}.data")
    _remove(folder)
    onnx.save_model(made, str(folder / QUERY_GRAPH))
