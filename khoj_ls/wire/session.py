"""Who asks: one client's session, and one running request of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from khoj_ls.config.options import with_values
from khoj_ls.config.settings import ChatSettings, Settings
from khoj_ls.core.errors import NoVaultError
from khoj_ls.core.jobs import CancelToken, ProgressCallback
from khoj_ls.vault import Vault
from khoj_ls.vaults import OpenVaults, to_path
from khoj_ls.wire.chat_messages import ChatConsent
from khoj_ls.wire.messages import DaemonStatus
from khoj_ls.wire.suggest import OpenText
from khoj_ls.wire.turns import Follow, Turn


@dataclass
class Session:
    """One client: which vaults are its own, and its settings."""

    vaults: OpenVaults
    overrides: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What the client has set, checked, by dotted key: it wins over the settings of the user and of each vault."""
    roots: list[Path] = field(default_factory=list)
    """Vault roots of the client's workspace folders; the first answers when nothing else is said."""
    daemon: Callable[[], DaemonStatus | None] = lambda: None
    open_text: Callable[[str], OpenText | None] = lambda uri: None
    """The text of a document that the client has open, by URI."""
    units: Callable[[], str] = lambda: "utf-32"
    """What the client counts in within a line (LSP's PositionEncodingKind); who is no editor counts characters."""
    ask_consent: Callable[[ChatConsent, CancelToken], bool] | None = None
    """Asks the user for a yes to sending passages somewhere, and waits for the answer; None where nobody can be asked."""
    turns: dict[str, Turn] = field(default_factory=dict)
    """The turns of chats that are under way, by id."""

    @property
    def settings(self) -> Settings:
        """What holds where no vault is asked about: the user's settings, and on top of them the client's."""
        return _with(self.vaults.settings, self.overrides)

    def settings_of(self, vault: Vault) -> Settings:
        """What holds for a vault: its own settings, which stand on the user's, and on top of them the client's."""
        return _with(vault.settings, self.overrides)

    def close(self) -> None:
        """The client is gone: call off what it would have been told."""
        for turn in list(self.turns.values()):
            turn.cancel()


@dataclass(frozen=True)
class Job:
    """One running request: how to stop it and how to say how far it is."""

    token: CancelToken
    progress: ProgressCallback
    follow: Follow | None = None
    """Takes over a turn whose events are to be sent behind the answer; None where nothing can be sent."""


def asked_vaults(session: Session, reference: str | None) -> list[Vault]:
    """The vaults a request is about. Raises UsageError when there is none."""
    if reference:
        return [session.vaults.open(to_path(reference), exact=True)]
    roots = session.roots or [Path(folder).expanduser() for folder in session.settings.vaults]
    if not roots:
        raise NoVaultError(
            "no vault: open a folder of notes, name one with `vault`, or list some under `vaults` in the settings"
        )
    return [session.vaults.open(root) for root in roots]


def chat_settings_for(session: Session, root: Path | None) -> ChatSettings:
    """What holds for chats in a session, as the user's files have it now; what the editor has set wins."""
    own = {key.removeprefix("chat."): value for key, value in session.overrides.items() if key.startswith("chat.")}
    return with_values(session.vaults.chat_settings(root), own)


def _with(settings: Settings, overrides: Mapping[str, Any]) -> Settings:
    return with_values(settings, overrides) if overrides else settings
