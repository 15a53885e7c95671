"""Renaming a tag, with all that are nested in it and the pages they have."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.graph.edits import Notes, VaultEdit
from khoj_ls.graph.mend import Change, mend
from khoj_ls.graph.naming import checked_path, file_stem
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.tags import TagPlace, is_below, tags_of
from khoj_ls.links.rewrite import Edit
from khoj_ls.links.text import fold, split_suffix

_IN_TEXT = re.compile(r"[^\s#,.;:!?\"'()\[\]{}<>|^*`~&%$+=@\\]+(?:\.[^\s#,.;:!?\"'()\[\]{}<>|^*`~&%$+=@\\]+)*")
_IN_ORG = re.compile(r"[\w@#%]+")


def notes_with_tag(network: LinkNetwork, tag: str) -> list[str]:
    """Paths of the notes that may have `tag`, or one nested in it."""
    like = '%"' + fold(tag).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = network.connection.execute(
        "SELECT path FROM file WHERE tags LIKE :like ESCAPE '\\' "
        "OR id IN (SELECT file_id FROM entry WHERE tags LIKE :like ESCAPE '\\') "
        "OR id IN (SELECT file_id FROM link WHERE kind = 'tag' AND '\"' || target LIKE :like ESCAPE '\\') ORDER BY path",
        {"like": like},
    )
    return [row[0] for row in rows]


def rename_tag(
    network: LinkNetwork, notes: Notes, note: OpenNote, old: str, new: str, token: CancelToken | None = None
) -> VaultEdit:
    """The edit that makes `new` of the tag `old`, with its page where the tool has one. Raises UsageError for no tag."""
    new = new.lstrip("#")
    conventions = network.conventions
    if not _IN_TEXT.fullmatch(new) and not (conventions.tool == "logseq" and "]" not in new and "#" not in new):
        raise UsageError(f"{new!r} cannot be a tag: it holds blanks or punctuation")
    if not new.strip("0123456789/-_."):
        raise UsageError(f"{new!r} cannot be a tag: it needs a letter")
    edits: dict[str, list[Edit]] = {}
    for path in dict.fromkeys([note.path, *notes_with_tag(network, old)]):
        read = note if path == note.path else notes.read(path)
        if read is None:
            continue
        if own := [_tag_edit(read, tag, old, new) for tag in tags_of(read.parsed) if is_below(tag.name, old, conventions)]:
            edits[path] = own
    moves = dict(_pages(network, notes, note, old, new))
    return mend(network, notes, Change(edits=edits, moves=moves), token)


def name_range(note: OpenNote, tag: TagPlace) -> tuple[int, int]:
    """The bytes of a tag's name alone."""
    name = tag.name.encode()
    start = note.source.find(name, tag.start)
    return start, start + len(name)


def _tag_edit(note: OpenNote, tag: TagPlace, old: str, new: str) -> Edit:
    start, end = name_range(note, tag)
    written = new + tag.name[len(old) :]
    if note.parsed.type == "org" and not _IN_ORG.fullmatch(written) and note.source[start - 1 : start] != b"#":
        raise UsageError(f"{written!r} cannot be a tag in {note.path}: in Org a tag has letters, digits, '_', '@', '#' and '%'")
    before = note.source[start - 3 : start] if start >= 3 else b""
    if not _IN_TEXT.fullmatch(written) and not before.endswith(b"[["):
        written = f"[[{written}]]"
    return Edit(start, end, written)


def _pages(network: LinkNetwork, notes: Notes, note: OpenNote, old: str, new: str) -> Iterator[tuple[str, str]]:
    """The notes that are pages of the tag, and of those nested in it where the tool writes that into the file name."""
    conventions = network.conventions
    if conventions.tool not in ("logseq", "dendron"):
        return
    found = network.resolve(note.path, "tag", old, "markdown").target
    if found is None:
        return
    folder, base = posixpath.split(found.path)
    stem, suffix = split_suffix(base)
    if conventions.tool == "dendron":
        moved = f"tags.{new}" if fold(stem) == fold(f"tags.{old}") else None
    else:
        moved = file_stem(new, conventions) if fold(stem) == fold(file_stem(old, conventions)) else None
    if moved is not None and moved != stem:
        path = checked_path(posixpath.join(folder, moved + suffix))
        if notes.exists(path) and fold(path) != fold(found.path):
            raise UsageError(f"the tag has a page, {found.path}, and there is already a file {path}")
        yield found.path, path
