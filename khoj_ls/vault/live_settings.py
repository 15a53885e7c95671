"""What the files say now: a running daemon follows `khoj-ls config set chat.model ...`, and tells what else has changed."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from khoj_ls.config.load import VAULT_FILE, UserSettings, load_user_settings, load_vault_settings
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import ChatSettings, Settings

Stamp = tuple[tuple[int, int], ...]
"""Time of change and size of each file; zeros for one that is not there."""


class LiveSettings:
    """Settings that are read again when their files change. Thread-safe."""

    def __init__(self, settings: Settings, folders: Folders) -> None:
        """Follow the files that `settings` came from; settings that came from no file hold as they are."""
        self._settings = settings
        self._folders = folders
        self._lock = threading.Lock()
        self._known: dict[Path | None, tuple[Stamp, Settings]] = {}

    def chat(self, root: Path | None = None) -> ChatSettings:
        """What holds now for chats in the vault at `root`, or without one, what the user has set for all."""
        return self.now(root).chat

    def now(self, root: Path | None = None) -> Settings:
        """All that the files say now for the vault at `root`, or without one, for all."""
        if not isinstance(self._settings, UserSettings):
            return self._settings
        overrides = self._settings.overrides
        files = (self._folders.user_settings,) if root is None else (self._folders.user_settings, root / VAULT_FILE)
        with self._lock:
            stamp = tuple(_stamp(file) for file in files)
            if root not in self._known or self._known[root][0] != stamp:
                user, _ = load_user_settings(self._folders, overrides)
                self._known[root] = (stamp, load_vault_settings(user, root) if root else user)
            return self._known[root][1]

    def differ(self, opened: Settings, root: Path) -> bool:
        """Whether the files say something else now for the vault at `root` than what it was `opened` with; chats apart."""
        return isinstance(self._settings, UserSettings) and replace(self.now(root), chat=opened.chat) != opened


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:  # not there, or not to be read: nothing is set
        return 0, 0
    return status.st_mtime_ns, status.st_size
