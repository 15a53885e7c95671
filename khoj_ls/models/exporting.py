"""From a module in PyTorch to one ONNX graph."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_OPSET = 17
TENSOR_BYTES = 1024
"""Tensors from this size on lie in the file beside the graph, which is mapped into memory instead of read."""
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")

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


def export_graph(
    forward: Callable[[dict[str, Any]], Any], model: Any, transformer: Any, sample: Mapping[str, Any], path: Path
) -> None:
    """Write `forward`, from tokens to a tensor of one row per input, as an ONNX graph with free batch and length at `path`.

    `model` holds the weights, `transformer` is the part of it that comes from transformers, `sample` an input with padding in
    it, so that nothing about the mask is taken for a constant. The weights go to `path`.data: ONNX Runtime maps that file, so
    they cost half the memory and load in a third of the time.
    """
    import onnx
    import torch

    names = [name for name in _INPUTS if name in sample]

    class Whole(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: Any) -> Any:
            return forward(dict(zip(names, inputs, strict=True)))

    plain = path.with_suffix(".whole")
    with torch.no_grad(), warnings.catch_warnings(), _eager_attention(transformer):
        # The tracer warns of every shape it takes for a constant, the exporter of its age: comparing tests the outcome.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Exporting aten::")
        torch.onnx.export(
            Whole().eval(),
            tuple(sample[name] for name in names),
            str(plain),
            input_names=names,
            output_names=["output"],
            dynamic_axes={**{name: {0: "batch", 1: "tokens"} for name in names}, "output": {0: "batch"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    save_with_weights_beside(onnx.load_model(str(plain)), path)
    plain.unlink()


def save_with_weights_beside(graph: Any, path: Path) -> None:
    """Write a graph to `path` and its large tensors to `path`.data."""
    import onnx

    onnx.save_model(graph, str(path), save_as_external_data=True, location=f"{path.name}.data", size_threshold=TENSOR_BYTES)


@contextlib.contextmanager
def _eager_attention(transformer: Any) -> Any:
    """Attention in plain operators, which ONNX Runtime runs a tenth faster than the trace of PyTorch's fused one."""
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
