"""What services of this machine say of their models: which there are, and how long their windows are."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from khoj_ls.llm.connection import Connection

_WINDOWS = ("max_model_len", "context_length", "max_context_length", "loaded_context_length", "n_ctx")
"""What vLLM and others call the window in their lists."""


def listed_models(connection: Connection, *, seconds: float = 2.0) -> dict[str, int] | None:
    """Models that an OpenAI-compatible service has, with their windows (0: it does not say); None where it does not answer."""
    told = connection.ask(f"{urlsplit(connection.service.base_url).path.rstrip('/')}/models", seconds=seconds)
    data = told.get("data") if isinstance(told, dict) else None
    if not isinstance(data, list):
        return None
    return {each["id"]: _window(each) for each in data if isinstance(each, dict) and isinstance(each.get("id"), str)}


def loaded_window(connection: Connection) -> int:
    """The window that llama.cpp's server runs its model with; 0 where it is another server."""
    told = connection.ask("/props")
    settings = told.get("default_generation_settings") if isinstance(told, dict) else None
    return _positive(settings.get("n_ctx")) if isinstance(settings, dict) else 0


def _window(model: dict[str, Any]) -> int:
    return next((size for name in _WINDOWS if (size := _positive(model.get(name)))), 0)


def _positive(value: object) -> int:
    return value if type(value) is int and value > 0 else 0
