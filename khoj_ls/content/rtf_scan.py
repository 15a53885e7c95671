"""The parts of an RTF file: groups, control words, text. Rich Text Format Specification 1.9.1, "RTF Syntax"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

_TOKEN = re.compile(
    rb"(?P<open>\{)|(?P<close>\})|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?[0-9]{1,10})? ?|\\'(?P<byte>[0-9a-fA-F]{2})"
    rb"|\\(?P<symbol>[^a-zA-Z])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\",
    re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A part."""

    kind: Literal["open", "close", "word", "byte", "symbol", "text"]
    name: str = ""
    """Of a control word or symbol."""
    number: int | None = None
    """What stands behind a control word."""
    data: bytes = b""
    """Text, in the encoding of its font."""


def tokens_of(data: bytes) -> Iterator[Token]:
    r"""The parts of `data` in order. What `\bin` announces is passed over. Never raises."""
    at = 0
    while match := _TOKEN.match(data, at):
        at = match.end()
        kind = match.lastgroup
        if kind in ("word", "number"):
            name = match["word"].decode()
            number = int(match["number"]) if match["number"] else None
            if name == "bin" and number:
                at += max(0, number)
            else:
                yield Token("word", name, number)
        elif kind == "byte":
            yield Token("byte", data=bytes.fromhex(match["byte"].decode()))
        elif kind == "symbol":
            yield Token("symbol", match["symbol"].decode("latin-1"))
        elif kind == "text":
            yield Token("text", data=match["text"])
        elif kind == "open":
            yield Token("open")
        elif kind == "close":
            yield Token("close")


CODE_PAGES = MappingProxyType(
    {
        77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254",
        163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp437",
    }
)  # fmt: skip
"""Python's names of encodings by the character sets of fonts."""

SIGNS = MappingProxyType(
    {
        "tab": " ", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
        "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "~": " ", "_": "-", "{": "{", "}": "}", "\\": "\\",
    }
)  # fmt: skip
"""Control words and symbols that stand for characters."""
