"""Places in a text: a caret written into it, and how far along a line it stands as LSP counts."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

CARET = "‸"
WIDTHS: MappingProxyType[str, Callable[[str], int]] = MappingProxyType(
    {"utf-8": lambda text: len(text.encode()), "utf-16": lambda text: len(text.encode("utf-16-le")) // 2, "utf-32": len}
)
"""The length of a text, by position encoding."""


def caret(marked: str) -> tuple[str, int]:
    """The text without its caret, and where that stood, in characters."""
    before, after = marked.split(CARET)
    return before + after, len(before)


def byte_at(text: str, piece: str) -> int:
    """The byte of `text` that the caret in `piece`, a part of it, stands before; without one, the first of the piece."""
    wanted, at = caret(piece) if CARET in piece else (piece, 0)
    return len(text[: text.index(wanted) + at].encode())
