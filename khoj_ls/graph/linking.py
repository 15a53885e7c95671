"""Write links into a note: where words are selected, at the caret, and as a section of related notes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from khoj_ls.graph.definitions import definitions
from khoj_ls.graph.edits import NoteEdit, Notes, VaultEdit
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.proposal import ProposedNetwork
from khoj_ls.links.anchors import Place
from khoj_ls.links.format import Address, format_link
from khoj_ls.links.rewrite import Edit
from khoj_ls.links.text import fold, split_suffix

RELATED = "Related"
"""Heading of the section that `related_section` writes."""


def link_text(
    network: LinkNetwork, notes: Notes, note: OpenNote, path: str, *, label: str = "", place: Place | None = None
) -> str:
    """The link to the note at `path`, or to a `place` in it, as the vault's tool writes it into `note`."""
    target = note if path == note.path else notes.read(path)
    return written_link(network, note, target or notes.parse(path, ""), label=label, place=place)


def written_link(network: LinkNetwork, note: OpenNote, target: OpenNote, *, label: str = "", place: Place | None = None) -> str:
    """The same for a `target` at hand, which need not exist yet."""
    title = target.parsed.title or split_suffix(posixpath.basename(target.path))[0]
    others = [each for each in ProposedNetwork(network, [target]).called_like(target.path) if each != target.path]
    address = Address(target.path, title, _id_of(target, place))
    if place is not None and place.kind in ("heading", "block", "custom_id", "target"):
        address = Address(target.path, title, _id_of(target, place), place.name, place.kind)
    if note.parsed.type != "org" and network.conventions.link_style == "wiki" and not label and not _is_name(title, target):
        label = title if network.conventions.tool != "logseq" else ""
    return format_link(address, note.path, network.conventions, label=label, others=others)


def insert_link(
    network: LinkNetwork,
    notes: Notes,
    note: OpenNote,
    start: int,
    end: int,
    path: str,
    *,
    label: str | None = None,
    place: Place | None = None,
) -> VaultEdit:
    """Make a link to the note at `path` of the bytes [start, end), which become its label; `label` says another."""
    words = note.source[start:end].decode(errors="replace") if label is None else label
    text = link_text(network, notes, note, path, label=" ".join(words.split()), place=place)
    return VaultEdit({note.path: NoteEdit(note, (Edit(start, end, text),))})


def related_section(network: LinkNetwork, notes: Notes, note: OpenNote, paths: Iterable[str]) -> VaultEdit:
    """A section of links to the notes at `paths`, at the end of `note`, or in place of the list it has already."""
    lines = [f"- {link_text(network, notes, note, path)}\n" for path in paths if path != note.path]
    if not lines:
        return VaultEdit()
    known = next((each for each in note.parsed.entries if each.level and fold(each.heading) == fold(RELATED)), None)
    if known is not None:
        raw = note.source[known.span.start : known.span.end]
        body = re.search(rb"\n((?:[ \t]*\n)*(?:[-*+][ \t][^\n]*(?:\n|\Z))*)", raw)
        begin = known.span.start + (body.start(1) if body else len(raw))
        end = known.span.start + (body.end(1) if body else len(raw))
        gap = "" if body else "\n"
        return VaultEdit({note.path: NoteEdit(note, (Edit(begin, end, gap + _gap(note) + "".join(lines)),))})
    is_org = note.parsed.type == "org"
    level = _top_level(note)
    heading = f"{('*' if is_org else '#') * level} {RELATED}\n"
    text = ending(note) + heading + _gap(note) + "".join(lines)
    return VaultEdit({note.path: NoteEdit(note, (Edit(len(note.source), len(note.source), text),))})


def ending(note: OpenNote) -> str:
    """What must stand between the end of a note and a section put behind it."""
    if not note.source:
        return ""
    gap = "" if note.source.endswith(b"\n") else "\n"
    return gap if note.parsed.type == "org" or note.source.endswith(b"\n\n") else gap + "\n"


def _gap(note: OpenNote) -> str:
    return "" if note.parsed.type == "org" else "\n"


def _top_level(note: OpenNote) -> int:
    """Level of the sections of a note: below its title where that is a heading."""
    levels = [entry.level for entry in note.parsed.entries if entry.level]
    if not levels:
        return 1 if note.parsed.type == "org" else 2
    return min(levels) + (1 if note.parsed.type != "org" and levels.count(min(levels)) == 1 and levels[0] == min(levels) else 0)


def _id_of(target: OpenNote, place: Place | None) -> str:
    """The id by which Org links the note, or the place."""
    if target.parsed.type != "org":
        return ""
    for entry in target.parsed.entries:
        for anchor in entry.anchors:
            if anchor.kind == "id" and (anchor.span.start == place.span.start if place else entry.level == 0):
                return anchor.name
    return ""


def _is_name(title: str, target: OpenNote) -> bool:
    return fold(title) == fold(split_suffix(posixpath.basename(target.path))[0])


def has_definition(note: OpenNote, offset: int) -> bool:
    """Whether the byte `offset` stands in a name that the note gives, which no link may replace."""
    return any(each.start <= offset < each.end and each.kind != "heading" for each in definitions(note))
