"""What verbs print: JSON for programs, and text that no note can use to steer a terminal."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

_OBEYED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What JSON lets stand in its strings and a terminal may obey: DEL and the C1 controls, marks that turn or end a line."""


def echo_json(value: Any) -> None:
    """Print one JSON value: indented on a terminal, else on one line. File names that are no Unicode stay what they are."""
    click.echo(json_bytes(value, indent=2 if sys.stdout.isatty() else None))


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """`value` as JSON, with nothing in it that a terminal would obey."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        # These stand in strings only, where the escape means the same.
        return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent).encode()


def note(message: str) -> None:
    """Tell the person something beside the answer, on stderr."""
    click.secho(f"khoj-ls: {printable(message)}", err=True, dim=True)


def printable(text: str) -> str:
    """`text` on one line, without control characters: notes and file names are data, and stay so on a terminal."""
    return "".join(char if char.isprintable() else _visible(char) for char in text)


def short_path(path: str) -> str:
    """`path` relative to the current folder when it lies inside, else as it is."""
    try:
        here = str(Path.cwd())
    except OSError:  # the current folder was deleted
        return path
    return path.removeprefix(here.rstrip(os.sep) + os.sep)


def columns(rows: Sequence[tuple[str, str]]) -> None:
    """Print names and values below each other."""
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        click.echo(f"  {click.style(name.ljust(width), dim=True)}  {printable(value)}")


def plural(count: int, word: str) -> str:
    """`1 file`, `2,000 files`."""
    return f"{count:,} {word if count == 1 else word[:-1] + 'ies' if word.endswith('y') else word + 's'}"


def size(count: int) -> str:
    """Bytes as people say them."""
    amount, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"


def duration(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def _visible(char: str) -> str:
    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": " "}[char]
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    # Joiners belong to emoji and scripts; what turns the direction of a line does not.
    return char if category == "Cf" and unicodedata.bidirectional(char) == "BN" else "\ufffd"
