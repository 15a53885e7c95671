"""Files of one record per line, and faults in them that name the file and the line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from khoj_ls.core.errors import UsageError

_SHOWN_CHARS = 60


def fault(path: Path, line: int, what: str) -> UsageError:
    """The error of one line of a file."""
    return UsageError(f"{path}:{line}: {what}")


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their 1-based numbers, without blank ones. Raises UsageError."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise fault(path, number, f"this is not UTF-8 ({error.reason} at byte {error.start})") from error
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def json_objects(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The objects of a file with one JSON value per line. Raises UsageError."""
    for number, line in numbered_lines(path):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise fault(path, number, f"this is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise fault(path, number, f"this is {shown(line)}, and should be a JSON object")
        yield number, value


def well_formed(text: str) -> str:
    """`text` without halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def shown(text: str) -> str:
    """`text` in quotes, cut for a message."""
    return repr(text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…")
