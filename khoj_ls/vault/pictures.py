"""Pictures that a user gives with a question: files of the vault, or data of his own."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes

from khoj_ls.chat.notes.pictures import media_type
from khoj_ls.core.chat import MOST_IMAGE_BYTES, Image
from khoj_ls.core.errors import UsageError
from khoj_ls.core.paths import to_path


def read_picture(reference: str, root: Path, relative: Callable[[Path], str], read: Callable[[str], Image]) -> Image:
    """The picture at a path in the vault at `root`, or a file URI, or in a `data:` URI.

    `relative` makes a path one of the vault, and `read` the picture at it. Raises UsageError.
    """
    if reference.startswith("data:"):
        return _picture(_data(reference))
    return read(relative(to_path(reference) if reference.startswith("file:") else root / reference))


def _data(reference: str) -> bytes:
    """What a data URI holds (RFC 2397)."""
    head, _, body = reference.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(unquote_to_bytes(body), validate=True)
    except binascii.Error as error:
        raise UsageError(f"the picture is no base64: {error}") from error


def _picture(data: bytes) -> Image:
    """Judged by its first bytes: what a client says may be wrong, and services refuse what does not agree."""
    if len(data) > MOST_IMAGE_BYTES:
        raise UsageError(f"the picture is larger than {MOST_IMAGE_BYTES // 1_000_000} MB, which not every service takes")
    kind = media_type(data)
    if kind is None:
        raise UsageError("the picture is none that models see: use PNG, JPEG, GIF or WebP")
    return Image(kind, data)
