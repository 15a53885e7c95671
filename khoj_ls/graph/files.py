"""What the graph asks of the disk: the tool's own settings, and the files of a vault that are no notes."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path

from khoj_ls.links.conventions import MARKERS, SETTINGS_FILES, Conventions, SettingsProblem, read_conventions, unusable
from khoj_ls.links.target import LinkTarget
from khoj_ls.links.text import fold, split_suffix

_MOST_BYTES = 1_000_000
_WALK_AGAIN_SECONDS = 10.0
_NOT_WALKED = frozenset({"node_modules", "__pycache__"})


def read_vault_conventions(root: Path) -> tuple[Conventions, tuple[SettingsProblem, ...]]:
    """How the tool that the vault at `root` is written with makes its links work, and what of its settings cannot be used."""
    found: dict[str, bytes] = {}
    problems: list[SettingsProblem] = []
    for name in SETTINGS_FILES:
        path = root / name
        try:
            if not path.is_file():
                continue
            if path.stat().st_size > _MOST_BYTES:
                problems.append(unusable(name, f"have more than {_MOST_BYTES:,} bytes"))
                continue
            found[name] = path.read_bytes()
        except OSError as error:
            problems.append(unusable(name, f"cannot be read ({error.strerror or error})"))
    conventions, unread = read_conventions(found, {name for name in MARKERS if (root / name).exists()})
    return conventions, (*problems, *unread)


class VaultConventions:
    """The conventions of one vault, read again when a file that decides them has changed. May be asked from any thread."""

    def __init__(self, root: Path) -> None:
        """Nothing is read before somebody asks."""
        self._root = root
        self._known: tuple[Hashable, Conventions] | None = None

    def now(self) -> Conventions:
        """How links work as the disk has it now; takes no longer than to look at a dozen names."""
        state = tuple(_state(self._root / name) for name in (*SETTINGS_FILES, *MARKERS))
        if self._known is None or self._known[0] != state:
            self._known = state, read_vault_conventions(self._root)[0]
        return self._known[1]


def _state(path: Path) -> tuple[int, int, int] | None:
    """What is another when the file at `path` has changed; of a folder, that it is there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (0, 0, 0) if stat.S_ISDIR(found.st_mode) else (found.st_ino, found.st_size, found.st_mtime_ns)


class VaultFiles:
    """The files of one vault that are no notes. May be asked from any thread.

    A path is looked at on the disk. Only a name that no path leads to (Obsidian's `![[image.png]]`) needs the list of all
    files, which is then made, and made again when it is older than some seconds.
    """

    def __init__(self, root: Path, attachments: Sequence[str] = ()) -> None:
        """Look below `root`; `attachments` are folders where names are looked for first."""
        self._root = root
        self._attachments = tuple(attachments)
        self._guard = threading.Lock()
        self._named: dict[str, list[str]] = {}
        self._walked = -_WALK_AGAIN_SECONDS

    def inside(self, path: str) -> str | None:
        """An absolute path (or one that begins with `~`) relative to the vault; None when it lies outside."""
        absolute = os.path.normpath(os.path.expanduser(path))  # noqa: PTH111 (pathlib raises where there is no home)
        root = str(self._root)
        return absolute[len(root) + 1 :].replace(os.sep, "/") if absolute.startswith(root + os.sep) else None

    def find(self, target: LinkTarget, source: str, tried: Sequence[str]) -> str | None:
        """The file at one of the paths `tried`; else, for a wikilink, the one of that name, the shortest path of several."""
        for path in tried:
            if path and not path.startswith("../") and self._is_there(path, file=target.scheme == "name"):
                return path
        name = target.note.rpartition("/")[2]
        if target.scheme != "name" or "." not in name or split_suffix(name)[1]:
            return None
        for folder in self._attachments:
            if self._is_there(f"{folder}/{name}"):
                return f"{folder}/{name}"
        end = "/" + fold(target.note.lstrip("./"))
        found = [path for path in self._called(fold(name)) if ("/" + fold(path)).endswith(end)]
        return min(found, key=lambda path: (len(path), path), default=None)

    def _is_there(self, path: str, *, file: bool = True) -> bool:
        """Whether there is something at `path`; with `file`, not a folder: only a path can mean that."""
        try:
            found = self._root / path
            return found.is_file() if file else found.exists()
        except (OSError, ValueError):  # a name too long, a NUL in it: no file system has that
            return False

    def _called(self, name: str) -> list[str]:
        with self._guard:
            if time.monotonic() - self._walked >= _WALK_AGAIN_SECONDS:
                self._named = self._walk()
                self._walked = time.monotonic()
            return self._named.get(name, [])

    def _walk(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for folder, folders, names in os.walk(self._root):
            folders[:] = [name for name in folders if not name.startswith(".") and name not in _NOT_WALKED]
            relative = os.path.relpath(folder, self._root)
            for name in names:
                if not split_suffix(name)[1]:
                    found[fold(name)].append(name if relative == "." else f"{relative}/{name}".replace(os.sep, "/"))
        return dict(found)
