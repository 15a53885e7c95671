"""A cross-encoder is prepared once, compared with the original, and left to PyTorch where the export is not the same model."""

from __future__ import annotations

import json
import shutil

import pytest

from khoj_ls.config.settings import RerankSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.models.preparing import folder_of
from khoj_ls.rerank.export import export_onnx
from khoj_ls.rerank.prepare import prepare
from khoj_ls.rerank.presets import PRESETS, RerankSpec, resolve_reranker

pytestmark = pytest.mark.model


def silent(step):
    """Nobody listens."""


def no_export(model, path):
    path.write_bytes(b"half a graph")
    raise RuntimeError("this operator has no ONNX equivalent")


def without_segments(model, path):
    """A graph that takes both texts for one."""
    import torch

    with torch.no_grad():
        weights = model.model.bert.embeddings.token_type_embeddings.weight
        before = weights.clone()
        weights[1] = weights[0]
        export_onnx(model, path)
        weights.copy_(before)


def without_activation(model, path):
    """A graph that gives any numbers."""
    import torch

    own, model.activation_fn = model.activation_fn, torch.nn.Identity()
    from unittest.mock import patch

    with patch("khoj_ls.rerank.export.activation", lambda model: torch.nn.Identity()):
        export_onnx(model, path)
    model.activation_fn = own


def changed(cross_encoder, folder, **config):
    """A copy of the model whose configuration says something else."""
    shutil.copytree(cross_encoder, folder)
    path = folder / "config_sentence_transformers.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **config}))
    return folder


WRONG = (
    (no_export, "no ONNX equivalent"),
    (without_segments, "its scores are other ones"),
    (without_activation, "its scores are other ones"),
)


@pytest.mark.parametrize(("export", "why"), WRONG)
def test_what_is_not_the_same_model_is_left_to_pytorch(export, why, cross_encoder, tmp_path):
    spec = RerankSpec("tiny", str(cross_encoder))
    made = prepare(spec, tmp_path, silent, export)
    assert made.backend == "sentence-transformers"
    assert why in made.note
    assert sorted(path.name for path in folder_of(tmp_path, spec).iterdir()) == ["model.json", "tokenizer.json"]


def test_pytorch_serves_what_cannot_be_exported(make_reranker, reranker, tmp_path, asked):
    service = make_reranker(tmp_path)
    prepare(service.spec, tmp_path, silent, no_export)
    texts = [*asked.texts, "", "bread " * 300]
    assert service.score(asked.query, texts) == pytest.approx(reranker.score(asked.query, texts), abs=2e-4)
    assert service.status().backend == "sentence-transformers"


def test_it_is_prepared_once(cross_encoder, tmp_path):
    spec, steps = RerankSpec("tiny", str(cross_encoder)), []
    first = prepare(spec, tmp_path, steps.append)
    assert [step.done for step in steps] == [0, 1, 2, 3, 4]
    assert (first.backend, first.max_tokens, first.dimensions, first.note) == ("onnx", 64, 1, "")
    assert prepare(spec, tmp_path, steps.append) == first
    assert len(steps) == 6


@pytest.mark.parametrize("export", [None, no_export])
def test_a_model_whose_scores_are_any_numbers_shows_them_between_0_and_1(export, make_reranker, cross_encoder, tmp_path, asked):
    """As many published rerankers are: their activation does nothing."""
    import torch
    from sentence_transformers import CrossEncoder

    folder = changed(cross_encoder, tmp_path / "bare", activation_fn="torch.nn.modules.linear.Identity")
    bare = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    logits = bare.predict([(asked.query, text) for text in asked.texts], show_progress_bar=False)
    assert logits.max() > 2
    service = make_reranker(tmp_path / "models", model=str(folder))
    made = prepare(service.spec, tmp_path / "models", silent, export)
    assert made.backend == ("sentence-transformers" if export else "onnx")
    expected = torch.sigmoid(torch.tensor(logits)).tolist()
    assert service.score(asked.query, asked.texts) == pytest.approx(expected, abs=2e-4)


def test_a_model_for_another_task_is_refused(cross_encoder, tmp_path):
    from transformers import BertForSequenceClassification

    folder = tmp_path / "classifier"
    shutil.copytree(cross_encoder, folder)
    model = BertForSequenceClassification.from_pretrained(folder, num_labels=3, ignore_mismatched_sizes=True)
    model.save_pretrained(folder)
    with pytest.raises(ModelError, match="gives 3 numbers for a pair"):
        prepare(RerankSpec("nli", str(folder)), tmp_path / "models", silent)


def test_code_in_a_model_is_not_run(cross_encoder, tmp_path):
    folder = tmp_path / "evil"
    shutil.copytree(cross_encoder, folder)
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([*modules, {"idx": 1, "name": "1", "path": "", "type": "evil.Evil"}]))
    with pytest.raises(ModelError, match=r"code of its own \(evil\.Evil\)"):
        prepare(RerankSpec("evil", str(folder)), tmp_path / "models", silent)


def test_8_bit_weights_say_what_they_cost(make_reranker, reranker, tmp_path, asked):
    service = make_reranker(tmp_path, int8=True)
    made = prepare(service.spec, tmp_path, silent)
    assert made.backend == "onnx"
    assert "8-bit weights move scores by at most 0.0" in made.note
    names = ["model.json", "model.onnx", "model.onnx.data", "tokenizer.json"]
    assert sorted(path.name for path in service._local.folder.iterdir()) == names
    sizes = [(served._local.folder / "model.onnx.data").stat().st_size for served in (service, reranker)]
    assert sizes[0] < sizes[1]
    assert service.id != reranker.id
    scores = service.score(asked.query, asked.texts)
    assert [score > 0.5 for score in scores] == asked.good


FACTS = (
    ("fast", "cross-encoder/ms-marco-MiniLM-L6-v2", "cpu"),
    ("balanced", "mixedbread-ai/mxbai-rerank-xsmall-v1", "cpu"),
    ("high_quality", "BAAI/bge-reranker-v2-m3", "auto"),
    ("multilingual", "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1", "cpu"),
)


@pytest.mark.parametrize(("name", "model", "device"), FACTS)
def test_a_preset_is_resolved(name, model, device):
    spec = resolve_reranker(RerankSettings(model=name))
    assert (spec.source, spec.device, spec.max_tokens, spec.remote) == (model, device, 512, False)
    assert resolve_reranker(RerankSettings(model=model)) == spec


def test_every_preset_is_tested():
    assert [preset.name for preset in PRESETS] == [*(name for name, *_ in FACTS), "remote"]


def test_what_changes_the_scores_changes_the_folder(cross_encoder):
    specs = [
        resolve_reranker(RerankSettings(model=str(cross_encoder), **more))
        for more in ({}, {"max_tokens": 99}, {"int8": True}, {"device": "cpu"}, {"threads": 3})
    ]
    assert len({spec.slug for spec in specs}) == 4
    assert specs[0].slug == specs[4].slug
