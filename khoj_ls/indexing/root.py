"""Whether the vault's folder may be indexed, and is there: an unmounted disk must not look like notes that were all deleted."""

from __future__ import annotations

from pathlib import Path

from khoj_ls.config.settings import Settings
from khoj_ls.core.errors import VaultError
from khoj_ls.indexing.scan import count_files


class RootGone(VaultError):
    """The vault's folder is missing, or is another folder than it was. The index is kept."""


def root_identity(root: Path) -> str:
    """What tells this folder from another under the same path. Raises RootGone when there is none."""
    try:
        found = root.stat()
    except OSError as error:
        raise RootGone(
            f"{root} is not there ({error.strerror or error}); its index is kept: bring the folder back, or mount its disk"
        ) from error
    return f"{found.st_dev}:{found.st_ino}"


def check_emptiness(root: Path, identity: str, known_identity: str) -> None:
    """Called when a vault with indexed files is found empty: raises RootGone unless it is the folder that held them."""
    if identity != known_identity:
        raise RootGone(
            f"{root} is empty and is not the folder that was indexed; the index is kept: mount its disk, or, if the notes are "
            "really gone, run `khoj-ls index --force`"
        )


def check_root(root: Path, settings: Settings, *, known: bool, yes: bool) -> None:
    """Refuse what is surely a mistake: no folder, the home folder, the root, or far too many files.

    A vault that is `known` was asked for before, and `yes` asks for it now. Raises VaultError.
    """
    if not root.is_dir():
        if known:
            raise VaultError(f"{root} is not there; its index is kept: bring the folder back, or mount its disk")
        raise VaultError(f"{root} is not a folder: name the folder that holds your notes")
    if known or yes:
        return
    if root == Path.home() or root == Path(root.anchor):
        raise VaultError(f"{root} is not a folder of notes: name the one that holds them, or index it all the same with --yes")
    if (root / ".khoj.toml").exists():
        return
    limit = settings.index.max_files
    if count_files(root, limit) > limit:
        raise VaultError(
            f"{root} holds more than {limit} files: name the folder that holds your notes, put a .khoj.toml into it, "
            "or index it all the same with --yes"
        )
