"""From a model in PyTorch to one ONNX graph, and the proof that both say the same."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from khoj_ls.core.types import Vector

Exporter = Callable[[Any, Path], None]

_PARITY = 0.9999
_TIE = 1e-4
"""Two scores this close may change places."""
_OPSET = 17
_TENSOR_BYTES = 1024
"""Tensors from this size on lie in the file beside the graph, which is mapped into memory instead of read."""

PROBES = (
    "router",
    "How did I fix the router?",
    "The access point dropped its clients every night until I moved it to channel 36.",
    "The kitchen router is a woodworking tool with a spinning bit.",
    "- [ ] buy flour\n- [x] feed the starter\n- [ ] bake on Saturday",
    "def main():\n    # a comment\n    return {'key': [1, 2, 3]}",
    "修理路由器的笔记",
    "ルーターを直した日のメモ",
    "Überlegungen zur Wärmepumpe",
    "Заметки о ремонте маршрутизатора",
    "ملاحظات حول إصلاح الموجه",
    "🦉 an owl, 3.14159, and https://example.org/a?b=c#d",
    "   blanks \t around \n\n and between   ",
    "Meeting notes: budget, hiring, and the roof. " * 12,
    "Long note about bread. " * 200,
    "x",
    "",
)
"""Texts of every length and several scripts, one of them longer than any model's limit."""


class Differs(Exception):
    """What was exported is not the model."""


def export_onnx(model: Any, path: Path) -> None:
    """Write a sentence-transformers model, pooling and all, as one ONNX graph with free batch and length at `path`.

    The weights go to `path`.data: ONNX Runtime maps that file, so they cost half the memory and load in a third of the time.
    """
    import onnx
    import torch

    class Whole(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: Any) -> Any:
            return self.model(dict(zip(names, inputs, strict=True)))["sentence_embedding"]

    # With padding in it, so that nothing about the mask is taken for a constant.
    sample = dict(model.tokenizer(["a short text", "another text that is longer"], padding=True, return_tensors="pt"))
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in sample]
    plain = path.with_suffix(".whole")
    with torch.no_grad(), warnings.catch_warnings(), _eager_attention(model):
        # The tracer warns of every shape it takes for a constant, the exporter of its age: `compare` tests the outcome.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Exporting aten::")
        torch.onnx.export(
            Whole().eval(),
            tuple(sample[name] for name in names),
            str(plain),
            input_names=names,
            output_names=["embedding"],
            dynamic_axes={**{name: {0: "batch", 1: "tokens"} for name in names}, "embedding": {0: "batch"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    onnx.save_model(
        onnx.load_model(str(plain)),
        str(path),
        save_as_external_data=True,
        location=f"{path.name}.data",
        size_threshold=_TENSOR_BYTES,
    )
    plain.unlink()


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


@contextlib.contextmanager
def _eager_attention(model: Any) -> Any:
    """Attention in plain operators, which ONNX Runtime runs a tenth faster than the trace of PyTorch's fused one."""
    transformer = getattr(model[0], "auto_model", None)
    config = getattr(transformer, "config", None)
    before = getattr(config, "_attn_implementation", None)
    if transformer is None or before is None or not hasattr(transformer, "set_attn_implementation"):
        yield
        return
    transformer.set_attn_implementation("eager")
    try:
        yield
    finally:
        transformer.set_attn_implementation(before)
