"""A reader of EDN (https://github.com/edn-format/edn), as far as Logseq's configuration needs it.

Maps become dicts, lists, vectors and sets lists; keywords, symbols and tags keep their text (`:a/b`).
"""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(
    r"""[\s,]*(?:;[^\n]*\n?[\s,]*)*               # blanks and comments
    (?: (?P<string>\#?"(?:[^"\\]|\\.)*")
      | (?P<discard>\#_)
      | (?P<open>\#?\{|\(|\[|\#\()
      | (?P<close>[})\]])
      | (?P<character>\\(?:newline|space|tab|return|.))
      | (?P<word>[^\s,;"(){}\[\]]+)
    )""",
    re.X | re.S,
)
_STRING_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}.items()
_DEEPEST = 64
_CLOSES = (("{", "}"), ("(", ")"), ("[", "]"))


class NotReadable(ValueError):
    """A text is not what it should be, from a line on."""

    def __init__(self, reason: str, lineno: int) -> None:
        """Say what is wrong, and in which line (1-based)."""
        super().__init__(reason)
        self.lineno = lineno
        """As `json.JSONDecodeError` has it."""


def read_edn(text: str) -> Any:
    """The first value in `text`. Raises NotReadable when there is none, or brackets do not match."""
    reader = _Reader(text)
    return reader.value()


class _Reader:
    """Where one is in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def wrong(self, reason: str) -> NotReadable:
        return NotReadable(reason, self.text.count("\n", 0, self.at) + 1)

    def token(self) -> re.Match[str]:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            raise self.wrong("the file ends too early, or something cannot be read")
        self.at = found.end()
        return found

    def value(self) -> Any:
        found = self.token()
        while found["discard"]:
            self.value()
            found = self.token()
        if found["close"]:
            raise self.wrong(f"{found['close']} closes nothing")
        return self.collection(found["open"]) if found["open"] else _atom(found)

    def collection(self, opening: str) -> Any:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.wrong("nested too deeply")
        closing = dict(_CLOSES)[opening[-1]]
        items: list[Any] = []
        while True:
            before = self.at
            found = self.token()
            if found["close"]:
                if found["close"] != closing:
                    raise self.wrong(f"{found['close']} where {closing} belongs")
                break
            if found["discard"]:
                self.value()
                continue
            self.at = before
            items.append(self.value())
        self.depth -= 1
        if opening != "{":
            return items
        return {key: value for key, value in zip(items[::2], items[1::2], strict=False) if isinstance(key, str | int | float)}


def _atom(found: re.Match[str]) -> Any:
    if found["string"] is not None:
        inner = found["string"].lstrip("#")[1:-1]
        return _STRING_ESCAPE.sub(lambda escape: _unescaped(escape[1]), inner)
    word = found["word"] or found["character"]
    if word in ("true", "false", "nil"):
        return {"true": True, "false": False, "nil": None}[word]
    try:
        return int(word)
    except ValueError:
        return word


def _unescaped(escape: str) -> str:
    if escape.startswith("u") and len(escape) == 5:
        return chr(int(escape[1:], 16))
    return dict(_ESCAPES).get(escape, escape)
