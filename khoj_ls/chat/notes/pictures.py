"""Pictures of a vault, read for a model that sees: only what lies in the vault, no rule leaves out, and is a picture indeed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from khoj_ls.core.chat import MOST_IMAGE_BYTES, Image
from khoj_ls.core.errors import UsageError
from khoj_ls.indexing.ignore import IgnoreRules
from khoj_ls.indexing.reading import Unsettled, read_source

MAX_PICTURES = 8
"""Of one note."""

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
"""How the names of pictures end that models take."""
_PNG, _JPEG, _GIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", (b"GIF87a", b"GIF89a")


@dataclass(frozen=True)
class Wanted:
    """A picture that a note shows or keeps."""

    path: str
    """Relative to the vault, posix."""
    private: bool
    """Whether the note, or the section that shows it, is private."""


def media_type(data: bytes) -> str | None:
    """The type of the picture that `data` is, by its first bytes; None where it is none that models take."""
    if data.startswith(_PNG):
        return "image/png"
    if data.startswith(_JPEG):
        return "image/jpeg"
    if data.startswith(_GIF):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def read_picture(rules: IgnoreRules, path: str) -> Image:
    """The picture at `path` (relative to the vault that `rules` are of, posix); private where a rule makes it so.

    Raises UsageError, without opening anything, for what lies outside of the vault, also by a symbolic link, and for what a
    rule leaves out; and for what is no picture, too large, or cannot be read.
    """
    inside = _inside(rules.root, path)
    decision = rules.by_rule(inside)
    if decision is not None:
        raise UsageError(f"{path} is not shown to a model: {decision.reason}")
    try:
        data = read_source(rules.root, inside, MOST_IMAGE_BYTES).data
    except Unsettled:
        raise UsageError(
            f"{path} is not shown to a model: it is no regular file of at most {MOST_IMAGE_BYTES:,} bytes"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    kind = media_type(data)
    if kind is None:
        raise UsageError(f"{path} is no picture that models see: use PNG, JPEG, GIF or WebP")
    return Image(kind, data, private=rules.is_private(inside) or rules.is_private(path))


def pictures(rules: IgnoreRules, wanted: Iterable[Wanted]) -> Iterator[tuple[str, Image]]:
    """The pictures among `wanted` that can be read, each once, at most MAX_PICTURES; the first say what is shown first.

    One that a private place shows is private, whoever else shows it.
    """
    private: dict[str, bool] = {}
    for each in wanted:
        private[each.path] = private.get(each.path, False) or each.private
    shown = 0
    for path, by_place in private.items():
        if shown == MAX_PICTURES:
            return
        try:
            image = read_picture(rules, path)
        except UsageError:
            continue  # a link to a document, to what is gone: it is no picture, and nobody asked for it by name
        shown += 1
        yield path, Image(image.media_type, image.data, by_place or image.private)


def _inside(root: Path, path: str) -> str:
    """Where `path` leads, relative to the vault, links followed. Raises UsageError where that is outside."""
    try:
        whole = os.path.realpath(root / path)
    except ValueError:  # a NUL in the path
        raise UsageError(f"{path!r} is no path") from None
    top = os.path.realpath(root)
    if not whole.startswith(f"{top}{os.sep}"):
        raise UsageError(f"{path} lies outside the vault: only pictures in it are shown")
    return os.path.relpath(whole, top).replace(os.sep, "/")
