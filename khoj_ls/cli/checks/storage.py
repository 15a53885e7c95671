"""Settings, keys, folders, the disk, and the index of every vault."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.cli.checks import Check
from khoj_ls.cli.output import plural, size
from khoj_ls.config.keys import keys_file, keys_file_problem
from khoj_ls.config.load import settings_problems
from khoj_ls.config.paths import Folders
from khoj_ls.core.errors import KhojError

LOW_BYTES, NO_BYTES = 1_000_000_000, 100_000_000


def checks(here: Folders, root: Path) -> Iterator[Check]:
    """All of them."""
    yield from _settings(here, root)
    yield _keys(here)
    yield from _folders(here)
    yield _disk(here.data)
    yield from _indexes(here)


def _settings(here: Folders, root: Path) -> Iterator[Check]:
    problems = settings_problems(here.user_settings, root)
    for problem in problems:
        place = f"{problem.source}: {problem.key}" if problem.key else problem.source
        yield Check("settings", "warn", f"{place}: {problem.message}", "correct the file; until then the setting is not used")
    if not problems:
        there = "" if here.user_settings.exists() else " (not there: the defaults hold)"
        yield Check("settings", "ok", f"{here.user_settings}{there}")


def _keys(here: Folders) -> Check:
    problem = keys_file_problem(here)
    if problem:
        return Check("keys", "warn", problem, "until then only the environment and the keyring give keys")
    return Check("keys", "ok", f"{keys_file(here)}{'' if keys_file(here).exists() else ' (not there)'}")


def _folders(here: Folders) -> Iterator[Check]:
    for name, folder in (("config", here.config), ("data", here.data), ("state", here.state), ("runtime", here.runtime)):
        holder = _existing(folder)
        if not holder.is_dir() or not os.access(holder, os.W_OK | os.X_OK):
            yield Check(
                f"folder {name}", "fail", f"{holder} cannot be written", f"give yourself the right: chmod u+rwx '{holder}'"
            )
        elif name in ("data", "runtime") and folder.exists() and _open_to_others(folder):
            holds = "the socket" if name == "runtime" else "the text of your notes"
            yield Check(
                f"folder {name}",
                "fail" if name == "runtime" else "warn",
                f"{folder} is open to other users and holds {holds}",
                f"run: chmod 700 '{folder}'",
            )
        else:
            yield Check(f"folder {name}", "ok", str(folder))


def _disk(data: Path) -> Check:
    free = shutil.disk_usage(_existing(data)).free
    message = f"{size(free)} free for {data}"
    if free < NO_BYTES:
        return Check("disk", "fail", message, "free some space: nothing can be indexed")
    if free < LOW_BYTES:
        return Check("disk", "warn", message, "free some space: an index takes about ten times the size of its notes' text")
    return Check("disk", "ok", message)


def _indexes(here: Folders) -> Iterator[Check]:
    from khoj_ls.store.database import Database

    for path in sorted((here.data / "vaults").glob("*/index.db")):
        named = path.parent / "root.txt"
        root = Path(named.read_text(errors="surrogateescape").strip()) if named.exists() else path.parent
        try:
            database = Database(path, read_only=True)
            intact = database.intact()
            taken = size(database.size_bytes())
            database.close()
        except KhojError as error:
            yield Check("index", "fail", str(error), f"run: khoj-ls index --vault '{root}'")
            continue
        if not intact:
            yield Check("index", "fail", f"{path} is damaged", f"run: khoj-ls index --vault '{root}' (builds it anew)")
        elif not root.is_dir():
            yield Check("index", "warn", f"{root} is gone; its index takes {taken}", f"if for good: rm -r '{path.parent}'")
        else:
            kept = [kept for kept in path.parent.iterdir() if ".damaged-" in kept.name]
            more = f"; {plural(len(kept), 'damaged file')} of the past beside it" if kept else ""
            yield Check("index", "ok", f"{root}: intact, {taken}{more}")


def _existing(folder: Path) -> Path:
    """`folder`, or the nearest folder above that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _open_to_others(folder: Path) -> bool:
    return os.name != "nt" and bool(folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
