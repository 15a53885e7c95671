"""The note that a broken link wants: where the vault's tool would put it, and what it begins with."""

from __future__ import annotations

import posixpath
import time
import uuid
from collections.abc import Callable

from khoj_ls.graph.network import ResolvedLink
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.text import split_suffix

_NO_NOTES = frozenset({"citation", "denote", "attachment", "external", "absolute", "tag", "here"})
_NOT_IN_NAMES = str.maketrans(dict.fromkeys('<>:"|?*\\', "-"))


def new_note(
    conventions: Conventions, note: OpenNote, link: ResolvedLink, *, exists: Callable[[str], bool]
) -> tuple[str, str] | None:
    """Path and first text of the note that `link` in `note` would lead to; None where that would be no note."""
    target = link.target
    if target.scheme in _NO_NOTES or (link.link.kind == "embed" and posixpath.splitext(target.note)[1]):
        return None
    suffix = split_suffix(target.note)[1]
    if not suffix and posixpath.splitext(target.note)[1] and target.scheme == "path":
        return None  # an image, a document
    suffix = suffix or (".org" if note.parsed.type == "org" or conventions.format == "org" else ".md")
    identity = target.note if target.scheme == "id" else ""
    if identity and suffix != ".org":
        return None  # a block that is gone
    name = (link.link.label or "") if identity else target.note
    path = _place(conventions, note, target.scheme, name, suffix)
    if path is None or exists(path):
        return None
    stem = split_suffix(path)[0].rpartition("/")[2]
    title = stem if conventions.tool in ("obsidian", "logseq") else link.link.label or _words(stem)
    return path, _text(conventions, title, identity, suffix)


def _place(conventions: Conventions, note: OpenNote, scheme: str, name: str, suffix: str) -> str | None:
    folder = posixpath.dirname(note.path)
    stem = split_suffix(name)[0].translate(_NOT_IN_NAMES).strip().strip("/")
    if not stem:
        return None
    if scheme == "path" or ("/" in name and conventions.tool != "logseq"):
        beside = scheme == "path" and not name.startswith("/")
        path = posixpath.normpath(posixpath.join(folder, stem) if beside else stem)
        return None if path.startswith("..") else path + suffix
    if conventions.tool == "logseq":
        stem = stem.replace("/", "___")
    wanted = conventions.new_notes
    inside = folder if wanted is None or wanted.startswith("./") else wanted
    return posixpath.join(inside, stem) + suffix


def _words(stem: str) -> str:
    """A file name as a title: `plum-tree` is `Plum tree`."""
    text = stem.rpartition(".")[2].replace("-", " ").replace("_", " ").strip() or stem
    return text[:1].upper() + text[1:]


def _text(conventions: Conventions, title: str, identity: str, suffix: str) -> str:
    if suffix == ".org":
        drawer = f":PROPERTIES:\n:ID:       {identity}\n:END:\n" if identity else ""
        return f"{drawer}#+title: {title}\n\n"
    if conventions.tool == "logseq":
        return "- "
    if conventions.tool == "dendron":
        now = int(time.time() * 1000)
        head = f"id: {uuid.uuid4().hex[:23]}\ntitle: {title}\ndesc: ''\nupdated: {now}\ncreated: {now}"
        return f"---\n{head}\n---\n"
    return f"# {title}\n\n" if conventions.tool != "obsidian" else "\n"
