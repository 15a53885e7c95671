"""GGUF files: where they are, and what the head of one says (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md)."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from khoj_ls.core.errors import ModelError, UsageError

_NUMBERS: Mapping[int, str] = MappingProxyType(
    {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
)
"""Types of values, as struct calls them."""
_TEXT, _LIST = 8, 9
_MOST_KEYS = 10_000
_LONGEST = 64 << 20
"""Bytes of one value, more than any vocabulary has."""


def gguf_files(folder: Path) -> list[Path]:
    """The models in the folder of the user's own, by name."""
    return sorted(folder.glob("*.gguf")) if folder.is_dir() else []


def find_gguf(name: str, folder: Path) -> Path:
    """The file that a name means: a full path, or a file in `folder`, with or without its suffix. Raises UsageError."""
    path = Path(os.path.expanduser(name))  # noqa: PTH111  # Path.expanduser raises for a user that there is not
    if path.is_absolute():
        if not path.is_file():
            raise UsageError(f"there is no file {path}: name a model in GGUF format")
        return path
    found = folder / (name if name.endswith(".gguf") else f"{name}.gguf")
    if ".." in found.parts or not found.is_file():
        known = ", ".join(file.stem for file in gguf_files(folder)) or "none"
        raise UsageError(f"there is no model {name!r} in {folder} (there: {known}): put its .gguf file there, or name its path")
    return found


def trained_window(path: Path) -> int:
    """Tokens of the window that the model in the file was trained for; 0 where the file does not say. Raises ModelError."""
    try:
        with path.open("rb") as file:
            magic, version, _, keys = struct.unpack("<4sIQQ", file.read(24))
            if magic != b"GGUF" or version < 2 or keys > _MOST_KEYS:
                raise ModelError(f"{path} is no model in GGUF format: choose another file")
            for _ in range(keys):
                name = _text(file)
                value = _value(file, _number(file, "I"))
                if name.endswith(".context_length") and isinstance(value, int):
                    return max(0, value)
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror or error}") from error
    except (struct.error, ValueError, KeyError, RecursionError) as error:
        raise ModelError(f"the model {path} is damaged: load it again") from error
    return 0


def _value(file: BinaryIO, kind: int) -> object:
    if kind == _TEXT:
        return _text(file)
    if kind != _LIST:
        return _number(file, _NUMBERS[kind])
    inner, count = _number(file, "I"), _number(file, "Q")
    if inner in _NUMBERS:
        _skip(file, struct.calcsize(_NUMBERS[inner]) * count)
    else:
        for _ in range(count):
            _value(file, inner)
    return None


def _number(file: BinaryIO, code: str) -> int:
    [value] = struct.unpack(f"<{code}", file.read(struct.calcsize(f"<{code}")))
    return value  # type: ignore[no-any-return]  # struct knows no types


def _text(file: BinaryIO) -> str:
    size = _number(file, "Q")
    if size > _LONGEST:
        raise ValueError("too long")
    return file.read(size).decode("utf-8", "replace")


def _skip(file: BinaryIO, size: int) -> None:
    if size > _LONGEST:
        raise ValueError("too long")
    file.seek(size, 1)
