"""Text in the encoding that a file, or a part of one, says it has."""

from __future__ import annotations

import codecs
import re

from khoj_ls.core.text import decode_source
from khoj_ls.core.types import Problem

_HEAD_BYTES = 4096
_DECLARED = re.compile(
    rb"""(?:<meta[^>]{0,400}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([A-Za-z0-9._:-]{2,40})""", re.I
)
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})
"""Codecs of Python that no document is in, or that take quadratic time."""


def decode_declared(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    """Text of an HTML or XML file: as any note where that works, else in the encoding its head names.

    Lines are those of the file in any case. What cannot be decoded becomes U+FFFD.
    """
    found = _DECLARED.search(data[:_HEAD_BYTES])
    name = known(found[1].decode("ascii")) if found else None
    if name is None or name.startswith(("utf-8", "utf-16")) or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decode_source(data)
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(name, errors="replace").replace("\0", " "), ()
    return decode_source(data)


def decode_as(data: bytes, charset: str | None) -> str:
    """Text of `data` in `charset`; without a known one in UTF-8, else as Latin text. NUL bytes become spaces. Never raises."""
    name = known(charset) if charset else None
    if name in (None, "ascii"):
        return decode_source(data)[0]
    return data.decode(name or "utf-8", errors="replace").replace("\0", " ")


def known(charset: str) -> str | None:
    """Python's name of an encoding of text; None for what is none."""
    try:
        name = codecs.lookup(charset.strip()).name
        "a".encode(name)  # codecs that make no text of bytes (zlib, hex) refuse this
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if name.replace("_", "-") in _NO_CHARSETS else name
