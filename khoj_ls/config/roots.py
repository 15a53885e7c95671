"""How a file's vault is found: the same way by every client, the daemon and the command line. Light enough for the relay."""

from __future__ import annotations

import os
from pathlib import Path

MARKERS = (".khoj.toml", ".git", ".obsidian", "logseq", "dendron.yml")
"""What makes a folder a vault: the nearest one above a file wins. `logseq` is a folder."""


def find_root(start: Path) -> Path | None:
    """The nearest folder at or above `start` that carries a marker; None when there is none below the home folder."""
    folder = start if start.is_dir() else start.parent
    home = Path.home()
    for candidate in (folder, *folder.parents):
        # A dotfiles repository in $HOME must not make everything a vault.
        if candidate == home or candidate == Path(candidate.anchor):
            return None
        # os.path: a folder that may not be searched is no marker, and no error.
        if any((os.path.isdir if marker == "logseq" else os.path.exists)(candidate / marker) for marker in MARKERS):
            return candidate
    return None
