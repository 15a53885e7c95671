"""What khoj-ls has made on this machine, file by file and folder by folder, so that it can be taken away again.

Only names that the program itself gives are listed: whatever else lies in its folders stays, and so do GGUF files, which the
user put there. Notes are never among it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from khoj_ls.config.paths import Folders

_CONVERSATIONS = ("conversations.db*", "conversations.lock")
_INDEX = ("index.db", "root.txt")
"""What shows that a folder is a vault's."""


@dataclass(frozen=True)
class Made:
    """One thing to be removed."""

    what: str
    path: Path

    @property
    def bytes(self) -> int:
        """What it takes on the disk; links count as nothing."""
        if self.path.is_symlink():
            return 0
        files = (file for file in self.path.rglob("*") if not file.is_symlink()) if self.path.is_dir() else iter([self.path])
        return sum(file.stat().st_size for file in files if file.is_file())


def made(here: Folders, *, conversations: bool, config: bool) -> list[Made]:
    """All of it that is there; with the conversations, and with the settings, keys and plugins, or without."""
    found = [
        *_vaults(here.data / "vaults", conversations=conversations),
        *_models(here.models),
        *_named(here.data, ("webhooks", "deliveries of webhooks"), ("evaluation", "vectors of measurements")),
        *_named(here.state, ("daemon.log*", "log"), ("in-process.log*", "log")),
        *(_named(here.state, ("chats", "chat files"), ("chat_history", "what was asked at prompts")) if conversations else ()),
        *_named(here.runtime, ("daemon.sock*", "socket"), ("daemon.tcp*", "socket"), ("*.lock", "lock")),
        *(_named(here.config, ("*", "settings, keys, personas, plugins")) if config else ()),
    ]
    roots = [root for root in _roots(here.data / "vaults")]
    return [each for each in found if not any(each.path == root or each.path in root.parents for root in roots)]


def remove(found: list[Made], here: Folders) -> None:
    """Remove it, and the program's own folders where they are empty then. Links go, what they lead to stays. Raises OSError."""
    for each in found:
        if each.path.is_dir() and not each.path.is_symlink():
            shutil.rmtree(each.path)
        else:
            each.path.unlink(missing_ok=True)
    emptied = [here.data / "vaults", here.chat_models, here.models, here.data, here.state, here.runtime, here.config]
    for folder in [*(each.path.parent for each in found), *emptied]:
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()


def left(here: Folders) -> list[Path]:
    """What lies in the program's folders now."""
    inside = (folder.iterdir() for folder in (here.config, here.data, here.state, here.runtime) if folder.is_dir())
    return sorted(path for paths in inside for path in paths)


def _vaults(folder: Path, *, conversations: bool) -> Iterator[Made]:
    for vault in _entries(folder, "*"):
        if vault.is_symlink() or not any((vault / name).is_file() for name in _INDEX):
            continue
        kept = [file for pattern in _CONVERSATIONS for file in vault.glob(pattern)]
        what = f"index of {_root_of(vault) or vault.name}"
        if conversations or not kept:
            yield Made(what + (", with conversations" if kept else ""), vault)
        else:
            yield from (Made(what, path) for path in sorted(vault.iterdir()) if path not in kept)


def _models(folder: Path) -> Iterator[Made]:
    if folder.is_symlink():
        yield Made("prepared models", folder)
        return
    for path in _entries(folder, "*"):
        if path.name != "chat":
            yield Made("prepared model", path)


def _named(folder: Path, *patterns: tuple[str, str]) -> Iterator[Made]:
    for pattern, what in patterns:
        yield from (Made(what, path) for path in _entries(folder, pattern))


def _entries(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern)) if folder.is_dir() else []


def _roots(folder: Path) -> Iterator[Path]:
    for vault in _entries(folder, "*"):
        if root := _root_of(vault):
            yield root.resolve()


def _root_of(vault: Path) -> Path | None:
    try:
        text = (vault / "root.txt").read_text(errors="surrogateescape").strip()
    except OSError:
        return None
    return Path(text) if text else None
