"""Models are found where they lie, noticed when they change, and never run code of their own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from khoj_ls.core.errors import ModelError
from khoj_ls.models.sources import check_harmless, hub_cache, locate, revision, signature, source_of


def model(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in {"config.json": b"{}", "model.safetensors": b"weights", **files}.items():
        (folder / name).write_bytes(data)
    return folder


def snapshot(cache, name, commit, *, main=True):
    repository = cache / f"models--{name.replace('/', '--')}"
    folder = model(repository / "snapshots" / commit)
    if main:
        (repository / "refs").mkdir(exist_ok=True)
        (repository / "refs" / "main").write_text(commit)
    return folder


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({}, str(Path("~/.cache/huggingface/hub").expanduser())),
    ],
)
def test_where_the_hub_keeps_models(environment, place):
    assert str(hub_cache(environment)) == place


def test_a_name_is_looked_up_in_the_hubs_cache(tmp_path):
    here = {"HF_HUB_CACHE": str(tmp_path)}
    assert locate("owner/model", here) is None
    snapshot(tmp_path, "owner/model", "old", main=False)
    newest = snapshot(tmp_path, "owner/model", "new")
    assert locate("owner/model", here) == newest
    (tmp_path / "models--owner--model" / "refs" / "main").write_text("not fetched")
    assert locate("owner/model", here) is None
    short = snapshot(tmp_path, "sentence-transformers/short", "1")
    assert locate("short", here) == short


def test_a_folder_is_itself(tmp_path):
    assert locate(str(tmp_path)) is None
    assert locate(str(model(tmp_path))) == tmp_path


def test_what_makes_the_model_is_seen_to_change(tmp_path):
    folder = model(tmp_path / "model", **{"README.md": b"about"})
    (folder / "onnx").mkdir()
    seen, held = signature(folder), revision(folder)
    (folder / "README.md").write_bytes(b"more about")
    (folder / "onnx" / "config.json").write_bytes(b"{}")
    assert (signature(folder), revision(folder)) == (seen, held)
    os.utime(folder / "model.safetensors", (1, 1))
    assert (signature(folder) == seen, revision(folder)) == (False, held)
    (folder / "model.safetensors").write_bytes(b"WEIGHTS")
    assert revision(folder) != held


MODULES = (
    ([{"type": "sentence_transformers.models.Transformer"}, {"type": "modeling.Evil"}], "code of its own.*modeling.Evil"),
    ({"type": "no list"}, "damaged"),
    ([{"path": ""}], "damaged"),
)


@pytest.mark.parametrize(("modules", "message"), MODULES)
def test_code_of_its_own_is_refused(modules, message, tmp_path):
    model(tmp_path, **{"modules.json": json.dumps(modules).encode()})
    with pytest.raises(ModelError, match=message):
        check_harmless(tmp_path)


def test_pickled_weights_are_refused(tmp_path):
    model(tmp_path, **{"pytorch_model.bin": b"pickle"})
    check_harmless(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="safetensors"):
        check_harmless(tmp_path)


def test_a_package_that_carries_a_model_is_not_run(tmp_path, monkeypatch):
    package = tmp_path / "carries_a_model"
    deep, shallow = model(package / "data" / "more" / "old"), model(package / "data" / "new")
    (package / "__init__.py").write_text("raise SystemExit('it was run')")
    monkeypatch.syspath_prepend(tmp_path)
    assert locate("package:carries_a_model") == shallow
    (shallow / "config.json").unlink()
    assert locate("package:carries_a_model") == deep
    assert locate("package:no_such_package_at_all") is None


SOURCES = (
    ("owner/model", "owner/model"),
    ("package:some_name", "package:some_name"),
    ("package:some.name", None),
    ("package:../name", None),
    ("../model", None),
    ("a/b/c", None),
    ("model", None),
    ("", None),
    ("/no/such/folder", None),
)


@pytest.mark.parametrize(("setting", "source"), SOURCES)
def test_what_a_setting_may_name(setting, source):
    assert source_of(setting) == source
