"""What a note's file name has to do with its title, and which names a file, a heading, a tag or an id may have."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.edits import Notes
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.names import page_name
from khoj_ls.links.text import split_suffix

_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}[-_ ]|\d{8}T\d{6}--|\d{8,14}[-_ ]")
_KEYWORDS = re.compile(r"__[\w]+$")
_NOT_IN_FILE_NAME = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]")
_NOT_IN_NOTE_NAME = re.compile(r"[\[\]#^]")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.I)
_LONGEST = 255
"""Bytes of a file name that every file system takes."""
_NOT_A_WORD = re.compile(r"[^\w]+")

_STYLES: tuple[Callable[[str], str], ...] = (
    lambda title: title,
    lambda title: _joined(title.lower(), "-"),
    lambda title: _joined(title, "-"),
    lambda title: _joined(_plain_letters(title).lower(), "-"),
    lambda title: _joined(title.lower(), "_"),
    lambda title: _joined(title, "_"),
    lambda title: _joined(_plain_letters(title).lower(), "_"),
    lambda title: title.lower(),
    lambda title: " ".join(_NOT_A_WORD.sub(" ", title).split()),
    lambda title: title.replace(" ", ""),
)
"""The ways in which people and tools make file names of titles."""


def stem_for(title: str, old_title: str | None, stem: str, conventions: Conventions) -> str | None:
    """The file name (no suffix) of a note that is to be called `title`, made as `stem` was of `old_title`.

    None when the file name was not made of the title, and so has its own life: an id, a date, Dendron's dotted names.
    """
    if not old_title or conventions.tool == "dendron":
        return None
    if conventions.tool == "logseq":
        return file_stem(title, conventions) if page_name(stem) == old_title else None
    stamp = _STAMP.match(stem)
    head = stamp[0] if stamp else ""
    tail = keywords[0] if head.endswith("--") and (keywords := _KEYWORDS.search(stem)) else ""
    own = stem[len(head) : len(stem) - len(tail)]
    for style in _STYLES:
        if own and style(old_title) == own and (made := style(title)):
            return head + made + tail
    return None


def new_note_path(title: str, source: OpenNote | None, conventions: Conventions, notes: Notes) -> str:
    """Path of a new note called `title`, made from the note `source`: in the tool's folder, named as the vault names notes.

    A name that is taken gets a number. Raises UsageError where the title is no name.
    """
    title = " ".join(checked_name(title, "note").split())
    folder = posixpath.dirname(source.path) if source else ""
    if conventions.new_notes is not None and conventions.new_notes != "./":
        folder = conventions.new_notes
    suffix = split_suffix(source.path)[1] if source else ".org" if conventions.format == "org" else ".md"
    own = split_suffix(posixpath.basename(source.path))[0] if source else ""
    if conventions.tool == "dendron":
        folder = posixpath.dirname(source.path) if source else next(iter(conventions.vaults), "")
        stem = (f"{own}." if own and own != "root" else "") + _joined(title.lower(), "-")
    elif conventions.tool == "logseq":
        stem = file_stem(title, conventions)
    else:
        alike = stem_for(title, source.parsed.title, own, conventions) if source and not _STAMP.match(own) else None
        stem = alike or (title if conventions.tool == "obsidian" else _joined(title.lower(), "-"))
    stem = " ".join(_NOT_IN_NOTE_NAME.sub(" ", _NOT_IN_FILE_NAME.sub(" ", stem)).split()).strip(". ") or "note"
    path = posixpath.join(folder, stem + suffix)
    number = 1
    while notes.exists(path):
        number += 1
        mark = " " if conventions.tool == "obsidian" else "-"
        path = posixpath.join(folder, f"{stem}{mark}{number}{suffix}")
    return checked_path(path)


def file_stem(name: str, conventions: Conventions) -> str:
    """`name` as a file name: Logseq writes a slash of a namespace as three underscores."""
    return name.replace("/", "___") if conventions.tool == "logseq" else name


def checked_name(name: str, what: str) -> str:
    """`name` with blanks at its ends taken off. Raises UsageError when nothing, or more than a line, is left."""
    name = name.strip()
    if not name:
        raise UsageError(f"a {what} needs a name")
    if any(character in name for character in "\r\n\0"):
        raise UsageError(f"the name of a {what} is one line")
    return name


def checked_path(path: str, *, is_note: bool = True) -> str:
    """`path` as one that a file may have anywhere. Raises UsageError that names what is wrong with its last part."""
    base = posixpath.basename(path)
    stem = split_suffix(base)[0]
    if wrong := _NOT_IN_FILE_NAME.search(base):
        raise UsageError(f"{base!r} cannot be the name of a file: {wrong[0]!r} is not allowed in one")
    if is_note and (wrong := _NOT_IN_NOTE_NAME.search(base)):
        raise UsageError(f"{base!r} cannot be the name of a note: no link could name it with {wrong[0]!r} in it")
    if not stem.strip(". ") or base.startswith("."):
        raise UsageError(f"{base!r} cannot be the name of a note: files that begin with a dot are hidden")
    if stem != stem.strip() or stem.endswith("."):
        raise UsageError(f"{base!r} cannot be the name of a file: it begins or ends with a blank or a dot")
    if _RESERVED.match(base):
        raise UsageError(f"{base!r} cannot be the name of a file: Windows keeps it for itself")
    if len(base.encode()) > _LONGEST:
        raise UsageError(f"{base[:40]!r}... is longer than a file's name may be ({_LONGEST} bytes)")
    return path


def _joined(title: str, mark: str) -> str:
    return _NOT_A_WORD.sub(mark, title.replace("_", mark)).strip(mark)


def _plain_letters(title: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", title) if not unicodedata.combining(each))
