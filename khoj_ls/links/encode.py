"""How a note's name or path is written inside the target of each syntax."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote, unquote

Encoding = Literal["wiki", "bare", "angled", "loose", "org", "plain", "tag"]
"""`plain` is Org's link without brackets; `bare`, `angled`, `loose` are Markdown destinations without and within angle
brackets, and those with plain blanks in them."""

_KEPT = "/:@!$&'*+,;=~-._\\"
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_ENCODED_CARET = re.compile("%5e", re.IGNORECASE)
_ENCODED_WORD = re.compile(r"%[89A-Fa-f][0-9A-Fa-f]")


def encode(text: str, encoding: Encoding, like: str = "") -> str:
    """`text` as a part of a target; `like` is what stood there, whose ways with percent signs and escapes are kept."""
    if encoding in ("wiki", "plain", "tag"):
        return text
    if encoding == "org":
        text = _percent(text, " ") if "%20" in like else text
        return re.sub(r"(\\*)([\[\]])", r"\1\1\\\2", text)
    if encoding == "angled":
        text = text.replace("%", "%25") if _ENCODED.search(text) else text
        return re.sub(r"([\\<>])", r"\\\1", text).replace("#", "%23").replace("?", "%3F")
    if encoding == "loose":
        return text
    return _bare(text, like)


def decode(text: str, encoding: Encoding) -> str:
    """What a part of a target, written so, means."""
    if encoding in ("wiki", "plain", "tag"):
        return text
    if encoding == "org":
        text = re.sub(r"\\([\[\]\\])", r"\1", text)
        return unquote(text) if _ENCODED.search(text) else text
    return unquote(_ESCAPED.sub(r"\1", text))


def _bare(text: str, like: str) -> str:
    if text.startswith("^"):  # the mark of a block id, which Obsidian leaves as it is
        caret = _ENCODED_CARET.match(like)
        return (caret[0] if caret else "^") + _bare(text[1:], like)
    ascii_only = _ENCODED_WORD.search(like) is not None
    escapes = "\\(" in like or "\\)" in like
    balanced = not escapes and _is_balanced(text)
    pieces = []
    for character in text:
        if character in "()":
            pieces.append(character if balanced else f"\\{character}" if escapes else quote(character))
        elif character == "\\":
            pieces.append("%5C")
        elif character.isascii():
            pieces.append(quote(character, safe=_KEPT))
        else:
            pieces.append(quote(character) if ascii_only or character.isspace() or not character.isprintable() else character)
    return "".join(pieces)


def _is_balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _percent(text: str, characters: str) -> str:
    for character in "%" + characters:
        text = text.replace(character, quote(character))
    return text
