"""Paths as clients write them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from khoj_ls.core.errors import UsageError


def to_path(reference: str) -> Path:
    """Absolute path of a file URI or a path. Raises UsageError for other schemes and relative paths."""
    if "://" in reference or reference.startswith("file:"):
        parts = urlsplit(reference)
        if parts.scheme != "file":
            raise UsageError(f"{reference} is not a file on this machine")
        text = unquote(parts.path)
        # file:///C:/notes on Windows
        path = Path(text[1:] if len(text) > 2 and text[2] == ":" else text)
    else:
        path = Path(reference).expanduser()
    if not path.is_absolute():
        raise UsageError(f"{reference} is not an absolute path")
    return path
