"""Which plugins there are: those that installed packages name, and the user's own files. Nothing of them is run here."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points
from pathlib import Path
from typing import Literal

from khoj_ls.config.paths import Folders

GROUP = "khoj_ls"
"""The group of entry points."""
FOLDER = "plugins"
"""In the user's config folder."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_MOST_BYTES = 1_000_000
_VAULT_MARKERS = (".khoj.toml", ".obsidian", "logseq", "dendron.yml")


@dataclass(frozen=True)
class Found:
    """A plugin that may be loaded."""

    name: str
    kind: Literal["installed", "file"]
    reference: str
    """`module` or `module:object` of an entry point; the path of a file."""
    origin: str
    """Where it comes from, for people."""
    digest: str
    """Names the code: another digest may do something else."""


@dataclass(frozen=True)
class PluginProblem:
    """A plugin, or a part of it, that is left out."""

    plugin: str
    """Its name."""
    error: str
    """What went wrong, for the user."""
    origin: str = ""
    """Where it comes from; empty where that is known by its name."""


def find_plugins(folders: Folders | None, vaults: Sequence[str] = ()) -> tuple[list[Found], list[PluginProblem]]:
    """The plugins of installed packages by name, then (with `folders`) the user's own files; and those that are refused.

    A file is refused that others than the user can write, or that lies in one of the `vaults` or another vault: a vault may
    have been cloned from anywhere.
    """
    found: dict[str, Found] = {}
    problems: list[PluginProblem] = []
    files = _files(folders, vaults) if folders else ()
    for each in (*_installed(), *files):
        if isinstance(each, PluginProblem):
            problems.append(each)
        elif each.name in found:
            problems.append(
                PluginProblem(each.name, f"there is a plugin of that name already ({found[each.name].origin})", each.origin)
            )
        else:
            found[each.name] = each
    return list(found.values()), problems


def _installed() -> Iterator[Found]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        package, version = _package(point)
        origin = f"{package} {version} ({point.value})" if package else point.value
        yield Found(point.name, "installed", point.value, origin, _digest(f"{point.value} {version}".encode()))


def _package(point: EntryPoint) -> tuple[str, str]:
    try:
        return (point.dist.name, point.dist.version) if point.dist else ("", "")
    except (PackageNotFoundError, KeyError):  # metadata that is half removed
        return "", ""


def _files(folders: Folders, vaults: Sequence[str]) -> Iterator[Found | PluginProblem]:
    folder = folders.config / FOLDER
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".py" and not path.name.startswith((".", "_")))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield PluginProblem(FOLDER, f"the folder cannot be read: {error.strerror}", str(folder))
        return
    roots = frozenset(Path(os.path.realpath(Path(vault).expanduser())) for vault in vaults)
    for path in paths:
        yield _file(path, folders, roots)


def _file(path: Path, folders: Folders, roots: frozenset[Path]) -> Found | PluginProblem:
    name, origin = path.stem, str(path)
    try:
        if not _NAME.fullmatch(name):
            return PluginProblem(name, "a plugin's name has letters, digits, dots, - and _ only, at most 60", origin)
        if fault := _unsafe(path.parent) or _unsafe(path):
            return PluginProblem(name, fault, origin)
        if vault := _vault_of(path, folders, roots):
            return PluginProblem(
                name, f"it lies in the vault {vault}: notes must bring no code. Copy it, instead of a link", origin
            )
        source = path.read_bytes()
    except OSError as error:
        return PluginProblem(name, f"it cannot be read: {error.strerror}", origin)
    return Found(name, "file", str(path), origin, _digest(source))


def _unsafe(path: Path) -> str:
    """Why code at `path` cannot be trusted to be the user's own; empty where it can. Raises OSError."""
    held = path.stat()
    if not (stat.S_ISREG(held.st_mode) or stat.S_ISDIR(held.st_mode)):
        return "it is no file"
    if stat.S_ISREG(held.st_mode) and held.st_size > _MOST_BYTES:
        return f"it has more than {_MOST_BYTES} bytes"
    if not hasattr(os, "getuid"):
        return ""
    what = path if stat.S_ISDIR(held.st_mode) else "it"
    if held.st_uid not in (os.getuid(), 0):
        return f"{what} belongs to another user"
    return f"everybody may write {what}: run chmod o-w {path}" if held.st_mode & stat.S_IWOTH else ""


def _vault_of(path: Path, folders: Folders, roots: Iterable[Path]) -> Path | None:
    """The vault that a link leads into: the file, or the folder of plugins as a whole."""
    real = Path(os.path.realpath(path))
    if real.parent == Path(os.path.realpath(folders.config)) / FOLDER:
        return None
    known = frozenset(roots)
    for above in real.parents:
        marked = any((above / marker).exists() for marker in _VAULT_MARKERS)
        if above in known or marked or (folders.vault(above) / "index.db").exists():
            return above
    return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
