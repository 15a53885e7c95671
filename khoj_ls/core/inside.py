"""Whether a path stays in a folder: what a cloned vault's settings, links and names lead to is read and written only there."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path


def stays_inside(root: Path, path: str) -> bool:
    """Whether `path` (posix, relative to `root`) names something in that folder, symbolic links followed.

    Of what is not there yet the folders above it decide. The root itself counts as inside.
    """
    plain = posixpath.normpath(path)
    if "\0" in plain or plain == ".." or plain.startswith("../") or posixpath.isabs(plain) or Path(plain).is_absolute():
        return False
    top, real = os.path.realpath(root), os.path.realpath(root / plain)
    return real == top or real.startswith(top.rstrip(os.sep) + os.sep)
