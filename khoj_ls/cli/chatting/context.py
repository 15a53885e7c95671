"""What a person names beside the question: places of the vault (`--context`), pictures (`--image`), the question itself."""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from khoj_ls.core.chat import MOST_IMAGE_BYTES
from khoj_ls.core.errors import UsageError

_LINES = re.compile(r"(?P<file>.+?):(?P<first>\d+)(?:-(?P<last>\d+))?", re.DOTALL)
_TAG = "tag:"
_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def question_of(words: Sequence[str]) -> str | None:
    """The question: the words, or standard input where they are `-` or there are none; None: there is a person to ask.

    Raises UsageError for an empty one.
    """
    if words and tuple(words) != ("-",):
        question = " ".join(words)
    elif not words and sys.stdin.isatty():
        return None
    else:
        question = sys.stdin.buffer.read().decode(errors="replace")
    if not question.strip():
        raise UsageError("say what to ask: khoj-ls chat QUESTION, or pipe a question in")
    return question.strip()


def context_of(named: Iterable[str], root: Path) -> list[dict[str, Any]]:
    """The wire's context items for FILE, FILE:LINE, FILE:FIRST-LAST, DIR and tag:NAME in a vault. Raises UsageError."""
    return [_item(text, root.resolve()) for text in named]


def images_of(files: Iterable[Path], root: Path) -> list[str]:
    """The pictures as the wire has them: those of the vault by their URI, so that private ones are known, others as data.

    Raises UsageError for what is no picture.
    """
    return [_image(file.expanduser(), root.resolve()) for file in files]


def _item(text: str, root: Path) -> dict[str, Any]:
    if text.startswith(_TAG):
        name = text.removeprefix(_TAG).lstrip("#").strip()
        if not name:
            raise UsageError("--context tag: names no tag; write tag:NAME")
        return {"kind": "tag", "name": name}
    if (place := _found(text, root)) is not None:
        return {"kind": "folder" if place.is_dir() else "note", "name": _inside(place, root, text)}
    lines = _LINES.fullmatch(text)
    file = _found(lines["file"], root) if lines else None
    if lines is None or file is None:
        raise UsageError(f"--context {text}: there is no such note or folder (a tag is written tag:NAME)")
    first, last = int(lines["first"]), int(lines["last"] or lines["first"])
    if not 1 <= first <= last:
        raise UsageError(f"--context {text}: lines count from 1, and the first comes first")
    lines_of = {"start": {"line": first - 1, "character": 0}, "end": {"line": last, "character": 0}}
    return {"kind": "selection", "textDocument": {"uri": (root / _inside(file, root, text)).as_uri()}, "range": lines_of}


def _found(name: str, root: Path) -> Path | None:
    """The file or folder, from the current folder or from the vault; one in the vault is meant where there are two."""
    path = Path(name).expanduser()
    places = [Path(os.path.normpath(place)) for place in (path.absolute(), root / path)]
    there = [place for place in places if place.exists()]
    return next((place for place in there if _within(place, root)), there[0] if there else None)


def _inside(place: Path, root: Path, text: str) -> str:
    """`place` relative to the vault. Raises UsageError where it is not in it."""
    if (name := _within(place, root)) is None:
        raise UsageError(f"--context {text}: it is not in the vault {root}")
    return name


def _within(place: Path, root: Path) -> str | None:
    paths = (path for path in (place, place.resolve()) if path == root or root in path.parents)
    return next((path.relative_to(root).as_posix() for path in paths), None)


def _image(file: Path, root: Path) -> str:
    try:
        size = file.stat().st_size
        if size > MOST_IMAGE_BYTES:
            raise UsageError(f"--image {file}: the picture has {size:,} bytes, at most {MOST_IMAGE_BYTES:,} can be sent")
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"--image {file}: {error.strerror or error}") from error
    kind = next((kind for begin, kind in _PICTURES if data.startswith(begin)), "")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    if not kind:
        raise UsageError(f"--image {file}: this is no PNG, JPEG, GIF or WebP")
    if root in file.resolve().parents:
        return file.resolve().as_uri()
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
