"""How services are reached, and what those of this machine say of their models: which there are, how long their windows are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from khoj_ls.config.paths import Folders
from khoj_ls.llm.catalogue import Chosen
from khoj_ls.llm.connection import Connection, Service
from khoj_ls.llm.ollama import START, installed
from khoj_ls.models.endpoint import is_loopback

_WINDOWS = ("max_model_len", "context_length", "max_context_length", "loaded_context_length", "n_ctx")
"""What vLLM and others call the window in their lists."""


def connection_to(chosen: Chosen, environment: Mapping[str, str], folders: Folders) -> Connection:
    """A connection to the service of a model. Raises ModelError for an address that cannot be used."""
    start = START if chosen.kind == "ollama" and is_loopback(chosen.base_url) else ""
    service = Service(chosen.provider, chosen.base_url, chosen.key_variable, chosen.setting, start)
    return Connection(service, environment, folders)


def models_at(connection: Connection, kind: str, *, seconds: float = 2.0) -> Mapping[str, int] | None:
    """Models that a service of a kind has, with their windows (0: it does not say); None where it does not answer."""
    if kind == "ollama":
        names = installed(connection, seconds=seconds)
        return None if names is None else dict.fromkeys(names, 0)
    # OpenAI's API stands at the address itself, Anthropic's at /v1 below it.
    told = connection.ask(f"{'/v1' if kind == 'anthropic' else connection.version}/models", seconds=seconds)
    data = told.get("data") if isinstance(told, dict) else None
    if not isinstance(data, list):
        return None
    return {each["id"]: _window(each) for each in data if isinstance(each, dict) and isinstance(each.get("id"), str)}


def loaded_window(connection: Connection) -> int:
    """The window that llama.cpp's server runs its model with; 0 where it is another server."""
    told = connection.ask("/props")
    settings = told.get("default_generation_settings") if isinstance(told, dict) else None
    return _positive(settings.get("n_ctx")) if isinstance(settings, dict) else 0


def tokens_of(connection: Connection, model: str, text: str) -> int | None:
    """Tokens of a text by a server's own tokenizer, as llama.cpp and vLLM tell them; None where it has no such door."""
    body = {"content": text, "model": model, "prompt": text, "add_special": False, "add_special_tokens": False}
    told = connection.ask("/tokenize", body)
    if not isinstance(told, dict):
        return None
    count, tokens = told.get("count"), told.get("tokens")
    return count if type(count) is int else len(tokens) if isinstance(tokens, list) else None


def _window(model: dict[str, Any]) -> int:
    return next((size for name in _WINDOWS if (size := _positive(model.get(name)))), 0)


def _positive(value: object) -> int:
    return value if type(value) is int and value > 0 else 0
