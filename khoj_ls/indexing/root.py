"""Whether the vault's folder is there: an unmounted disk must not look like a vault whose notes were all deleted."""

from __future__ import annotations

from pathlib import Path

from khoj_ls.core.errors import VaultError


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
