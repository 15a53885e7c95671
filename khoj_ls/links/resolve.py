"""Where a link leads: the rules by which each tool chooses among the notes that answer to a name. Pure.

Obsidian's order is that of its `getFirstLinkpathDest`: the exact path from the vault's root, then the shortest path under the
note's own folder, then the shortest path anywhere. Dendron prefers the note's own vault. The others have no rule: two
notes of one name are ambiguous.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from khoj_ls.links.anchors import Place
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.names import NameSource
from khoj_ls.links.target import LinkTarget
from khoj_ls.links.text import fold, split_suffix

State = Literal["resolved", "broken", "broken_anchor", "ambiguous", "unwritten", "external"]
"""`unwritten`: nothing is there yet and nothing is wrong, as the tool makes the page when it is first opened (Logseq)."""


@dataclass(frozen=True)
class Candidate:
    """A note with one of its names."""

    file_id: int
    path: str
    type: str
    full: str
    source: NameSource


@dataclass(frozen=True)
class Destination:
    """A note, or a place in it."""

    path: str
    """Relative to the vault, posix."""
    file_id: int | None = None
    """None for files that are no notes: images, documents, folders."""
    place: Place | None = None


@dataclass(frozen=True)
class Resolution:
    """Where a link leads."""

    state: State
    targets: tuple[Destination, ...] = ()
    """One when resolved, several when ambiguous; of a broken anchor the note that lacks it."""
    why: str = ""
    """What is wrong, for people; empty when nothing is."""
    tried: tuple[str, ...] = ()
    """Paths of files that are no notes, relative to the vault, one of which may be what a broken link means."""

    @property
    def target(self) -> Destination | None:
        """The one target, also of a link whose anchor is broken."""
        return self.targets[0] if len(self.targets) == 1 else None


EXTERNAL = Resolution("external")

_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")


def resolve_note(target: LinkTarget, source: str, candidates: Sequence[Candidate], conventions: Conventions) -> Resolution:
    """Which note `target` means in the note at `source` (a relative path), of those with its key; the place is not looked at.

    `here` and `external` need no candidates. A `fuzzy` target is read as the name of a note: places in the note itself come
    first, and are the caller's to try.
    """
    if target.scheme == "external":
        return EXTERNAL
    if target.scheme == "here":
        return Resolution("resolved", (Destination(source),))
    if target.scheme == "tag":
        return _tag(target, source, candidates, conventions)
    if target.scheme == "absolute":
        return Resolution("external", why=f"{target.note} lies outside the vault")
    if target.scheme == "path":
        return _path(target, source, candidates, conventions)
    if target.scheme in ("id", "citation", "denote"):
        return _identity(target, candidates)
    return _name(target, source, candidates, conventions)


def _identity(target: LinkTarget, candidates: Sequence[Candidate]) -> Resolution:
    sources = {"id": ("id",), "citation": ("citation",), "denote": ("denote", "id")}[target.scheme]
    wanted = fold(target.note)
    found = [candidate for candidate in candidates if candidate.source in sources and candidate.full == wanted]
    if not found and target.scheme == "citation":
        return EXTERNAL
    return _chosen(found, f"no note or heading has the id {target.note}")


# -- paths -------------------------------------------------------------------------------------------------------------


def _path(target: LinkTarget, source: str, candidates: Sequence[Candidate], conventions: Conventions) -> Resolution:
    written = target.note
    if len(written) > 2 and written[1] == ":" and written[0].isalpha():
        return EXTERNAL  # of Windows
    tries = dict.fromkeys(joined for text in (written, target.whole) for joined in _joined(text, source, conventions))
    if not tries:
        return Resolution("external", why=f"{written} lies outside the vault")
    for path in tries:
        if found := _at_path(path, candidates):
            return _chosen(found, "")
    if conventions.finds_by_name and (named := _by_end(fold(split_suffix(written.lstrip("/"))[0]), candidates)):
        return _preferred(_same_suffix(written, named), source, conventions)
    if written.startswith("/") and conventions.tool in ("plain", "foam") and not _SUFFIX.search(written):
        return Resolution("external", why="an address on the web site that the notes are published to", tried=tuple(tries))
    return Resolution("broken", why=f"no file {written}", tried=tuple(tries))


def _joined(written: str, source: str, conventions: Conventions) -> list[str]:
    """Paths from the vault's root that `written` may stand for in the note at `source`; none when it leads out of the vault."""
    if not written:
        return []
    if written.startswith("/"):
        return [_normal(written.lstrip("/"))]
    beside = _normal(posixpath.join(posixpath.dirname(source), written))
    found = [] if beside.startswith("../") or beside == ".." else [beside]
    if conventions.paths_from_root and not written.startswith("."):
        found.append(_normal(written))
    return found


def _normal(path: str) -> str:
    normal = posixpath.normpath(path)
    return "" if normal == "." else normal


