"""The chat models that may be asked: chosen by name, made once, closed with the process."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

from khoj_ls.config.chat_models import LOCAL, NONE, presets, providers
from khoj_ls.config.keys import find_key
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import ChatSettings
from khoj_ls.core.chat import ChatModel, Message, ModelCard
from khoj_ls.core.errors import ModelError, SettingsError, UsageError
from khoj_ls.llm.anthropic import Anthropic
from khoj_ls.llm.asking import connection_to, loaded_window, models_at, tokens_of
from khoj_ls.llm.catalogue import CATALOGUE, DEFAULT_WINDOW, Chosen, what_is_meant
from khoj_ls.llm.connection import Connection
from khoj_ls.llm.consent import Consents
from khoj_ls.llm.counting import Counter
from khoj_ls.llm.gguf import GgufModel
from khoj_ls.llm.gguf_file import find_gguf, gguf_files, trained_window
from khoj_ls.llm.ollama import Ollama, Shown, shown
from khoj_ls.llm.openai_compatible import OpenAiCompatible
from khoj_ls.llm.plugged import listed_names, plugged_model
from khoj_ls.llm.served import ServedModel
from khoj_ls.llm.streaming import Patience
from khoj_ls.models.endpoint import host_of, is_loopback
from khoj_ls.plugins.brought import Brought, brought
from khoj_ls.plugins.kinds import ChatProvider
from khoj_ls.plugins.manager import NO_PLUGINS, PluginManager

S = TypeVar("S", bound=ServedModel)

log = logging.getLogger(__name__)

_PACKAGES = MappingProxyType({"openai": "openai", LOCAL: "openai", "anthropic": "anthropic"})
"""What speaks to each kind of service, where that takes a second or two to import."""
_ANSWER_OF_UNKNOWN = 8192
_FRESH_SECONDS = 60.0
"""How long what a service says of a model is believed: it may be started with another window."""
_ABSENT_SECONDS = 3.0
"""The same for one that did not answer."""
_PICKER_SECONDS = 0.5
_MOST_HELD = 32
_MATTERS = ("timeout_seconds", "tries", "local_window", "local_threads", "local_idle_seconds", "keep_alive")
"""Settings that a model is made with."""


@dataclass(frozen=True)
class Listed:
    """A model for a list to choose from."""

    name: str
    """What to choose it by: `PROVIDER/NAME`, or a preset of the user's own."""
    card: ModelCard
    host: str
    """Empty: it runs in this program."""
    remote: bool
    key: Literal["", "there", "missing"]
    """Whether its key is there; empty: it wants none."""
    installed: bool | None
    """Whether a service of this machine has it; None where that was not asked or it did not answer."""


@dataclass(frozen=True)
class _Held:
    model: ChatModel
    until: float


