"""Pictures that a user gives with a question: files of the vault, or data of his own."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import url2pathname

from khoj_ls.core.chat import Image
from khoj_ls.core.errors import UsageError
from khoj_ls.indexing.ignore import IgnoreRules

MOST_BYTES = 10_000_000
"""The services take no larger picture."""
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def read_picture(reference: str, rules: IgnoreRules, relative: Callable[[Path], str]) -> Image:
    """The picture at a path in the vault, or a file URI, or in a `data:` URI.

    One that a rule keeps from the index is not read; one that a rule makes private is private. Raises UsageError.
    """
    if reference.startswith("data:"):
        return _picture(_data(reference), "the picture")
    path = Path(url2pathname(urlsplit(reference).path)) if reference.startswith("file:") else rules.root / reference
    inside = relative(path)
    left_out = rules.by_rule(inside)
    if left_out is not None:
        raise UsageError(f"{inside} is not shown to a model: {left_out.reason}")
    try:
        with (rules.root / inside).open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{inside} cannot be read: {error.strerror or error}") from error
    return _picture(data, inside, private=rules.is_private(inside))


def _data(reference: str) -> bytes:
    """What a data URI holds (RFC 2397)."""
    head, _, body = reference.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(unquote_to_bytes(body), validate=True)
    except binascii.Error as error:
        raise UsageError(f"the picture is no base64: {error}") from error


def _picture(data: bytes, name: str, *, private: bool = False) -> Image:
    """Judged by its first bytes: what a name or a client says may be wrong, and services refuse what does not agree."""
    if len(data) > MOST_BYTES:
        raise UsageError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB, which no service takes")
    kind = next((kind for beginning, kind in _BEGINNINGS if data.startswith(beginning)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    if kind is None:
        raise UsageError(f"{name} is no picture that models see: PNG, JPEG, GIF or WebP")
    return Image(kind, data, private)
