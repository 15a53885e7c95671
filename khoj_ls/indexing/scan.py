"""One walk over a vault: the stat of every file that may be indexed, and why the others are not. Reads only ignore rules."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from khoj_ls.core.errors import VaultError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.indexing.ignore import (
    BAD_NAME,
    IGNORE_FILES,
    NAMED,
    Decision,
    IgnoreRules,
    Scope,
    is_encodable,
    refused_name,
    unreadable,
)
from khoj_ls.store.files import FileStat

_INODE_BITS = (1 << 63) - 1


@dataclass(frozen=True)
class Scan:
    """What a walk found."""

    files: list[FileStat]
    """Files that no rule leaves out by name, folder or kind. Those over the size limit are among them, to be reported, and so
    are pipes, devices and links that lead nowhere."""
    skipped: Mapping[str, int]
    """How many files and folders were left out, by `Decision.code`."""
    unknown: tuple[str, ...]
    """Folders (with a final slash) that could not be listed: what the index holds of them is kept."""
    problems: tuple[tuple[str, str], ...]
    """(path, reason) of what should have been indexed but has no row of its own: unlisted folders, undecodable names."""
    private: frozenset[str] = frozenset()
    """Paths among `files` that a rule makes private."""


def scan(rules: IgnoreRules, folder: str = "", token: CancelToken | None = None) -> Scan:
    """Walk the vault, or one folder of it (relative, no final slash). A folder that is gone or left out holds nothing.

    Raises VaultError when the vault itself is gone or cannot be listed, Cancelled.
    """
    walk = _Walk(rules)
    above, _, name = folder.rpartition("/")
    outer = rules.locate(above, {}) if folder else None
    if isinstance(outer, Decision) or (outer and (outer.folder(name) or (rules.root / folder).is_symlink())):
        return walk.result()
    waiting: list[tuple[str, Scope | None]] = [(f"{folder}/" if folder else "", outer)]
    while waiting:
        if token:
            token.raise_if_cancelled()
        path, scope = waiting.pop()
        waiting.extend(walk.folder(path, scope))
    return walk.result()


def stat_of(path: str, found: os.stat_result) -> FileStat:
    """What the store remembers of a file's stat."""
    # Some file systems number files with 64 unsigned bits, of which SQLite keeps 63.
    return FileStat(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _INODE_BITS)


def count_files(root: Path, limit: int) -> int:
    """How many files lie below `root`, outside hidden and programs' own folders; stops counting beyond `limit`."""
    total = 0
    waiting = [str(root)]
    while waiting and total <= limit:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or refused_name(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += 1
        except OSError:
            continue  # what cannot be listed is reported by the scan; here it only counts
    return total


class _Walk:
    def __init__(self, rules: IgnoreRules) -> None:
        self._rules = rules
        self._root = f"{rules.root}/"
        self._files: list[FileStat] = []
        self._skipped: Counter[str] = Counter()
        self._unknown: list[str] = []
        self._problems: list[tuple[str, str]] = []
        self._private: set[str] = set()

    def result(self) -> Scan:
        return Scan(self._files, dict(self._skipped), tuple(self._unknown), tuple(self._problems), frozenset(self._private))

    def folder(self, path: str, above: Scope | None) -> list[tuple[str, Scope | None]]:
        """Take in one folder; returns its subfolders with the scope that holds around them."""
        try:
            with os.scandir(self._root + path) as listing:
                entries = list(listing)
        except OSError as error:
            self._not_listed(path, error)
            return []
        names = {entry.name for entry in entries}
        scope = self._rules.scope(path, above, [name for name in IGNORE_FILES if name in names])
        inner: list[tuple[str, Scope | None]] = []
        for entry in entries:
            try:
                decision = self._entry(entry, scope, inner)
            except OSError as error:
                if isinstance(error, FileNotFoundError):
                    continue  # gone since the folder was listed
                decision = self._problem(path + entry.name, unreadable(error))
            if decision is not None:
                self._skipped[decision.code] += 1
        return inner

    def _entry(self, entry: os.DirEntry[str], scope: Scope, inner: list[tuple[str, Scope | None]]) -> Decision | None:
        name = entry.name
        if entry.is_dir(follow_symlinks=False):
            decision = scope.folder(name)
            if decision is None:
                if not is_encodable(name):
                    return self._problem(scope.path + name, BAD_NAME)
                inner.append((f"{scope.path}{name}/", scope))
            return decision
        decision = scope.file(name)
        if decision is not None:
            return self._rules.link(scope.path + name) if entry.is_symlink() else decision
        if not is_encodable(name):
            return self._problem(scope.path + name, BAD_NAME)
        found = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            decision = self._rules.by_stat(scope.path + name, found)
        if decision is None or decision.code in NAMED:
            self._files.append(stat_of(scope.path + name, found))
            if scope.is_private(name):
                self._private.add(scope.path + name)
        return decision

    def _problem(self, path: str, decision: Decision) -> Decision:
        # Shown and sent as JSON, so it must be encodable whatever the name is.
        self._problems.append((os.fsencode(path).decode("utf-8", "backslashreplace"), decision.reason))
        return decision

    def _not_listed(self, path: str, error: OSError) -> None:
        if not path:
            raise VaultError(
                f"{self._rules.root} is not there or cannot be listed ({error.strerror or error}); its index is kept: "
                "bring the folder back, or mount its disk"
            ) from error
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            self._unknown.append(path)
            self._problem(path, unreadable(error))
