"""`khoj-ls models`: what is listed, and whether it can be asked now. No other machine is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def settings(home: Path, text: str) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(text)


def by_name(shown: Any) -> dict[str, Any]:
    assert shown.exit_code == 0, shown.stderr
    return {each["name"]: each for each in json.loads(shown.stdout)["models"]}


def test_what_is_known_of_a_model(verb: Any) -> None:
    assert by_name(verb("models", "--json"))["anthropic/claude-haiku-4-5"] == {
        "name": "anthropic/claude-haiku-4-5", "provider": "anthropic", "model": "claude-haiku-4-5",
        "host": "https://api.anthropic.com", "remote": True, "window": 200_000, "max_answer": 64_000, "vision": True,
        "price": {"input": 1, "output": 5}, "usable": False, "state": "key missing", "chosen": False,
    }  # fmt: skip


def test_the_documented_shape(verb: Any) -> None:
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    documented = json.loads(text.partition("```json models\n")[2].partition("```")[0])
    shown = json.loads(verb("models", "--json").stdout)
    assert [*shown] == [*documented]
    assert [*shown["models"][0]] == [*documented["models"][0]]


def test_a_key_makes_a_model_usable(verb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-shown")
    shown = verb("models", "--json")
    states = {name: each["state"] for name, each in by_name(shown).items()}
    assert (states["openai/gpt-4o-mini"], states["anthropic/claude-haiku-4-5"]) == ("usable", "key missing")
    assert "sk-not-shown" not in shown.stdout + shown.stderr


def test_services_of_this_machine_say_what_they_have(verb: Any, private_home: Path) -> None:
    with ChatServer(models={"qwen3:4b": 4096}) as server:
        settings(
            private_home,
            f'[chat]\nmodel = "ollama/qwen3:4b"\n[chat.providers.ollama]\nbase_url = "{server.root}"\n'
            f'[chat.providers.lab]\nbase_url = "{server.url}"\n[chat.models.mine]\nprovider = "lab"\nmodel = "qwen3:4b"\n',
        )
        found = by_name(verb("models", "--json"))
        text = verb("models", "--usable").stdout
    states = {name: found[name]["state"] for name in ("ollama/qwen3:4b", "lab/qwen3:4b", "ollama/llama3.1:8b")}
    assert states == {"ollama/qwen3:4b": "usable", "lab/qwen3:4b": "usable", "ollama/llama3.1:8b": "not there"}
    assert found["ollama/qwen3:4b"]["chosen"]
    assert "\n* ollama/qwen3:4b" in text and "gpt-4o" not in text


def test_a_service_that_is_not_running_is_not_usable(verb: Any, private_home: Path, unused_tcp_port: int) -> None:
    settings(private_home, f'[chat.providers.ollama]\nbase_url = "http://127.0.0.1:{unused_tcp_port}"\n')
    assert by_name(verb("models", "--json"))["ollama/llama3.1:8b"]["state"] == "not there"


def test_how_to_go_on(verb: Any, private_home: Path) -> None:
    told = verb("models").stderr
    assert "no model is set: khoj-ls chat answers with the passages themselves" in told
    assert "to set one: khoj-ls config set chat.model PROVIDER/NAME" in told
    settings(private_home, '[chat]\nmodel = "openai/gpt-2"\n')
    assert "chat.model is openai/gpt-2, which is not in this list" in verb("models").stderr
