"""What `khoj-ls doctor` says of the chat model. No other machine is contacted for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat_server import ChatServer

from khoj_ls.cli.checks import chat
from khoj_ls.config.paths import folders

YES = 'allowed_hosts = ["https://api.openai.com"]\n'


def checked(home: Path, text: str) -> tuple[str, str, str]:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(text)
    (check,) = chat.checks(folders())
    return check.state, check.message, check.advice


@pytest.mark.parametrize(
    ("text", "key", "state", "message", "advice"),
    [
        ("", "", "ok", "no chat model is set", ""),
        ('model = "gpt-4o-mini"\n', "", "fail", "no key OPENAI_API_KEY", "khoj-ls config key OPENAI_API_KEY"),
        ('model = "gpt-4o-mini"\n', "sk-1", "ok", "not contacted; the first question asks for your yes", ""),
        (f'model = "gpt-4o-mini"\n{YES}', "sk-1", "ok", "not contacted; you allowed", ""),
        ('model = "gpt-9"\n', "", "fail", "there is no chat model 'gpt-9'", "khoj-ls models"),
        ('model = "local/none"\n', "", "fail", "put its .gguf file there", "khoj-ls models"),
    ],
)
def test_by_the_settings_alone(
    private_home: Path, monkeypatch: pytest.MonkeyPatch, text: str, key: str, state: str, message: str, advice: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    told = checked(private_home, f"[chat]\n{text}")
    assert (told[0], message in told[1], advice in told[2]) == (state, True, True), told


@pytest.mark.parametrize(
    ("model", "state", "message", "advice"),
    [
        ("ollama/qwen3:4b", "ok", "it answers", ""),
        ("ollama/llama3.2", "fail", "Ollama does not have this model", "run: ollama pull llama3.2"),
        ("llamacpp/any", "ok", "it answers", ""),
        ("claudes/any", "ok", "it answers", ""),
        ("lmstudio/x", "fail", "it does not answer", "start it, or correct chat.providers.lmstudio.base_url"),
    ],
)
def test_services_of_this_machine_are_asked(
    private_home: Path, unused_tcp_port: int, model: str, state: str, message: str, advice: str
) -> None:
    with ChatServer(models={"qwen3:4b": 4096}) as server:
        told = checked(
            private_home,
            f'[chat]\nmodel = "{model}"\n[chat.providers.ollama]\nbase_url = "{server.root}"\n'
            f'[chat.providers.llamacpp]\nbase_url = "{server.url}"\n'
            f'[chat.providers.claudes]\nkind = "anthropic"\nbase_url = "{server.root}"\n'
            f'[chat.providers.lmstudio]\nbase_url = "http://127.0.0.1:{unused_tcp_port}/v1"\n',
        )
    assert (told[0], message in told[1], advice in told[2]) == (state, True, True), told
