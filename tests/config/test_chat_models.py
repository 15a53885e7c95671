"""Services and presets for chat: what may be set, where, and what is told of mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from khoj_ls.config.chat_models import BUILT_IN, Preset, Provider, chat_problems, presets, providers
from khoj_ls.config.describe import default_toml, json_schema
from khoj_ls.config.load import assignments, load_user_settings, load_vault_settings, session_values
from khoj_ls.config.options import find
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import ChatSettings, Settings
from khoj_ls.core.errors import UsageError


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    (tmp_path / "config").mkdir()
    return Folders(tmp_path / "config", tmp_path / "data", tmp_path / "state", tmp_path / "run")


def read(folders, text, overrides=()):
    folders.user_settings.write_text(text)
    settings, problems = load_user_settings(folders, assignments(overrides))
    return settings.chat, [str(problem).removeprefix(f"{folders.user_settings}: ") for problem in problems]


def test_services_and_presets_are_read(folders):
    chat, problems = read(
        folders,
        """
        [chat.providers.work]
        base_url = "https://llm.example.org/v1"
        api_key_variable = "WORK_KEY"
        [chat.providers.ollama]
        base_url = "http://127.0.0.1:9999"
        [chat.models.large]
        provider = "work"
        model = "large-2026"
        window = 32768
        vision = true
        price_input = 1
        """,
    )
    assert problems == []
    known = providers(chat)
    assert known["work"] == Provider("openai", "https://llm.example.org/v1", "WORK_KEY")
    assert known["ollama"] == Provider("ollama", "http://127.0.0.1:9999")  # what is not named stays
    assert list(known)[: len(BUILT_IN)] == list(BUILT_IN)
    assert presets(chat) == {"large": Preset("work", "large-2026", window=32_768, vision=True, price_input=1.0)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('chat.providers.w.base_ulr = "x"', "chat.providers.w.base_ulr: a service has no such setting; did you mean base_url?"),
        ('chat.models.m.windw = 1', "chat.models.m.windw: a model has no such setting;"),
        ('chat.providers = "x"', "chat.providers: write one table per service: [chat.providers.NAME]"),
        ("chat.models.m = 1", "chat.models.m: write a table per model: [chat.models.NAME]"),
        ("[chat.models.m]", "chat.models.m: this model sets nothing: name its provider and model"),
        ('[chat.models."a b"]\nmodel = "x"', "chat.models.a b.model: the name of a model is made of letters"),
        ('chat.providers.w.kind = "soap"', "chat.providers.w.kind: wants one of openai, anthropic, ollama"),
        ('chat.models.m.window = "big"', "chat.models.m.window: wants a whole number, 0 or more"),
        ('chat.providers.w.kind = "openai"', "chat.providers.w.kind: name its base_url"),
        ('chat.providers.w.base_url = "example.org"', "chat.providers.w.base_url: write an address"),
        ('chat.providers.w.base_url = "https://me:pw@example.org"', "chat.providers.w.base_url: an address holds no name"),
        ('chat.providers.local.base_url = "http://127.0.0.1:1"', "chat.providers.local.base_url: the program runs this"),
        ('chat.models.m.model = "x"', "chat.models.m.model: name its provider (openai, anthropic,"),
        ('[chat.models.m]\nprovider = "opanai"\nmodel = "x"', "chat.models.m.provider: there is no service 'opanai'"),
        ('chat.models.m.provider = "openai"', "chat.models.m.provider: name its model"),
        ('[chat.models.none]\nprovider = "openai"\nmodel = "x"', "chat.models.none.provider: this name means that no model"),
        (
            '[chat.models.m]\nprovider = "openai"\nmodel = "x"\nwindow = 10\nmax_answer = 11',
            "chat.models.m.max_answer: an answer is part of the window",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_told(folders, text, problem):
    chat, problems = read(folders, text)
    assert len(problems) == 1 and problems[0].startswith(problem), problems
    assert presets(chat) == {}


def test_a_vault_and_an_editor_may_set_none(folders, tmp_path):
    root = tmp_path / "vault"
    root.mkdir()
    (root / ".khoj.toml").write_text('[chat.providers.openai]\nbase_url = "https://evil.example"\n')
    assert load_vault_settings(Settings(), root).chat.providers == {}
    values, problems = session_values({"chat": {"providers": {"openai": {"base_url": "https://evil.example"}}}})
    assert values == {}
    assert "an editor may not set this" in problems[0].message


def test_one_run_and_dotted_keys(folders):
    chat, problems = read(folders, "", ["chat.models.m.provider=openai", "chat.models.m.model=gpt-4o"])
    assert (presets(chat)["m"].model, problems) == ("gpt-4o", [])
    assert find("chat.providers.x.base_url").scope == "user"
    assert find("chat.providers.x.nothing") is None and find("chat.providers.a.b.base_url") is None
    with pytest.raises(UsageError, match="did you mean"):
        assignments(["chat.models.m.modle=x"])


def test_problems_of_settings_made_in_code():
    assert chat_problems(ChatSettings()) == []


def test_they_are_described():
    chat = json_schema()["properties"]["chat"]["properties"]
    assert list(chat["providers"]["additionalProperties"]["properties"]) == ["kind", "base_url", "api_key_variable"]
    assert "model" in chat["models"]["additionalProperties"]["properties"]
    # what travels with a vault has none of it
    assert "providers" not in json.dumps(json_schema()["$defs"]["vault"])
    assert "# [chat.providers.NAME]" in default_toml() and "# [chat.models.NAME]" in default_toml()
