"""Services and models for chat: those that are known without a word, and tables of the user's own for both.

A service of the user's own that is called like a built-in one changes that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from khoj_ls.config.setting import setting
from khoj_ls.config.settings import ChatSettings

PROVIDERS = "chat.providers"
"""The table that holds one table per service of the user's own."""

MODELS = "chat.models"
"""The table that holds one table per preset of the user's own."""

NONE = "none"
"""The name that asks no model: the answer is the passages themselves."""

LOCAL = "local"
"""The provider of models that this program runs itself."""


@dataclass(frozen=True)
class Provider:
    """A service that models are asked at."""

    kind: str = setting(
        "openai", "user", "The API that it speaks: most services speak OpenAI's.", choices=("openai", "anthropic", "ollama")
    )
    base_url: str = setting("", "user", "Its address, such as http://127.0.0.1:1234/v1.")
    api_key_variable: str = setting("", "user", "Environment variable (or name in keys.toml) of its key; empty: it wants none.")


@dataclass(frozen=True)
class Preset:
    """A model under a name of the user's own. Numbers that are 0 are taken from what is known of the model."""

    provider: str = setting("", "user", "The service: a built-in one, or one of yours.")
    model: str = setting("", "user", "The service's own name for the model; for `local`, also the path of a .gguf file.")
    base_url: str = setting("", "user", "Another address of the service, for this model.")
    window: int = setting(0, "user", "Most tokens of question and answer together.", least=0)
    max_answer: int = setting(0, "user", "Most tokens of one answer.", least=0)
    vision: bool = setting(False, "user", "The model sees pictures.")
    sampling: bool = setting(True, "user", "The model takes temperature and top_p.")
    price_input: float = setting(0.0, "user", "US dollars per million tokens that it reads.", least=0)
    price_output: float = setting(0.0, "user", "US dollars per million tokens that it writes.", least=0)


BUILT_IN: Mapping[str, Provider] = MappingProxyType(
    {
        "openai": Provider("openai", "https://api.openai.com/v1", "OPENAI_API_KEY"),
        "anthropic": Provider("anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
        "google": Provider("openai", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
        "ollama": Provider("ollama", "http://127.0.0.1:11434"),
        "lmstudio": Provider("openai", "http://127.0.0.1:1234/v1"),
        "vllm": Provider("openai", "http://127.0.0.1:8000/v1"),
        "llamacpp": Provider("openai", "http://127.0.0.1:8080/v1"),
        LOCAL: Provider("openai", ""),
    }
)
"""What is known by name. `local` has no address: the program starts it."""

ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "openai": "OpenAI",
        "anthropic": "Anthropic",
        "google": "Google's Gemini, by its OpenAI-compatible face",
        "ollama": "Ollama on this machine",
        "lmstudio": "LM Studio on this machine",
        "vllm": "vLLM on this machine",
        "llamacpp": "llama.cpp's server on this machine",
        LOCAL: "A GGUF file, run by this program itself (the extra `local`)",
    }
)
"""What each built-in service is."""


def providers(chat: ChatSettings) -> Mapping[str, Provider]:
    """All services by name, the built-in ones first."""
    found = dict(BUILT_IN)
    for name, own in chat.providers.items():
        if name != LOCAL:
            found[name] = replace(found.get(name, Provider()), **own)
    return MappingProxyType(found)


def presets(chat: ChatSettings) -> Mapping[str, Preset]:
    """The user's own presets by name, those left out that cannot be used (`chat_problems` tells why)."""
    known = providers(chat)
    return MappingProxyType({name: Preset(**own) for name, own in chat.models.items() if not _of_preset(name, own, known)})


def chat_problems(chat: ChatSettings) -> list[tuple[str, str]]:
    """Dotted keys of what cannot be used in the user's services and presets, each with the reason."""
    problems = []
    known = providers(chat)
    for name, own in chat.providers.items():
        if name == LOCAL:
            problems += [(f"{PROVIDERS}.{name}.{key}", "the program runs this one itself: it has no address") for key in own]
        elif wrong := _of_address(known[name].base_url):
            problems.append((f"{PROVIDERS}.{name}.{'base_url' if 'base_url' in own else next(iter(own))}", wrong))
    for name, own in chat.models.items():
        problems += [(f"{MODELS}.{name}.{key}", message) for key, message in _of_preset(name, own, known)]
    return problems


def _of_preset(name: str, own: Mapping[str, Any], known: Mapping[str, Provider]) -> list[tuple[str, str]]:
    first = next(iter(own), "provider")
    if name == NONE:
        return [(first, "this name means that no model is asked: choose another")]
    provider = own.get("provider", "")
    if not provider:
        return [(first, f"name its provider ({', '.join(known)})")]
    if provider not in known:
        return [("provider", f"there is no service {provider[:80]!r} (known: {', '.join(known)}); [{PROVIDERS}.NAME] adds one")]
    if not own.get("model"):
        return [(first, "name its model, as the service calls it")]
    if "base_url" in own and (wrong := _of_address(own["base_url"])):
        return [("base_url", wrong)]
    if own.get("window") and own.get("max_answer", 0) > own["window"]:
        return [("max_answer", "an answer is part of the window: it cannot be longer")]
    return []


def _of_address(url: str) -> str:
    """Why an address cannot be used; empty when it can."""
    if not url:
        return "name its base_url, such as http://127.0.0.1:1234/v1"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return "write an address such as http://127.0.0.1:1234/v1"
    return "an address holds no name or password: name the key's variable as api_key_variable" if "@" in parts.netloc else ""
