"""Paths as clients write them."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote, urlsplit

from khoj_ls.core.errors import UsageError


def to_path(reference: str) -> Path:
    """Absolute path of a file URI or a path. Raises UsageError for other schemes, relative paths and what no file is called."""
    try:
        path = _as_path(reference)
        named = "\0" not in os.fsdecode(os.fsencode(path))
    except (ValueError, RuntimeError) as error:  # halves of characters, a broken address, the home of nobody
        raise UsageError(f"{reference!r} is no path of a file") from error
    if not named:
        raise UsageError(f"{reference!r} is no path of a file")
    if not path.is_absolute():
        raise UsageError(f"{reference} is not an absolute path")
    return path


def uri_below(folder: str, path: str) -> str:
    """URI of a file by its path, relative and posix, below the folder of a URI: what `Path.as_uri` says, for less."""
    return f"{folder.removesuffix('/')}/{quote_from_bytes(os.fsencode(path))}"


def _as_path(reference: str) -> Path:
    if "://" in reference or reference.startswith("file:"):
        parts = urlsplit(reference)
        if parts.scheme != "file":
            raise UsageError(f"{reference} is not a file on this machine")
        text = unquote(parts.path)
        # file:///C:/notes on Windows
        return Path(text[1:] if len(text) > 2 and text[2] == ":" else text)
    return Path(reference).expanduser()
