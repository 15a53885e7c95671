"""The lines of a JSON text, made readable: `"city": "London",` says `city: London`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from khoj_ls.content.long_lines import LEAST_PIECE, LONG_LINE, MOST_PIECE, pieces

# A string never spans lines, and one without an end goes to the end of its line: so every line is scanned once.
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*(?:"|\\?$))|(?P<mark>[{}\[\],:])"""
    r"""|(?P<comment>//.*)|(?P<plain>[^\s{}\[\],:"/]+|/)|\s+"""
)
_MARKS = frozenset(",:")


@dataclass(frozen=True)
class JsonPart:
    """A part of a long line."""

    at: int
    """The character of the line at which it begins."""
    shown: str
    keys: tuple[str, ...]
    """The keys of the outermost level that begin in it."""


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
    parts: tuple[JsonPart, ...] = ()
    """Of a long line: all of it in parts."""


class _Parts:
    """Cuts a long line: before what begins at the outermost level soon, and behind a comma where it must."""

    def __init__(self) -> None:
        self._found: list[JsonPart] = []
        self._at = self._size = 0
        self._said: list[str] = []
        self._keys: list[str] = []

    def begin(self, at: int, key: str) -> None:
        """A key or element of the outermost level begins."""
        if self._size > LEAST_PIECE:
            self._end(at)
        if key:
            self._keys.append(key)

    def add(self, at: int, kind: str, token: str) -> None:
        """Take in a token that is worth reading."""
        if kind == "string" and len(token) > MOST_PIECE:
            inner = token.removeprefix('"').removesuffix('"')
            for start, end in pieces(inner):
                self._word(at + 1 + start, _string(f'"{inner[start:end]}"'))
        else:
            self._word(at, _string(token) if kind == "string" else token)

    def _word(self, at: int, word: str) -> None:
        if self._size > MOST_PIECE or (self._size > LEAST_PIECE and self._said[-1] == ","):
            self._end(at)
        self._said.append(word)
        self._size += len(word) + 1

    def _end(self, at: int) -> None:
        self._found.append(JsonPart(self._at, _joined(self._said), tuple(self._keys)))
        self._at, self._size, self._said, self._keys = at, 0, [], []

    def all(self) -> tuple[JsonPart, ...]:
        """The parts, once the line is through."""
        if self._said:
            self._end(0)
        return tuple(self._found)


def json_lines(lines: Sequence[str]) -> Iterator[JsonLine]:
    """Each of `lines` (without line breaks), in order. Of what is open only the number is known, so no depth is too deep."""
    depth = 0
    is_next = False  # whether what comes next in the outermost object or list is a key or element
    for line in lines:
        said: list[str] = []
        is_root = begins = False
        key = title = ""
        tokens = [(found.lastgroup, found[0]) for found in _TOKEN.finditer(line) if found.lastgroup]
        outermost: dict[int, str] = {}
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
                    outermost[at] = named
                    is_root = is_root or depth == 0
                    title = title or _title(tokens, at, named)
                    is_next = depth == 0
                if kind == "mark":
                    depth += 1
                else:
                    said.append(_string(token) if kind == "string" else token)
        parts = _parts(line, outermost) if len(line) > LONG_LINE else ()
        yield JsonLine(_joined(said), is_root, begins, key, title, parts)


def _parts(line: str, outermost: Mapping[int, str]) -> tuple[JsonPart, ...]:
    """A long line in parts; `outermost` are the tokens that begin a key or element of the outermost level, and its key."""
    parts = _Parts()
    tokens = (found for found in _TOKEN.finditer(line) if found.lastgroup)
    for number, found in enumerate(tokens):
        if number in outermost:
            parts.begin(found.start(), outermost[number])
        if found.lastgroup and (found.lastgroup != "mark" or found[0] in _MARKS):
            parts.add(found.start(), found.lastgroup, found[0])
    return parts.all()


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
