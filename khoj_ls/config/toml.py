"""Reading TOML that may be anything: another program's file, a cloned vault's, a device."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 1_000_000
"""A settings file larger than this is a mistake or an attack."""


class TomlError(ValueError):
    """The file cannot be used; the message says why, without its content."""


def loads(text: str) -> dict[str, Any]:
    """The tables of `text`. Raises TomlError."""
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(f"not valid TOML: {error}") from error
    except RecursionError:
        raise TomlError("not valid TOML: nested too deeply") from None
    return tables


def read(path: Path) -> dict[str, Any]:
    """The tables of the file at `path`; empty when there is none. Raises TomlError."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise TomlError("not a regular file")
        if found.st_size > MAX_BYTES:
            raise TomlError(f"{found.st_size} bytes long; at most {MAX_BYTES} are read")
        return loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise TomlError(f"not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise TomlError(f"cannot be read: {error.strerror or error}") from error
