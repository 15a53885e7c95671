"""Chat models that are known before anybody is asked, and what a name in the settings or on the command line means.

Sources: the vendors' own pages, looked at in November 2026. Prices change; they are estimates for the user, and a preset of the
user's own says otherwise where they are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from khoj_ls.config.chat_models import BUILT_IN, LOCAL, MODELS, PROVIDERS, Preset, presets, providers
from khoj_ls.config.options import suggestion
from khoj_ls.config.settings import ChatSettings
from khoj_ls.core.chat import Price
from khoj_ls.core.errors import UsageError
from khoj_ls.models.endpoint import host_of

DEFAULT_WINDOW = 8192
"""Of a model of which nobody says how long its window is."""


@dataclass(frozen=True)
class Known:
    """A model as its vendor describes it; numbers that are 0 are to be asked of the service."""

    name: str
    window: int = 0
    max_answer: int = 0
    vision: bool = False
    price: Price | None = None
    samples: bool = True
    """Takes temperature and top_p; models that think first do not."""
    thinks: bool = False
    """Counts its thoughts as answer."""


def _thinking(name: str, window: int, most: int, price: Price | None = None) -> Known:
    return Known(name, window, most, True, price, samples=False, thinks=True)


_M = 1_000_000
_GEMINI = 1_048_576
_GPT5 = 1_050_000

CATALOGUE: Mapping[str, tuple[Known, ...]] = MappingProxyType(
    {
        "openai": (
            Known("gpt-4", 8192, 8192, price=Price(30, 60)),
            Known("gpt-4-turbo", 128_000, 4096, True, Price(10, 30)),
            Known("gpt-4o", 128_000, 16_384, True, Price(2.5, 10)),
            Known("gpt-4o-mini", 128_000, 16_384, True, Price(0.15, 0.6)),
            Known("gpt-4.1", 1_047_576, 32_768, True, Price(2, 8)),
            Known("gpt-4.1-mini", 1_047_576, 32_768, True, Price(0.4, 1.6)),
            Known("gpt-4.1-nano", 1_047_576, 32_768, True, Price(0.1, 0.4)),
            _thinking("o3", 200_000, 100_000, Price(2, 8)),
            _thinking("o4-mini", 200_000, 100_000, Price(1.1, 4.4)),
            _thinking("gpt-5", 400_000, 128_000, Price(1.25, 10)),
            _thinking("gpt-5-mini", 400_000, 128_000, Price(0.25, 2)),
            _thinking("gpt-5-nano", 400_000, 128_000, Price(0.05, 0.4)),
            _thinking("gpt-5.4", _GPT5, 128_000, Price(2.5, 15)),
            _thinking("gpt-5.6-sol", _GPT5, 128_000),
            _thinking("gpt-6-sol", _GPT5, 128_000, Price(2, 10)),
            _thinking("gpt-6.1-sol", _GPT5, 128_000, Price(2, 10)),
        ),
        "anthropic": (
            Known("claude-3-5-sonnet-20241022", 200_000, 8192, True, Price(3, 15)),
            Known("claude-haiku-4-5", 200_000, 64_000, True, Price(1, 5)),
            Known("claude-sonnet-4-5", 200_000, 64_000, True, Price(3, 15)),
            Known("claude-opus-4-5", 200_000, 64_000, True, Price(5, 25)),
            Known("claude-sonnet-4-6", _M, 128_000, True, Price(3, 15)),
            Known("claude-opus-4-6", _M, 128_000, True, Price(5, 25)),
            _thinking("claude-sonnet-5", _M, 128_000, Price(2, 10)),
            _thinking("claude-opus-5", _M, 128_000, Price(5, 25)),
            _thinking("claude-haiku-5-5", _M, 128_000),
            _thinking("claude-sonnet-5-5", _M, 128_000, Price(2, 10)),
            _thinking("claude-opus-5-5", _M, 128_000, Price(4, 20)),
            _thinking("claude-fable-5-1", _M, 128_000, Price(10, 50)),
        ),
        "google": (
            Known("gemini-2.5-flash-lite", _GEMINI, 65_536, True, Price(0.1, 0.4), thinks=True),
            Known("gemini-2.5-flash", _GEMINI, 65_536, True, Price(0.3, 2.5), thinks=True),
            Known("gemini-2.5-pro", _GEMINI, 65_536, True, Price(1.25, 10), thinks=True),
            Known("gemini-3-flash-preview", _GEMINI, 65_536, True, Price(0.5, 3), thinks=True),
            Known("gemini-3.1-pro-preview", _GEMINI, 65_536, True, Price(2, 12), thinks=True),
            _thinking("gemini-3.8-flash", _M, 65_536, Price(0.75, 3.75)),
        ),
        "ollama": (Known("llama3.1:8b"), Known("mistral:7b")),
    }
)
"""Models by provider. Those of `ollama` are names to begin with: it runs any that was pulled, and tells of its window."""

FIXED = frozenset(("openai", "anthropic", "google"))
"""Providers whose models are those listed here, as long as their address is the vendor's."""


