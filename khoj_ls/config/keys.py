"""API keys: from the environment, a keys file that only its owner can read, or the system keyring. Never from settings."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from khoj_ls.config import toml
from khoj_ls.config.edit import edit
from khoj_ls.config.paths import Folders
from khoj_ls.core.errors import SettingsError

SERVICE = "khoj-ls"
"""The name under which the system keyring holds keys."""


class Secret:
    """A key that shows itself nowhere: not in a log, a traceback, a repr or a format string. `reveal` is its only door."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap `value`."""
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the request that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not to be stored or sent")


def keys_file(folders: Folders) -> Path:
    """Where keys may be kept: one `NAME = "key"` per line, readable by its owner only."""
    return folders.config / "keys.toml"


def find_key(name: str, environment: Mapping[str, str], folders: Folders) -> Secret | None:
    """The key called `name`: the environment's, else the keys file's, else the system keyring's.

    Raises SettingsError when the keys file would decide but is open to others or broken.
    """
    if value := environment.get(name, "").strip():
        return Secret(value)
    held = _read_keys(keys_file(folders)).get(name)
    if held is not None:
        if not isinstance(held, str):
            raise SettingsError(f'{keys_file(folders)}: {name}: write it as {name} = "..."')
        return Secret(held.strip()) if held.strip() else None
    return _from_keyring(name)


def keys_file_problem(folders: Folders) -> str | None:
    """Why the keys file is refused, or None when it is fine or not there."""
    try:
        _read_keys(keys_file(folders))
    except SettingsError as error:
        return str(error)
    return None


def store_key(name: str, value: Secret | None, folders: Folders) -> Path:
    """Write a key to the keys file (None takes it out), keeping the rest of it; returns the file. Raises SettingsError."""
    path = keys_file(folders)
    _read_keys(path)
    edit(path, (name,), value.reveal() if value else None)
    return path


def _read_keys(path: Path) -> dict[str, object]:
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = 0
    # Windows keeps no such bits; its user folders are private by their access lists.
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and os.name != "nt":
        raise SettingsError(
            f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}) and is not used; run: chmod 600 '{path}'"
        )
    try:
        return toml.read(path)
    except toml.TomlError as error:
        raise SettingsError(f"{path}: {error}") from error


def _from_keyring(name: str) -> Secret | None:
    try:
        import keyring
        import keyring.errors
    except ImportError:  # the extra `keyring` is not installed
        return None
    try:
        value = keyring.get_password(SERVICE, name)
    except keyring.errors.KeyringError as error:
        if isinstance(error, keyring.errors.NoKeyringError):
            return None
        raise SettingsError(
            f"the system keyring does not give {name}: {error}; unlock it, or set the variable {name}"
        ) from error
    return Secret(value) if value else None
