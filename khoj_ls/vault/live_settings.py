"""What the files say now: a running daemon follows them, and tells of what holds only once it starts anew."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from khoj_ls.config.load import (
    HOLD_FROM_START,
    VAULT_FILE,
    UserSettings,
    Values,
    load_user_settings,
    load_vault_settings,
    settings_problems,
)
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import ChatSettings, Settings
from khoj_ls.core.errors import UsageError

Stamp = tuple[tuple[int, int], ...]
"""Time of change and size of each file; zeros for one that is not there."""


class LiveSettings:
    """Settings that are read again when their files change. Thread-safe."""

    def __init__(self, settings: Settings, folders: Folders) -> None:
        """Follow the files that `settings` came from; settings that came from no file hold as they are."""
        self._settings = settings
        self._folders = folders
        self._lock = threading.Lock()
        self._known: dict[Path | None, tuple[Stamp, Settings | str]] = {}
        """What was read last, or why it cannot be used."""
        self._seen: dict[Path, Settings] = {}
        """What the files of a vault said at the last look, where that was new."""

    def chat(self, root: Path | None = None) -> ChatSettings:
        """What holds now for chats in the vault at `root`, or without one, what the user has set for all."""
        return self.now(root).chat

    def now(self, root: Path | None = None) -> Settings:
        """All that the files say now for the vault at `root`, or without one, for all.

        Raises UsageError as `load_vault_settings` does.
        """
        if not isinstance(self._settings, UserSettings):
            return self._settings
        overrides = self._settings.overrides
        files = (self._folders.user_settings,) if root is None else (self._folders.user_settings, root / VAULT_FILE)
        with self._lock:
            stamp = tuple(_stamp(file) for file in files)
            if root not in self._known or self._known[root][0] != stamp:
                self._known[root] = (stamp, self._read(root, overrides))
            known = self._known[root][1]
        if isinstance(known, str):
            raise UsageError(known)
        return known

    def _read(self, root: Path | None, overrides: Values) -> Settings | str:
        user, _ = load_user_settings(self._folders, overrides)
        try:
            return load_vault_settings(user, root) if root else user
        except UsageError as error:
            return str(error)

    def for_opening(self, root: Path) -> Settings:
        """What the vault at `root` is opened with: what the files say; the user's as at the start where it cannot be read."""
        user = self._settings
        if isinstance(user, UserSettings) and self._readable():
            user, _ = load_user_settings(self._folders, user.overrides)
        return load_vault_settings(user, root)

    def settled(self, opened: Settings, root: Path, *, at_once: bool = False) -> Settings | None:
        """What the vault at `root` is to go on with instead of what it was `opened` with; None where there is nothing new.

        That is what the files have said for two looks (unless `at_once`), readably: an editor may be in the middle of writing
        them, and without the rules in them private notes were none. Raises UsageError as `load_vault_settings` does.
        """
        if not isinstance(self._settings, UserSettings):
            return None
        wanted = replace(self.now(root), chat=opened.chat)  # chats look by themselves, at each question
        if wanted == opened or not self._readable(root):
            self._seen.pop(root, None)
            return None
        if not at_once and self._seen.get(root) != wanted:
            self._seen[root] = wanted
            return None
        return wanted

    @property
    def wait_for_restart(self) -> bool:
        """Whether the user's file says something now that holds only once the program starts anew."""
        now = self.now()
        return any(getattr(now, name) != getattr(self._settings, name) for name in HOLD_FROM_START)

    def _readable(self, root: Path | None = None) -> bool:
        """Whether the files can be read; a value in them that is wrong is left out as it is when a vault is opened."""
        return all(problem.key for problem in settings_problems(self._folders.user_settings, root))


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:  # not there, or not to be read: nothing is set
        return 0, 0
    return status.st_mtime_ns, status.st_size
