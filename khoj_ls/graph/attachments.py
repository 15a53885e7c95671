"""What Org's attachments need when a note, or a section of it, goes to another folder: their folder is named from the note's.

Org looks in the folder that DIR or ATTACH_DIR names, else in one made of the ID; both are relative to the folder of the note.
So a relative DIR is written anew, and where the folder of an ID stays behind a DIR is added that leads to it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from khoj_ls.core.types import Entry
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.other_files import OtherFiles
from khoj_ls.links.attachment import DIRECTORIES, id_folders
from khoj_ls.links.rewrite import Edit
from khoj_ls.links.target import LinkTarget, read_target

_VALUE = rb"(?P<gap>[ \t]+)(?P<value>[^\r\n]*?)[ \t]*(?P<end>\r?)$"
_PROPERTY = re.compile(rb"^(?P<blanks>[ \t]*):(?P<name>DIR|ATTACH_DIR|ID):" + _VALUE, re.I | re.M)
_KEYWORD = re.compile(rb"^[ \t]*#\+property:[ \t]+(?P<name>DIR|ATTACH_DIR)" + _VALUE, re.I | re.M)
_ELSEWHERE = re.compile(r"[/~\\]|[A-Za-z]:|[a-z]+://")


def attachment_edits(
    files: OtherFiles, note: OpenNote, new: str, moves: Mapping[str, str], start: int = 0, end: int | None = None
) -> tuple[Edit, ...]:
    """The edits with which bytes [start, end) of `note` keep their attachments when they come to stand in the note at `new`.

    `moves` are all paths that change at once, of folders too: what comes along needs no edit.
    """
    here, there = posixpath.dirname(note.path), posixpath.dirname(new)
    if note.parsed.type != "org" or here == there:
        return ()
    found = []
    for name, line in _lines(note, start, len(note.source) if end is None else end):
        value = line["value"].decode(errors="replace")
        if name in DIRECTORIES:
            written = value.strip('"')
            if written and not _ELSEWHERE.match(written):
                folder = posixpath.normpath(posixpath.join(here, written))
                slash = "/" if written.endswith("/") else ""
                text = _relative(_moved(folder, moves), there) + slash
                if posixpath.normpath(text) != posixpath.normpath(written):
                    quote = '"' if value.startswith('"') else ""
                    found.append(Edit(*line.span("value"), f"{quote}{text}{quote}"))
        elif not _has_directory(note, line.start()):
            found += _added(files, note, line, value, there, moves)
    return tuple(found)


def attachments_left(note: OpenNote, start: int, end: int) -> list[str]:
    """`path:line: link` of the links in bytes [start, end) to attachments of an entry that lies outside of them."""
    left = []
    for ordinal, entry in enumerate(note.parsed.entries):
        for link in entry.links:
            inside = start <= link.span.start < end
            if inside and read_target(link.kind, link.target, note.parsed.type).scheme == "attachment":
                owner = _owner(note, ordinal)
                if owner is None or not start <= owner.span.start < end:
                    left.append(f"{note.path}:{link.span.line}: {link.target}")
    return left


def _lines(note: OpenNote, start: int, end: int) -> Iterator[tuple[str, re.Match[bytes]]]:
    """The lines that say where attachments are, each with the property's name; what looks like one in a block is none."""
    for pattern in (_PROPERTY, _KEYWORD):
        for line in pattern.finditer(note.source, start, end):
            entry = note.entry_at(line.start())
            known = [*(entry[1].properties if entry else ()), *note.parsed.properties]
            said = line["name"].decode().upper(), line["value"].decode(errors="replace")
            if any((name.upper(), value) == said for name, value in known):
                yield said[0], line


def _added(
    files: OtherFiles, note: OpenNote, line: re.Match[bytes], identity: str, there: str, moves: Mapping[str, str]
) -> list[Edit]:
    """The DIR for an entry whose attachments lie beside the note, in a folder made of its ID, and stay there."""
    here = posixpath.dirname(note.path)
    for inner in id_folders(identity):
        folder = posixpath.normpath(posixpath.join(here, inner))
        if files.find(LinkTarget("attachment", identity), note.path, [folder]) is None:
            continue
        moved = _moved(folder, moves)
        if moved == posixpath.normpath(posixpath.join(there, inner)):
            return []
        blanks = line["blanks"].decode()
        text = f"\n{blanks}:DIR:{line['gap'].decode()}{_relative(moved, there)}{line['end'].decode()}"
        return [Edit(line.end(), line.end(), text)]
    return []


def _has_directory(note: OpenNote, offset: int) -> bool:
    """Whether the entry at `offset` names its folder, or one above it does: then that of its ID is not looked at."""
    entry = note.entry_at(offset)
    chain = _chain(note, entry[0]) if entry else ()
    said = [*(name for each in chain for name, _ in each.properties), *(name for name, _ in note.parsed.properties)]
    return any(name.upper() in DIRECTORIES for name in said)


def _owner(note: OpenNote, ordinal: int) -> Entry | None:
    """The entry whose folder the attachments of an entry lie in; None where the note as a whole says it."""
    for entry in _chain(note, ordinal):
        if any(name.upper() in (*DIRECTORIES, "ID") for name, _ in entry.properties):
            return entry
    return None


def _chain(note: OpenNote, ordinal: int) -> Iterator[Entry]:
    """An entry, and those it stands under from the inside out."""
    at: int | None = ordinal
    while at is not None:
        yield note.parsed.entries[at]
        at = note.parsed.entries[at].parent


def _moved(path: str, moves: Mapping[str, str]) -> str:
    """Where a path is afterwards, when it or a folder around it moves."""
    around = path
    while around:
        if around in moves:
            return moves[around] + path[len(around) :]
        around = posixpath.dirname(around) if "/" in around else ""
    return path


def _relative(path: str, folder: str) -> str:
    return posixpath.relpath(path, folder or ".")
