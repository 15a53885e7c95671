"""What a link must call a note that has moved, or been renamed, in the same way as it called it before."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from khoj_ls.links.conventions import Conventions
from khoj_ls.links.format import relative_path, shortest_name
from khoj_ls.links.names import names_of, page_name
from khoj_ls.links.target import LinkTarget
from khoj_ls.links.text import fold, split_suffix

_BY_ITSELF = frozenset({"id", "title", "citation", "external", "tag", "attachment"})
"""They name a note by what is in it, or nothing: a new path changes nothing for them."""


def moved_name(
    target: LinkTarget,
    old: str,
    new: str,
    source: str,
    conventions: Conventions,
    *,
    source_before: str = "",
    others: Iterable[str] = (),
) -> str | None:
    """The new note part of a link in the note at `source` to the note that was at `old` and is at `new`; None: it may stay.

    `source_before` is where the linking note was, if that has moved too (its relative links change even when `old` is `new`);
    `others` are the paths of other notes whose file name is that of `new`. All paths are relative to the vault.
    """
    before = source_before or source
    if target.scheme in _BY_ITSELF or target.scheme == "here" or not target.note:
        return None
    if target.scheme == "denote":
        ids = [name.full for name in names_of(new, None) if name.source == "denote"]
        return ids[0].upper() if ids and fold(target.note) not in ids else None
    if target.scheme == "absolute":
        return None if old == new else _absolute(target.note, old, new)
    found = _path(target.note, old, new, before, source, conventions) if target.scheme == "path" else None
    if target.scheme in ("name", "fuzzy"):
        found = _name(target.note, old, new, before, source, conventions, others)
    if found and target.scheme == "path" and source.endswith(".org") and target.whole and not found.startswith((".", "/")):
        found = f"./{found}"  # without `file:`, Org takes a path that begins with a name for a search
    return None if found in (None, target.note) else found


def _absolute(written: str, old: str, new: str) -> str | None:
    stem, suffix = split_suffix(written)
    if suffix and written.endswith("/" + old):
        return written[: -len(old)] + new
    old_stem = split_suffix(old)[0]
    return stem[: -len(old_stem)] + split_suffix(new)[0] if stem.endswith("/" + old_stem) else None


def _path(written: str, old: str, new: str, before: str, source: str, conventions: Conventions) -> str:
    if written.endswith("/") or fold(posixpath.basename(split_suffix(old)[0])) != fold(
        posixpath.basename(split_suffix(written)[0])
    ):
        return _folder(written, new, source)  # the link names the folder of an index note
    shown = new if split_suffix(written)[1] else split_suffix(new)[0]
    if written.startswith("/"):
        return "/" + shown
    if written.startswith("."):
        return _relative(written, shown, source)
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(before), written))
    if conventions.paths_from_root and fold(split_suffix(beside)[0]) != fold(split_suffix(old)[0]):
        is_whole = fold(split_suffix(written)[0]) == fold(split_suffix(old)[0])
        return shown if is_whole or "/" in written else posixpath.basename(shown)
    return _relative(written, shown, source)


def _folder(written: str, new: str, source: str) -> str:
    folder, base = posixpath.split(split_suffix(new)[0])
    if fold(base) not in ("index", "readme", "_index"):
        return "/" + new if written.startswith("/") else _relative(written, new, source)
    shown = f"/{folder}" if written.startswith("/") else _relative(written, folder or ".", source)
    return shown.rstrip("/") + ("/" if written.endswith("/") else "")


def _relative(written: str, path: str, source: str) -> str:
    shown = relative_path(path, source)
    return f"./{shown}" if written.startswith("./") and not shown.startswith(".") else shown


def _name(
    written: str, old: str, new: str, before: str, source: str, conventions: Conventions, others: Iterable[str]
) -> str | None:
    stem, suffix = split_suffix(written)
    old_stem, new_stem = split_suffix(old)[0], split_suffix(new)[0]
    if written.startswith(("./", "../")):
        return _relative(written, new_stem + (split_suffix(new)[1] if suffix else ""), source)
    rooted = written.startswith("/")
    plain = stem.lstrip("/")
    if not fold("/" + old_stem).endswith("/" + fold(plain)):
        page = page_name(posixpath.basename(old_stem))
        return page_name(posixpath.basename(new_stem)) if fold(page) == fold(written) else None
    if rooted or (fold(plain) == fold(old_stem) and "/" in plain):
        shown = new_stem
    else:
        shown = _at_least(new_stem, plain.count("/") + 1, others, conventions)
    return ("/" if rooted else "") + shown + (split_suffix(new)[1] if suffix else "")


def _at_least(stem: str, segments: int, others: Iterable[str], conventions: Conventions) -> str:
    """The last `segments` of `stem`, more where other notes end in them too; the tool's page name in Logseq."""
    if conventions.tool == "logseq":
        return page_name(posixpath.basename(stem))
    shortest = shortest_name(stem, (split_suffix(other)[0] for other in others))
    enough = "/".join(stem.split("/")[-segments:])
    return shortest if shortest.count("/") >= enough.count("/") else enough
