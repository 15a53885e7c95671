"""The lines of a JSON text, made readable: `"city": "London",` says `city: London`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# A string never spans lines, and one without an end goes to the end of its line: so every line is scanned once.
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*(?:"|\\?$))|(?P<mark>[{}\[\],:])"""
    r"""|(?P<comment>//.*)|(?P<plain>[^\s{}\[\],:"/]+|/)|\s+"""
)
_MARKS = frozenset(",:")


@dataclass(frozen=True)
class JsonLine:
    """What one line holds."""

    shown: str
    is_root: bool
    """Whether a value that nothing encloses begins here: the whole text, or a record of JSON Lines."""
    begins: bool
    """Whether a key or element of the outermost level, or a root, is the first thing on it."""
    key: str = ""
    """The key that is."""
    title: str = ""
    """The value of an outermost key `title`."""


def json_lines(lines: Sequence[str]) -> Iterator[JsonLine]:
    """Each of `lines` (without line breaks), in order. Of what is open only the number is known, so no depth is too deep."""
    depth = 0
    is_next = False  # whether what comes next in the outermost object or list is a key or element
    for line in lines:
        said: list[str] = []
        is_root = begins = False
        key = title = ""
        tokens = [(found.lastgroup, found[0]) for found in _TOKEN.finditer(line) if found.lastgroup]
        for at, (kind, token) in enumerate(tokens):
            if token in "}]" and kind == "mark":
                depth = max(0, depth - 1)
            elif token in ":," and kind == "mark":
                is_next = is_next or (token == "," and depth == 1)
                said.append(token)
            elif kind == "comment":
                said.append(token)
            else:
                if depth == 0 or (depth == 1 and is_next):
                    named = _key(tokens, at) if depth else ""
                    if not any(word not in _MARKS for word in said):
                        begins, key = True, key or named
                    is_root = is_root or depth == 0
                    title = title or _title(tokens, at, named)
                    is_next = depth == 0
                if kind == "mark":
                    depth += 1
                else:
                    said.append(_string(token) if kind == "string" else token)
        yield JsonLine(_joined(said), is_root, begins, key, title)


def _key(tokens: Sequence[tuple[str, str]], at: int) -> str:
    """The key that the token at `at` is; empty where it is none."""
    kind, token = tokens[at]
    return _string(token) if kind == "string" and tokens[at + 1 : at + 2] == [("mark", ":")] else ""


def _title(tokens: Sequence[tuple[str, str]], at: int, key: str) -> str:
    value = tokens[at + 2 : at + 3]
    return _string(value[0][1]) if key.lower() == "title" and value and value[0][0] == "string" else ""


def _joined(said: Sequence[str]) -> str:
    """Words with a blank between them, marks close to the word before; a comma that ends the line is none of a reader's."""
    line = ""
    for word in said:
        if word not in _MARKS:
            line += f" {word}" if line else word
        elif line and line[-1] not in _MARKS:
            line += word
    return line.rstrip(",:")


def _string(token: str) -> str:
    """What a string says; as it stands where it is no valid one. Line breaks in it are blanks."""
    if "\\" not in token:
        return token.strip('"')
    try:
        value = json.loads(token, strict=False)
    except ValueError:
        return token.strip('"')
    # Halves of surrogate pairs cannot be stored.
    return " ".join(str(value).encode("utf-8", "replace").decode().split())