@dataclass(frozen=True)
class Chosen:
    """What a name means: where to ask for what. Numbers that are 0 are to be asked of the service."""

    provider: str
    kind: str
    name: str
    """As the service calls it; for `local` a path or the name of a file."""
    base_url: str = ""
    key_variable: str = ""
    setting: str = ""
    """Where the address stands, for messages."""
    window: int = 0
    max_answer: int = 0
    vision: bool = False
    price: Price | None = None
    samples: bool = True
    thinks: bool = False

    @property
    def of_vendor(self) -> bool:
        """Whether it is asked at the vendor's own address, who says no more of his models than is known here."""
        return _is_of_vendor(self.provider, self.base_url)


def _is_of_vendor(provider: str, base_url: str) -> bool:
    return provider in FIXED and host_of(base_url) == host_of(BUILT_IN[provider].base_url)


def what_is_meant(chat: ChatSettings, name: str, base_url: str | None = None) -> Chosen:
    """What a name of a model means: a preset of the user's own, PROVIDER/NAME, a known model, or a .gguf file.

    With `base_url` any name goes: the model is asked there. Raises UsageError for a name that is not known.
    """
    own = presets(chat).get(name)
    if own is not None:
        chosen = _of_preset(chat, name, own)
    elif name.endswith(".gguf") and not name.startswith(f"{LOCAL}/"):
        chosen = Chosen(LOCAL, LOCAL, name)
    else:
        chosen = _of_name(chat, name, any_goes=bool(base_url))
    return _elsewhere(chosen, base_url) if base_url else chosen


def _of_name(chat: ChatSettings, name: str, *, any_goes: bool) -> Chosen:
    services = providers(chat)
    provider, slash, rest = name.partition("/")
    if slash and rest and provider in services:
        known = next((each for each in CATALOGUE.get(provider, ()) if each.name == rest), None)
        if known is None and not any_goes and _is_of_vendor(provider, services[provider].base_url):
            its = [each.name for each in CATALOGUE[provider]]
            raise UsageError(
                f"no model {rest[:80]!r} of {provider} is known here{suggestion(rest, its)} (known: {', '.join(its)}); "
                f"a table [{MODELS}.NAME] with its provider and model adds one"
            )
        return _chosen(chat, provider, rest, known)
    for provider, models in CATALOGUE.items():
        for known in models:
            if known.name == name:
                return _chosen(chat, provider, name, known)
    if any_goes:
        return Chosen("custom", "openai", name)
    names = (*presets(chat), *(f"{provider}/{known.name}" for provider, models in CATALOGUE.items() for known in models))
    near = suggestion(name, (*names, *(each.name for models in CATALOGUE.values() for each in models)))
    raise UsageError(
        f"there is no chat model {name[:80]!r}{near} (known: {', '.join(names)}); any model of a service is "
        f"PROVIDER/NAME, with {', '.join(service for service in services if service not in FIXED)} as PROVIDER"
    )


def _of_preset(chat: ChatSettings, name: str, preset: Preset) -> Chosen:
    known = next((each for each in CATALOGUE.get(preset.provider, ()) if each.name == preset.model), None)
    chosen = _chosen(chat, preset.provider, preset.model, known)
    price = Price(preset.price_input, preset.price_output) if preset.price_input or preset.price_output else chosen.price
    return replace(
        chosen,
        base_url=preset.base_url or chosen.base_url,
        setting=f"{MODELS}.{name}.base_url" if preset.base_url else chosen.setting,
        window=preset.window or chosen.window,
        max_answer=preset.max_answer or chosen.max_answer,
        vision=preset.vision or chosen.vision,
        price=price,
        samples=preset.sampling and chosen.samples,
    )


def _chosen(chat: ChatSettings, provider: str, name: str, known: Known | None) -> Chosen:
    service = providers(chat)[provider]
    kind = LOCAL if provider == LOCAL else service.kind
    chosen = Chosen(
        provider, kind, name, service.base_url, service.api_key_variable, setting=f"{PROVIDERS}.{provider}.base_url"
    )
    if known is None:
        return chosen
    return replace(
        chosen,
        window=known.window,
        max_answer=known.max_answer,
        vision=known.vision,
        price=known.price,
        samples=known.samples,
        thinks=known.thinks,
    )


def _elsewhere(chosen: Chosen, base_url: str) -> Chosen:
    """The same asked at another address; the key goes there only when the host is the same."""
    same = host_of(base_url) == host_of(chosen.base_url)
    kind = "openai" if chosen.kind == LOCAL else chosen.kind
    return replace(
        chosen,
        kind=kind,
        base_url=base_url,
        key_variable=chosen.key_variable if same else "",
        setting="the base URL that was given",
        price=chosen.price if same else None,
    )
