"""A model of a few megabytes that the real worker runs: a text's vector is the sum of a random vector for each of its tokens.

It needs no half second to load and gives equal texts equal vectors whatever they are computed with.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.embed.presets import resolve_model
from khoj_ls.models.messages import ModelFile
from khoj_ls.models.preparing import folder_of
from khoj_ls.models.sources import locate, revision, signature

DIMENSIONS = 32
_WORDS = 4000


def make_tiny_model(folder: Path) -> None:
    """Put it into `folder`, the place of prepared models, as if it were the default model."""
    spec = resolve_model(EmbeddingSettings())
    source = locate(spec.source)
    assert source is not None, "the default model is installed with the program"
    place = folder_of(folder, spec)
    place.mkdir(parents=True, exist_ok=True)
    _tokenizer().save(str(place / "tokenizer.json"))
    onnx.save(_network(), str(place / "model.onnx"))
    files = {path.name: path.stat().st_size for path in place.iterdir() if path.name != "model.json"}
    model = ModelFile(
        id="tiny-for-crashes",
        name=spec.name,
        dimensions=DIMENSIONS,
        max_tokens=256,
        backend="onnx",
        source=str(source),
        signature=signature(source),
        revision=revision(source),
        files=files,
    )
    (place / "model.json").write_bytes(msgspec.json.encode(model))


def _tokenizer() -> Tokenizer:
    """Whole words where it knows them, else their characters; it is trained on nothing but letters."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789#.,-[]():"
    syllables = [f"{first}{second}" for first in letters[:26] for second in letters[:26]]
    trainer = trainers.BpeTrainer(
        vocab_size=_WORDS, special_tokens=["[PAD]", "[UNK]"], initial_alphabet=list(letters), show_progress=False
    )
    tokenizer.train_from_iterator(syllables, trainer)
    return tokenizer


def _network() -> onnx.ModelProto:
    table = np.random.default_rng(8).standard_normal((_WORDS, DIMENSIONS)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["vectors"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["vectors", "column"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "middle"], ["summed"], keepdims=0),
        # No text is without a direction.
        helper.make_node("Add", ["summed", "bias"], ["output"]),
    ]
    whole = {"table": table, "last": np.array([2]), "middle": np.array([1]), "bias": np.full(DIMENSIONS, 0.01, np.float32)}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "m"]) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", DIMENSIONS])],
        [numpy_helper.from_array(values, name) for name, values in whole.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
