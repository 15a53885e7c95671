"""Rename what is at a place: a note, a heading, a tag, an alias, an id. Everything that names it follows."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Link
from khoj_ls.graph.definitions import Definition, definition_at, definitions, title_definitions
from khoj_ls.graph.edits import Notes, VaultEdit
from khoj_ls.graph.mend import Change, mend
from khoj_ls.graph.naming import checked_name, checked_path, file_stem, stem_for
from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.proposal import ProposedNetwork
from khoj_ls.graph.tag_rename import name_range, rename_tag
from khoj_ls.graph.tags import tag_at
from khoj_ls.links.names import page_name
from khoj_ls.links.rewrite import Edit, written_target
from khoj_ls.links.text import fold, split_suffix

SubjectKind = Literal["note", "file", "heading", "tag", "alias", "block", "custom_id", "id", "target", "footnote"]

_BLOCK_ID = re.compile(r"[A-Za-z0-9-]+")
_ONE_WORD = re.compile(r"[^\s{}\[\]#^|<>\"']+")
_NOUNS = MappingProxyType({"custom_id": "custom id", "block": "block id"})


@dataclass(frozen=True)
class Subject:
    """What would be renamed at a place."""

    kind: SubjectKind
    start: int
    end: int
    """Bytes of the asking note that show it."""
    name: str
    """What it is called now: the placeholder."""
    path: str
    """The note, or file, that it is or stands in; of a tag the asking note."""
    spot: Definition | None = None
    """Where it is defined; None for files and for notes named by their file alone."""
    by_title: bool = False
    """Of a note: whether a new name is a title, of which the file name is made where it was before."""


def subject_at(network: LinkNetwork, notes: Notes, note: OpenNote, offset: int) -> Subject:
    """What there is to rename at the byte `offset` of `note`. Raises UsageError that says why there is nothing."""
    link = note.link_at(offset)
    if link is not None and link.kind not in ("tag", "url"):
        return _linked(network, notes, note, link, offset)
    if tag := tag_at(note.parsed, offset):
        return Subject("tag", *name_range(note, tag), tag.name, note.path)
    spot = definition_at(note, offset)
    if spot is None:
        raise UsageError("there is nothing to rename here: go to a title, heading, link, tag or id")
    titles = title_definitions(note)
    if spot in titles or spot.kind == "title":
        return Subject("note", spot.start, spot.end, spot.text, note.path, spot, by_title=True)
    return Subject(spot.kind, spot.start, spot.end, spot.text, note.path, spot)


def rename(
    network: LinkNetwork,
    notes: Notes,
    note: OpenNote,
    subject: Subject,
    name: str,
    token: CancelToken | None = None,
    *,
    moves_files: bool = True,
) -> VaultEdit:
    """The edit that gives `subject`, found in `note`, its new `name`. Raises UsageError where it cannot have that name.

    Without `moves_files` a note whose title changes keeps its file.
    """
    name = checked_name(name, _NOUNS.get(subject.kind, subject.kind))
    if name == subject.name:
        return VaultEdit()
    if subject.kind == "tag":
        return rename_tag(network, notes, note, subject.name, name, token)
    target = note if subject.path == note.path else notes.read(subject.path)
    if subject.kind == "file" or target is None:
        new = posixpath.join(posixpath.dirname(subject.path), name + posixpath.splitext(subject.path)[1])
        _check_free(notes, subject.path, checked_path(new, is_note=False))
        return mend(network, notes, Change(moves={subject.path: new}), token)
    if subject.kind == "note":
        change = note_change(network, notes, target, name, by_title=subject.by_title)
        return mend(network, notes, change if moves_files else replace(change, moves={}), token)
    assert subject.spot is not None
    return mend(network, notes, _spot_change(network, target, subject.spot, name), token)


def note_change(network: LinkNetwork, notes: Notes, note: OpenNote, name: str, *, by_title: bool) -> Change:
    """What it takes to call `note` by `name`: title, file, and the aliases that were its old name.

    Raises UsageError where it cannot have that name.
    """
    folder, base = posixpath.split(note.path)
    stem, suffix = split_suffix(base)
    title = note.parsed.title
    conventions = network.conventions
    if by_title:
        new_title: str | None = name
        new_stem = stem_for(name, title, stem, conventions)
    else:
        new_stem = file_stem(name, conventions)
        shown = page_name(name) if conventions.tool == "logseq" else name
        new_title = shown if title is not None and title in (stem, page_name(stem)) else None
    edits: list[Edit] = []
    names: list[tuple[str, str]] = []
    if new_title is not None and title is not None:
        edits += [_spot_edit(spot, new_title, note) for spot in title_definitions(note)]
    old_names = {old for old in (title if new_title else None, stem if new_stem else None) if old}
    for spot in definitions(note):
        if spot.kind == "alias" and spot.text in old_names and name not in note.parsed.aliases:
            edits.append(_spot_edit(spot, name, note))
            names.append((spot.text, name))
    moves: dict[str, str] = {}
    if new_stem is not None and new_stem != stem:
        if "/" in new_stem:
            raise UsageError(f"{new_stem!r} cannot be the name of a note: '/' is not allowed in one; move the file instead")
        new_path = checked_path(posixpath.join(folder, new_stem + suffix))
        _check_free(notes, note.path, new_path)
        moves[note.path] = new_path
    return Change(edits={note.path: _without_overlaps(edits)}, moves=moves, names={note.path: names})


def _without_overlaps(edits: list[Edit]) -> list[Edit]:
    kept: list[Edit] = []
    for edit in sorted(set(edits), key=lambda each: (each.start, -each.end)):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


def _spot_change(network: LinkNetwork, note: OpenNote, spot: Definition, name: str) -> Change:
    same = [each for each in definitions(note) if each.kind == spot.kind and each.text == spot.text]
    if spot.kind == "alias":
        if any(fold(alias) == fold(name) for alias in note.parsed.aliases if alias != spot.text):
            raise UsageError(f"{note.path} has the alias {name!r} already")
        return Change(edits={note.path: [_spot_edit(spot, name, note)]}, names={note.path: [(spot.text, name)]})
    if spot.kind == "heading":
        if note.parsed.type != "org" and name.startswith("#"):
            raise UsageError("a heading's text does not begin with '#': that would change its level")
        return Change(edits={note.path: [_spot_edit(spot, name, note)]})
    _check_id(network, note, spot, name)
    names = {note.path: [(spot.text, name)]} if spot.kind in ("id", "custom_id") else {}
    return Change(edits={note.path: [_spot_edit(each, name, note) for each in same[:1]]}, names=names)


def _check_id(network: LinkNetwork, note: OpenNote, spot: Definition, name: str) -> None:
    noun = _NOUNS.get(spot.kind, spot.kind)
    if spot.kind == "block" and not _BLOCK_ID.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a block id: it has letters, digits and hyphens only")
    if spot.kind in ("id", "custom_id", "footnote") and not _ONE_WORD.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a {noun}: it is one word without brackets, quotes, '#' and '|'")
    if spot.kind == "target" and re.search(r"[<>\[\]]", name):
        raise UsageError(f"{name!r} cannot be a target: it holds no brackets")
    taken = {fold(anchor.name) for entry in note.parsed.entries for anchor in entry.anchors if anchor.kind == spot.kind}
    if fold(name) in taken - {fold(spot.text)}:
        raise UsageError(f"{note.path} has the {noun} {name!r} already")
    if spot.kind == "id":
        found = network.resolve(note.path, "id", f"id:{name}", "org")
        if found.targets and fold(name) != fold(spot.text):
            raise UsageError(f"the id {name!r} is taken by {found.targets[0].path}")


def _spot_edit(spot: Definition, name: str, note: OpenNote) -> Edit:
    """`name` in the place of `spot`, in the quotes that are there, or that it needs."""
    text = name
    if spot.quote == '"':
        text = name.replace("\\", "\\\\").replace('"', '\\"')
    elif spot.quote == "'":
        text = name.replace("'", "''")
    elif spot.kind in ("title", "alias") and note.parsed.type == "markdown" and _in_front_matter(spot, note):
        plain = re.fullmatch(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`](?:(?!: | #|[\[\]{}]).)*", name) and not name.endswith(":")
        if not plain or (spot.kind != "title" and "," in name):
            text = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    elif spot.kind == "alias" and note.parsed.type == "org" and " " in name:
        text = f'"{name}"'
    return Edit(spot.start, spot.end, text)


def _in_front_matter(spot: Definition, note: OpenNote) -> bool:
    before = note.source[: spot.start]
    return before.startswith((b"---", b"+++")) and before.count(b"\n---") == 0


def _check_free(notes: Notes, old: str, new: str) -> None:
    if fold(new) != fold(old) and notes.exists(new):
        raise UsageError(f"there is already a file {new}: choose another name")


# -- by a link -----------------------------------------------------------------------------------------------------------


def _linked(network: LinkNetwork, notes: Notes, note: OpenNote, link: Link, offset: int) -> Subject:
    resolved = _resolved(network, note, link)
    destination = resolved.resolution.target
    if resolved.resolution.state not in ("resolved", "broken_anchor") or destination is None:
        why = resolved.resolution.why or "it leads out of the vault"
        raise UsageError(f"what this link names cannot be renamed: {why}")
    written = written_target(note.source, link, note.parsed.type)
    inside = written is not None and link.span.start <= written.start and written.end <= link.span.end
    start, end = (written.start, written.end) if written and inside else (link.span.start, link.span.end)
    place = destination.place
    target = note if destination.path == note.path else notes.read(destination.path)
    if target is None:
        return Subject("file", start, end, posixpath.splitext(posixpath.basename(destination.path))[0], destination.path)
    marked = written.place if written else None
    place_start = written.start + len(written.text[: marked[0]].encode()) if written and marked else None
    at_place = resolved.target.scheme in ("here", "fuzzy", "id") or (place_start is not None and offset >= place_start)
    if place is not None and at_place:
        if place_start is not None:
            start = place_start
        spot = _spot_of(target, place.kind, place.name, place.span.start)
        # The id of a note as a whole stands for the note.
        if spot is not None and spot.kind != "title" and not (place.kind == "id" and _is_notes_own(target, place.span.start)):
            return Subject(spot.kind, start, end, spot.text, target.path, spot)
    if written and marked and inside:
        end = written.start + len(written.text[: marked[0]].encode()) - len(written.mark)
    return _note_subject(network, target, resolved, start, max(start, end))


def _note_subject(network: LinkNetwork, target: OpenNote, resolved: ResolvedLink, start: int, end: int) -> Subject:
    stem = split_suffix(posixpath.basename(target.path))[0]
    title = target.parsed.title
    spot = next(iter(title_definitions(target)), None)
    named = fold(resolved.target.note)
    if title and spot:
        by_title = resolved.target.scheme in ("id", "title") or named == fold(title)
        if by_title or stem_for(title, title, stem, network.conventions) is not None:
            return Subject("note", start, end, title, target.path, spot, by_title=True)
    alias = next((each for each in definitions(target) if each.kind == "alias" and fold(each.text) == named), None)
    if alias is not None and named != fold(stem):
        return Subject("alias", start, end, alias.text, target.path, alias)
    shown = page_name(stem) if network.conventions.tool == "logseq" else stem
    return Subject("note", start, end, shown, target.path, spot)


def _resolved(network: LinkNetwork, note: OpenNote, link: Link) -> ResolvedLink:
    """The link where it leads, the text of `note` taken for what is in the index."""
    for found in ProposedNetwork(network, [note]).links_in(note.path, note.parsed):
        if found.link == link:
            return found
    raise UsageError("there is no link here")


def _is_notes_own(note: OpenNote, start: int) -> bool:
    entry = next((each for each in note.parsed.entries if each.span.start <= start < each.span.end), None)
    return entry is None or entry.level == 0


def _spot_of(note: OpenNote, kind: str, name: str, start: int) -> Definition | None:
    """Where the place that an anchor is was written."""
    line = note.source.count(b"\n", 0, start) + 1
    found = [spot for spot in definitions(note) if spot.kind == kind and (kind == "heading" or fold(spot.text) == fold(name))]
    if kind == "heading":
        found = [spot for spot in found if spot.line == line]
    return min(found, key=lambda spot: abs(spot.line - line), default=None)