class ChatModels:
    """What chat's desk wants of models (chat.desk.Models). Any thread may ask; making one opens nothing."""

    def __init__(
        self,
        settings: Callable[[], ChatSettings],
        folders: Folders,
        environment: Mapping[str, str],
        nice: int,
        plugins: PluginManager = NO_PLUGINS,
    ) -> None:
        """Go by the user's `settings`, as they are when asked; `environment` holds keys and proxies, and may grow.

        Models that run here run with the niceness `nice`. `plugins` may bring providers.
        """
        self._plugins = plugins
        self._settings = settings
        self._folders = folders
        self._environment = environment
        self._nice = nice
        self._consents = Consents(settings, folders)
        self._lock = threading.RLock()
        self._held: dict[tuple[object, ...], _Held] = {}

    def choose(self, name: str, base_url: str | None = None) -> ChatModel | None:
        """The model called `PROVIDER/NAME` or by a preset, asked at `base_url` if that is given; None for no name or `none`.

        Raises UsageError for a name that is not known (it lists the known ones), ModelError where it cannot be used.
        """
        if name in ("", NONE):
            return None
        settings = self._settings()
        if base_url is None and name not in presets(settings):
            plugged = plugged_model(self.plugged, name, settings.timeout_seconds)
            if plugged is not None:
                return plugged
        chosen = what_is_meant(settings, name, base_url)
        look = self._may_look(chosen)
        wanted = (chosen, look, *(getattr(settings, name) for name in _MATTERS))
        with self._lock:
            held = self._held.get(wanted)
            if held is not None and time.monotonic() < held.until:
                return held.model
        model, fresh = self._make(chosen, settings, look=look)
        with self._lock:
            before = self._held.get(wanted)
            if before is not None and isinstance(before.model, GgufModel):
                return before.model  # made meanwhile, and its process is running
            self._held[wanted] = _Held(model, time.monotonic() + fresh)
            past = [key for key, each in self._held.items() if key != wanted and not isinstance(each.model, GgufModel)]
            for key in past[: max(0, len(self._held) - _MOST_HELD)]:
                del self._held[key]  # there is nothing to close
        return model

    @cached_property
    def plugged(self) -> Brought[ChatProvider]:
        """The providers that plugins bring; asked for when a model is first chosen."""
        return brought(self._plugins, "khoj_chat_providers", ChatProvider, providers(self._settings()))

    def check_consent(self, model: ChatModel, messages: Sequence[Message], answer: int) -> None:
        """Raise ConsentNeeded, which says what would be sent where and at about what cost, unless the user said yes before.

        `answer` is the most tokens that are wanted of an answer.
        Raises KeyRefused before anybody is asked where a key is missing.
        """
        if isinstance(model, ServedModel):
            model.check_key()
        self._consents.check(model, messages, answer)

    def allow(self, host: str) -> None:
        """Keep the user's yes to sending notes to `host` (`ChatModel.host`), for good. Raises SettingsError."""
        self._consents.allow(host)

    def listed(self) -> list[Listed]:
        """Models to choose from: the user's own presets, the known ones, and what services of this machine have.

        Services of this machine that are not there cost nothing, one that is silent half a second each.
        """
        settings = self._settings()
        has_key = cache(self._has_key)  # a keyring takes its time

        def entry(name: str, there: bool | None) -> Listed | None:
            return self._listed(settings, name, there, has_key)

        found = [entry(name, None) for name in presets(settings)]
        here = self._present(settings)
        for provider, models in CATALOGUE.items():
            has = here.get(provider)
            found += [entry(f"{provider}/{each.name}", None if has is None else each.name in has) for each in models]
        names = {each.name for each in found if each is not None}
        more = (f"{provider}/{model}" for provider, has in here.items() for model in has)
        found += [entry(name, True) for name in more if name not in names]
        found += [self._plugged_entry(name, settings.timeout_seconds) for name in listed_names(self.plugged.by_name)]
        return [each for each in found if each is not None]

    def expect(self, name: str) -> None:
        """Import what the model called `name` needs, in a thread: its first question would wait for that. Never raises."""
        try:
            kind = what_is_meant(self._settings(), name).kind
        except UsageError:  # an empty name among them
            return
        package = _PACKAGES.get(kind, "")
        if package and package not in sys.modules:
            threading.Thread(target=_import, args=(package,), name="khoj-chat-import", daemon=True).start()

    def close(self) -> None:
        """End the processes of models that run here."""
        with self._lock:
            held, self._held = list(self._held.values()), {}
        for each in held:
            each.model.close()

    # -- making ----------------------------------------------------------------------------------------------------

    def _make(self, chosen: Chosen, settings: ChatSettings, *, look: bool) -> tuple[ChatModel, float]:
        """The model, and for how many seconds what is known of it holds; `look`: its service may be asked of it."""
        patience = Patience(settings.timeout_seconds, settings.tries)
        if chosen.kind == LOCAL:
            return self._gguf(chosen, settings, patience), float("inf")
        connection = self._connection(chosen)
        if chosen.kind == "anthropic":
            card = _card(chosen, chosen.window or DEFAULT_WINDOW)
            return self._served(Anthropic, chosen, card, connection, patience), float("inf")
        if chosen.kind == "ollama":
            told = shown(connection, chosen.name) if look else Shown()
            chosen = replace(chosen, vision=chosen.vision or told.sees, thinks=chosen.thinks or told.thinks)
            window = chosen.window or settings.local_window
            card = _card(chosen, min(window, told.window or window))
            model = self._served(Ollama, chosen, card, connection, patience)
            model.keep_alive = settings.keep_alive
            return model, _FRESH_SECONDS if told.window or not look else _ABSENT_SECONDS
        if chosen.of_vendor or not look or (connection.remote and chosen.window):
            card = _card(chosen, chosen.window or DEFAULT_WINDOW)
            return self._served(OpenAiCompatible, chosen, card, connection, patience), float("inf")
        has = models_at(connection, chosen.kind)
        window, counter = chosen.window, None
        if has is not None:
            window = window or loaded_window(connection) or has.get(chosen.name, 0)
            # One elsewhere is not asked: each passage that may be given is counted, and each time is a journey.
            if not connection.remote and tokens_of(connection, chosen.name, "one two") is not None:
                counter = Counter(lambda text: tokens_of(connection, chosen.name, text))
        card = _card(chosen, window or DEFAULT_WINDOW)
        made = self._served(OpenAiCompatible, chosen, card, connection, patience, counter)
        return made, _ABSENT_SECONDS if has is None else _FRESH_SECONDS

    def _served(  # the parts of a model
        self,
        kind: type[S],
        chosen: Chosen,
        card: ModelCard,
        connection: Connection,
        patience: Patience,
        counter: Counter | None = None,
    ) -> S:
        return kind(
            card,
            connection,
            patience,
            may_ask=self.check_consent,
            counter=counter,
            samples=chosen.samples,
            thinks=chosen.thinks,
        )

    def _gguf(self, chosen: Chosen, settings: ChatSettings, patience: Patience) -> GgufModel:
        path = find_gguf(chosen.name, self._folders.chat_models)
        return GgufModel(
            _card_of_file(chosen, path, settings),
            path,
            lambda service, key: Connection(service, self._environment, self._folders, key=key),
            patience,
            threads=settings.local_threads,
            nice=self._nice,
            idle_seconds=settings.local_idle_seconds,
        )

    def _connection(self, chosen: Chosen) -> Connection:
        return connection_to(chosen, self._environment, self._folders)

    def _may_look(self, chosen: Chosen) -> bool:
        """Whether the service may be asked what it has: one elsewhere not before the user said yes to it."""
        return is_loopback(chosen.base_url) or self._consents.given(host_of(chosen.base_url))

    # -- listing ---------------------------------------------------------------------------------------------------

    def _present(self, settings: ChatSettings) -> dict[str, list[str]]:
        """What the services of this machine have, by provider; those that do not answer are left out."""
        found = {LOCAL: [path.stem for path in gguf_files(self._folders.chat_models)]}
        for provider, service in providers(settings).items():
            if provider == LOCAL or not is_loopback(service.base_url):
                continue
            try:
                connection = self._connection(Chosen(provider, service.kind, "", service.base_url, service.api_key_variable))
            except ModelError:  # `khoj-ls doctor` and the problems of the settings tell what is wrong with the address
                continue
            has = models_at(connection, service.kind, seconds=_PICKER_SECONDS)
            if has is not None:
                found[provider] = list(has)
        return found

    def _listed(self, settings: ChatSettings, name: str, there: bool | None, has_key: Callable[[str], bool]) -> Listed | None:
        try:
            chosen = what_is_meant(settings, name)
            if chosen.kind == LOCAL:
                path = find_gguf(chosen.name, self._folders.chat_models)
                return Listed(name, _card_of_file(chosen, path, settings), "", False, "", True)
            connection = self._connection(chosen)
        except (ModelError, UsageError):  # said when it is chosen
            return None
        window = chosen.window or (settings.local_window if chosen.kind == "ollama" else DEFAULT_WINDOW)
        key: Literal["", "there", "missing"] = ""
        if chosen.key_variable:
            key = "there" if has_key(chosen.key_variable) else "missing"
        return Listed(name, _card(chosen, window), connection.host, connection.remote, key, there)

    def _plugged_entry(self, name: str, patience: float) -> Listed | None:
        try:
            model = plugged_model(self.plugged, name, patience)
        except (ModelError, UsageError):  # said when it is chosen
            return None
        return Listed(name, model.card, model.host, model.remote, "", None) if model else None

    def _has_key(self, name: str) -> bool:
        try:
            return find_key(name, self._environment, self._folders) is not None
        except SettingsError:
            return False


def _import(package: str) -> None:
    try:
        import_module(package)
    except Exception:  # a thread's edge: the question tells what is wrong with it
        log.exception("%s cannot be imported", package)


def _card_of_file(chosen: Chosen, path: Path, settings: ChatSettings) -> ModelCard:
    """Raises ModelError for a file that is no model."""
    window = chosen.window or min(settings.local_window, trained_window(path) or settings.local_window)
    return _card(replace(chosen, name=path.stem), window)


def _card(chosen: Chosen, window: int) -> ModelCard:
    most = min(window, chosen.max_answer) if chosen.max_answer else min(window // 2, _ANSWER_OF_UNKNOWN)
    return ModelCard(chosen.provider, chosen.name, window, most, chosen.vision, price=chosen.price)