def _at_path(path: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The note at `path`, its suffix perhaps left out: as written, else in another case; an index note for a folder."""
    paths = [candidate for candidate in candidates if candidate.source == "path"]
    if exact := [candidate for candidate in paths if candidate.path == path]:
        return exact
    stem, suffix = split_suffix(path)
    full = fold(stem)
    if suffix and (found := [c for c in paths if c.full == full and c.path.lower().endswith(suffix.lower())]):
        return found
    if not suffix and (found := [candidate for candidate in paths if candidate.full == full]):
        return found
    return [c for c in candidates if c.source == "folder" and c.full == full] if not suffix else []


# -- names -------------------------------------------------------------------------------------------------------------

_TIERS: tuple[tuple[NameSource, ...], ...] = (("page",), ("title",), ("alias",), ("folder",))


def _name(target: LinkTarget, source: str, candidates: Sequence[Candidate], conventions: Conventions) -> Resolution:
    for text in dict.fromkeys((target.whole or target.note, target.note)):
        if found := _by_name(text, source, candidates, conventions, target):
            return found
    if conventions.tool == "logseq" and target.scheme in ("name", "fuzzy"):
        return Resolution("unwritten", why=f"the page {target.note} has no text yet")
    tried = (*_joined(target.note, source, conventions), _normal(target.note.lstrip("/")))
    return Resolution("broken", why=f"no note is called {target.note}", tried=tuple(dict.fromkeys(tried)))


def _by_name(
    text: str, source: str, candidates: Sequence[Candidate], conventions: Conventions, target: LinkTarget
) -> Resolution | None:
    """The note called `text`, by its path, then by the names in it; None when there is none."""
    candidates = _in_vault(target.vault, candidates)
    if target.scheme in ("name", "fuzzy", "tag") and (found := _named_by_path(text, source, candidates)):
        return _preferred(found, source, conventions)
    wanted = {fold(text.replace("\\", "/")), fold(split_suffix(text)[0])}
    for tier in _TIERS:
        if tier != ("folder",) or target.scheme != "title":
            named = [candidate for candidate in candidates if candidate.source in tier and candidate.full in wanted]
            if named:
                return _preferred(named, source, conventions)
    return None


def _named_by_path(text: str, source: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    paths = [candidate for candidate in candidates if candidate.source == "path"]
    text = text.replace("\\", "/")
    if text.startswith(("./", "../")):
        return _at_path(_normal(posixpath.join(posixpath.dirname(source), text)), paths)
    if text.startswith("/"):
        return _at_path(_normal(text.lstrip("/")), paths)
    stem, suffix = split_suffix(text)
    return _same_suffix(text, _by_end(fold(stem), paths)) or (_by_end(fold(text), paths) if suffix else [])


def _by_end(wanted: str, candidates: Iterable[Candidate]) -> list[Candidate]:
    end = "/" + wanted
    return [c for c in candidates if c.source == "path" and (c.full == wanted or c.full.endswith(end))]


def _same_suffix(written: str, found: list[Candidate]) -> list[Candidate]:
    suffix = split_suffix(written)[1].lower()
    return [candidate for candidate in found if candidate.path.lower().endswith(suffix)] if suffix else found


def _in_vault(vault: str, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Those in the folder that is, or holds, the named vault; all where this vault has no such folder."""
    if not vault:
        return candidates
    own = [c for c in candidates if f"/{vault}/" in f"/{c.path}"]
    return own or candidates


def _tag(target: LinkTarget, source: str, candidates: Sequence[Candidate], conventions: Conventions) -> Resolution:
    """In Logseq a tag is a page, in Dendron the note `tags.<tag>`; elsewhere it leads to no note."""
    tags = [candidate for candidate in candidates if candidate.source == "tag" and candidate.full == fold(target.note)]
    if conventions.tool == "dendron" and tags:
        return _preferred(tags, source, conventions)
    if conventions.tool == "logseq" and (found := _by_name(target.note, source, candidates, conventions, target)):
        return found
    return Resolution("external", why="a tag")


# -- choosing ----------------------------------------------------------------------------------------------------------


def _preferred(found: list[Candidate], source: str, conventions: Conventions) -> Resolution:
    """By the tool's own rule where it has one."""
    found = _distinct(found)
    if len(found) > 1:
        # No tool for Markdown sees Org notes, nor the reverse.
        suffix = posixpath.splitext(source)[1].lower()
        found = [candidate for candidate in found if candidate.path.lower().endswith(suffix)] or found
    if len(found) > 1 and conventions.tool == "obsidian":
        found = [min(found, key=lambda candidate: _obsidian_order(candidate, found, source))]
    if len(found) > 1 and conventions.vaults:
        own = conventions.vault_of(source)
        found = [candidate for candidate in found if conventions.vault_of(candidate.path) == own] or found
    return _chosen(found, "")


def _obsidian_order(candidate: Candidate, found: Sequence[Candidate], source: str) -> tuple[bool, bool, int, str]:
    # At the root stands the one whose whole path is what all of them end in.
    at_root = "/" not in candidate.path or all(other.full.endswith(candidate.full) for other in found)
    folder = posixpath.dirname(source)
    beside = not folder or candidate.path.startswith(folder + "/")
    return (not at_root, not beside, len(candidate.path), candidate.path)


def _distinct(found: Iterable[Candidate]) -> list[Candidate]:
    return list({candidate.file_id: candidate for candidate in found}.values())


def _chosen(found: Iterable[Candidate], missing: str) -> Resolution:
    distinct = sorted(_distinct(found), key=lambda candidate: candidate.path)
    targets = tuple(Destination(candidate.path, candidate.file_id) for candidate in distinct)
    if not targets:
        return Resolution("broken", why=missing)
    if len(targets) == 1:
        return Resolution("resolved", targets)
    return Resolution(
        "ambiguous", targets, "several notes answer to this name: " + ", ".join(each.path for each in targets[:5])
    )
