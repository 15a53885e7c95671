"""What `khoj-ls doctor` says about the reranker."""

from __future__ import annotations

import pytest

from khoj_ls.cli.checks import model
from khoj_ls.config.paths import folders
from khoj_ls.rerank.prepare import prepare
from khoj_ls.rerank.presets import RerankSpec

REMOTE = 'model = "remote"\nendpoint = "https://me:secret@api.example.org/v1"\n'

SAID = (
    ('model = "off"', "ok", "off"),
    ("", "ok", "fast is not on this machine, and searches answer without it: fetch it once with `hf download"),
    ('model = "fats"', "fail", "there is no reranker 'fats'"),
    ('model = "remote"', "fail", "rerank.endpoint"),
    (REMOTE, "warn", "rerank-v3.5 at https://api.example.org: you have not allowed"),
    (REMOTE + "allow_remote = true", "warn", "no key COHERE_API_KEY"),
    ('model = "remote"\nendpoint = "http://localhost:8080/v1"', "ok", "rerank-v3.5 at http://localhost:8080"),
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("COHERE_API_KEY", raising=False)
    return folders()


def said(here, settings):
    here.user_settings.parent.mkdir(parents=True, exist_ok=True)
    here.user_settings.write_text(f"[rerank]\n{settings}\n")
    [check] = [check for check in model.checks(here, here.data) if check.name == "reranker"]
    return check


@pytest.mark.parametrize(("settings", "state", "message"), SAID)
def test_what_is_said(settings, state, message, here):
    check = said(here, settings)
    assert check.state == state
    assert message in check.message
    assert "secret" not in check.message
    assert bool(check.advice) == (state != "ok")


@pytest.mark.model
def test_what_8_bit_weights_cost_is_said(here, cross_encoder):
    settings = f'model = "{cross_encoder}"\ndevice = "cpu"\nint8 = true'
    assert "not prepared yet" in said(here, settings).message
    spec = RerankSpec(str(cross_encoder), str(cross_encoder.resolve()), int8=True)
    prepare(spec, here.models, lambda step: None)
    assert "64 tokens, onnx (8-bit weights move scores by at most 0.0" in said(here, settings).message
