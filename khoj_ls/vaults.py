"""The vaults open in this process, and how a file's vault is found."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from khoj_ls.config.paths import Folders
from khoj_ls.config.roots import find_root
from khoj_ls.config.settings import ChatSettings, EmbeddingSettings, Settings
from khoj_ls.core.errors import KhojError, NoVaultError, UsageError
from khoj_ls.core.events import Tell
from khoj_ls.core.metrics import Metrics
from khoj_ls.core.paths import to_path as to_path  # for those who ask for a vault by a path
from khoj_ls.core.protocols import RerankModel
from khoj_ls.embed.service import EncoderService
from khoj_ls.plugins.manager import PluginManager, load_plugins
from khoj_ls.rerank.plugged import PluggedReranker, plugged_rerankers
from khoj_ls.rerank.service import RerankerService
from khoj_ls.vault import Vault
from khoj_ls.vault.chatting import ChatShared
from khoj_ls.vault.live_settings import LiveSettings
from khoj_ls.vault.plugin_report import PluginReport, plugin_report

if TYPE_CHECKING:
    from khoj_ls.llm.models import ChatModels
    from khoj_ls.vault.telling import Telling

log = logging.getLogger(__name__)

_MOST_IDLE = 8
"""So many vaults stay open for those who may come back."""
_SOON_SECONDS = 60.0
"""A request without a session is long answered by then."""


class OpenVaults:
    """All vaults of this process: each is opened once, whoever asks, and closed when nobody has asked for a while."""

    def __init__(
        self,
        settings: Settings,
        folders: Folders,
        *,
        watch: bool = True,
        environment: Mapping[str, str] | None = None,
        tell: Tell | None = None,
    ) -> None:
        """Serve with the user's `settings`; `environment` holds the keys that remote models may need. Opens nothing yet.

        `tell` hears of what happens in the vaults.
        """
        self.settings = settings
        self.folders = folders
        self.telling = _telling(tell) if tell else None
        """Where what happens is handed over; None where nobody wants to hear of it."""
        self.metrics = Metrics()
        """How often, and how fast, the requests of all clients were answered."""
        self._watch = watch
        self._environment: dict[str, str] = dict(environment or {})
        self._lock = threading.RLock()
        self._vaults: dict[Path, Vault] = {}
        self._leases: dict[Path, int] = {}
        self._last_used: dict[Path, float] = {}
        self._encoders: dict[EmbeddingSettings, EncoderService] = {}
        self.reranker = RerankerService(
            settings.rerank, folders.models, nice=settings.daemon.nice, environment=self._environment
        )
        """One for all vaults: which model reranks is the user's choice, not a vault's."""
        self._live_settings = LiveSettings(settings, folders)
        self._unfollowed: dict[Path, str] = {}
        """Why a vault does not follow its settings."""
        self._chat_models: ChatModels | None = None
        self._asked_for: set[str] = set()
        self._chats = ChatShared(lambda: self.chat_models, self.chat_settings, self._asked_for.add)
        self._plugged_reranker: PluggedReranker | None = None
        self._plugins_lock = threading.Lock()
        self._plugins: PluginManager | None = None

    @property
    def plugins(self) -> PluginManager:
        """The plugins of this process; loaded when they are first wanted, which takes as long as importing them, twice."""
        with self._plugins_lock:
            if self._plugins is None:
                self._plugins = load_plugins(self.folders, self.settings.plugins, self.settings.vaults)
                for problem in self._plugins.problems:
                    log.warning("the plugin %s is left out: %s", problem.plugin, problem.error)
            return self._plugins

    def plugin_report(self) -> PluginReport:
        """What became of the plugins."""
        return plugin_report(self.plugins, self.folders.config)

    def root_of(self, path: Path) -> Path:
        """Root of the vault that `path` belongs to: an open vault around it, else by markers, else the folder itself.

        Raises NoVaultError for a file that none is around: to be asked about it is no leave to read all that lies beside it.
        """
        path = Path(os.path.realpath(path))
        with self._lock:
            around = [root for root in self._vaults if path == root or root in path.parents]
        marked = find_root(path)
        candidates = [*around, *([marked] if marked else self._known_around(path))]
        if candidates:
            return max(candidates, key=lambda root: len(root.parts))
        if not path.is_dir():
            self._refuse_own(path)
            raise NoVaultError(f"{path} lies in no vault: open its folder, or list it under `vaults` in the settings")
        return path

    def _known_around(self, path: Path) -> list[Path]:
        """Folders around `path` that the user lists as vaults, or that were indexed before."""
        listed = {Path(os.path.realpath(Path(folder).expanduser())) for folder in self.settings.vaults}
        return [
            above for above in (path, *path.parents) if above in listed or (self.folders.vault(above) / "index.db").exists()
        ]

    def open(self, path: Path, *, yes: bool = False, exact: bool = False) -> Vault:
        """The vault that `path` belongs to, or with `exact` the vault at `path`, opened if it is not.

        Raises VaultError when it is missing or refused, NoVaultError for a file outside of every vault and for our own
        folders: chats as files lie there.
        """
        root = Path(os.path.realpath(path)) if exact else self.root_of(path)
        with self._lock:
            vault = self._vaults.get(root)
            if vault is None:
                self._refuse_own(root)
                settings = self._live_settings.for_opening(root)
                vault = Vault(
                    root,
                    settings,
                    self.folders,
                    self._encoder,
                    reranker=self._chosen_reranker(),
                    chats=self._chats,
                    plugins=self.plugins,
                    watch=self._watch,
                    yes=yes,
                )
                self._vaults[root] = vault
                if self.telling:
                    self.telling.follow(vault)
            self._last_used[root] = time.monotonic()
            return vault

    def _refuse_own(self, path: Path) -> None:
        for own in map(os.path.realpath, (self.folders.config, self.folders.data, self.folders.state)):
            if Path(own) in (path, *path.parents):
                raise NoVaultError(f"{path} lies where khoj-ls keeps its own files: it is no note")

    def get(self, path: Path) -> Vault | None:
        """The open vault around `path`, if there is one."""
        path = Path(os.path.realpath(path))
        with self._lock:
            around = [root for root in self._vaults if path == root or root in path.parents]
            return self._vaults[max(around, key=lambda root: len(root.parts))] if around else None

    def lease(self, path: Path) -> Vault:
        """Open a vault and keep it open until `release`."""
        with self._lock:
            vault = self.open(path)
            self._leases[vault.root] = self._leases.get(vault.root, 0) + 1
            return vault

    def release(self, root: Path) -> None:
        """Give back one lease."""
        with self._lock:
            self._leases[root] = max(0, self._leases.get(root, 0) - 1)
            self._last_used[root] = time.monotonic()

    @contextmanager
    def leased(self, root: Path) -> Iterator[Vault]:
        """A vault that is kept open for the block."""
        vault = self.lease(root)
        try:
            yield vault
        finally:
            self.release(vault.root)

    def open_vaults(self) -> list[Vault]:
        """All open vaults, by root."""
        with self._lock:
            return [self._vaults[root] for root in sorted(self._vaults)]

    @contextmanager
    def all_kept(self) -> Iterator[list[Vault]]:
        """All open vaults, by root, none of which is closed within the block; this is no use of them."""
        with self._lock:
            vaults = self.open_vaults()
            for vault in vaults:
                self._leases[vault.root] = self._leases.get(vault.root, 0) + 1
        try:
            yield vaults
        finally:
            with self._lock:
                for vault in vaults:
                    self._leases[vault.root] = max(0, self._leases.get(vault.root, 0) - 1)

    def close_idle(self, seconds: float) -> None:
        """Close vaults that nobody leases and nobody has asked for `seconds`.

        Beside the few that were asked last, one goes sooner: each takes memory, and one of the watches that a system has for
        all programs of a user (128 on many Linuxes).
        """
        with self._lock:
            now = time.monotonic()
            unused = [root for root in self._vaults if not self._leases.get(root) and not self._vaults[root].busy]
            unused.sort(key=self._last_used.__getitem__, reverse=True)
            idle = [
                root
                for place, root in enumerate(unused)
                if now - self._last_used[root] > (seconds if place < _MOST_IDLE else min(seconds, _SOON_SECONDS))
            ]
            closing = [self._vaults.pop(root) for root in idle]
        for vault in closing:
            vault.close()

    def encoders(self) -> list[EncoderService]:
        """The encoders in use."""
        with self._lock:
            return list(self._encoders.values())

    @property
    def chat_models(self) -> ChatModels:
        """The chat models of all vaults; made when they are first wanted."""
        from khoj_ls.llm.models import ChatModels

        with self._lock:
            if self._chat_models is None:
                nice = self.settings.daemon.nice
                self._chat_models = ChatModels(self.chat_settings, self.folders, self._environment, nice, self.plugins)
            return self._chat_models

    def chat_settings(self, root: Path | None = None) -> ChatSettings:
        """What holds for chats in the vault at `root` (without one: for all), as the user's files have it now."""
        return self._live_settings.chat(root)

    def follow_settings(self, *, at_once: bool = False) -> None:
        """Have open vaults go on under what the files of settings say now; it takes two looks, unless `at_once`.

        One that cannot goes on as before (see `settings_fault`); the others follow.
        """
        vaults = self.open_vaults()
        for vault in vaults:
            try:
                fault = self._follow(vault, at_once=at_once)
            except Exception as error:  # the others are not to wait for this one's mending; it is tried again at the next look
                fault = str(error) if isinstance(error, (KhojError, OSError)) else type(error).__name__
                if fault != self.settings_fault(vault.root):
                    log.error("%s does not follow its settings", vault.root, exc_info=error)
            with self._lock:
                self._unfollowed[vault.root] = fault
        with self._lock:
            self._unfollowed = {root: fault for root, fault in self._unfollowed.items() if fault and root in self._vaults}

    def _follow(self, vault: Vault, *, at_once: bool) -> str:
        """Have a vault follow; why its settings cannot be used, empty where they can."""
        try:
            wanted = self._live_settings.settled(vault.settings, vault.root, at_once=at_once)
        except UsageError as error:
            if str(error) != self.settings_fault(vault.root):
                log.warning("%s goes on under the settings it has: %s", vault.root, error)
            return str(error)
        if wanted is not None:
            log.info("the settings of %s have changed: it goes on under the new ones", vault.root)
            vault.adopt(wanted)
        return ""

    def settings_fault(self, root: Path) -> str:
        """Why the vault at `root` goes on under other settings than its files have now; empty where it does not."""
        with self._lock:
            return self._unfollowed.get(root, "")

    @property
    def outdated(self) -> bool:
        """Whether the user's file says something that holds only once the program starts anew."""
        return self._live_settings.wait_for_restart

    def allow_host(self, host: str) -> tuple[str, ...]:
        """Take down the user's yes to sending passages of notes to `host`; returns all hosts he allows.

        Raises UsageError for a host that no chat has asked about, SettingsError where his file cannot be written.
        """
        if host not in self._asked_for:
            raise UsageError(f"no chat has asked about {host}: ask a question first, then say yes to what it would send")
        self.chat_models.allow(host)
        return tuple(dict.fromkeys((*self.chat_settings().allowed_hosts, host)))

    def add_environment(self, environment: Mapping[str, str]) -> None:
        """Take in the allow-listed variables of a new session; what is known already stays."""
        with self._lock:
            for name, value in environment.items():
                self._environment.setdefault(name, value)

    def close(self) -> None:
        """Close all vaults and end the encoders."""
        with self._lock:
            vaults, self._vaults = list(self._vaults.values()), {}
            encoders, self._encoders = list(self._encoders.values()), {}
        for vault in vaults:
            vault.close()
        for encoder in encoders:
            encoder.close()
        self.reranker.close()
        with self._lock:
            if self._chat_models is not None:
                self._chat_models.close()

    def _chosen_reranker(self) -> RerankModel:
        """The reranker that the settings name: a plugin's, or one of the service's."""
        named = self.settings.rerank.model
        with self._lock:
            if self._plugged_reranker is None:
                own = plugged_rerankers(self.plugins)
                if named in own.by_name:
                    self._plugged_reranker = PluggedReranker(
                        own.by_name[named], own.plugin[named], self.settings.rerank.timeout_seconds
                    )
            return self._plugged_reranker or self.reranker

    def _encoder(self, settings: EmbeddingSettings, model: str) -> EncoderService:
        wanted = replace(settings, model=model)
        with self._lock:
            if wanted not in self._encoders:
                self._encoders[wanted] = EncoderService(
                    wanted,
                    self.folders.models,
                    nice=self.settings.daemon.nice,
                    environment=self._environment,
                    plugins=self.plugins,
                )
            return self._encoders[wanted]


def _telling(tell: Tell) -> Telling:
    # Imported here: only who has webhooks needs it.
    from khoj_ls.vault.telling import Telling

    return Telling(tell)
