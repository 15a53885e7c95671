"""Sections that move: to a note of their own, into another note, or a whole note into the place of a link to it.

Links in and to what moves are led on, both ways.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Entry
from khoj_ls.graph.definitions import definitions, title_definitions
from khoj_ls.graph.edits import Notes, VaultEdit
from khoj_ls.graph.linking import ending, written_link
from khoj_ls.graph.mend import Change, Relocation, mend
from khoj_ls.graph.naming import new_note_path
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.proposal import ProposedNetwork
from khoj_ls.links.rewrite import Edit, applied

_MARKER = re.compile(rb"[ \t>]*(#{1,6}|\*+)(?=[ \t])")
_HEAD = re.compile(r"(---|\+\+\+)[ \t]*\r?\n.*?^(?:\1|\.\.\.)[ \t]*\r?\n?", re.S | re.M)
_ORG_HEAD = re.compile(r"(?:[ \t]*:PROPERTIES:.*?:END:[ \t]*\n)?(?:[ \t]*(?:#\+[A-Za-z_]+:.*)?\n)*", re.S | re.I)
_DEEPEST = 6


@dataclass(frozen=True)
class Section:
    """A heading with all that stands below it."""

    start: int
    end: int
    level: int
    heading: str
    first: int
    """Ordinals of its entries: first and last."""
    last: int


def section_at(note: OpenNote, offset: int) -> Section:
    """The section whose own text holds the byte `offset`. Raises UsageError above the first heading."""
    found = note.entry_at(offset)
    if found is None or not found[1].level:
        raise UsageError("there is no section here: go to a heading or below one")
    return _section(note, *found)


def _section(note: OpenNote, ordinal: int, entry: Entry) -> Section:
    last = ordinal
    entries = note.parsed.entries
    while last + 1 < len(entries) and entries[last + 1].level > entry.level:
        last += 1
    return Section(entry.span.start, entries[last].span.end, entry.level, entry.heading, ordinal, last)


def extract(
    network: LinkNetwork, notes: Notes, note: OpenNote, offset: int, token: CancelToken | None = None
) -> tuple[VaultEdit, str]:
    """The section at `offset` as a note of its own, a link left in its stead; the edit, and the new note's path."""
    section = section_at(note, offset)
    if any(each.line == note.parsed.entries[section.first].span.line for each in title_definitions(note)) and (
        section.end - section.start == len(note.source)
    ):
        raise UsageError("this section is the whole note")
    path = new_note_path(section.heading, note, network.conventions, notes)
    piece = note.source[section.start : section.end].decode(errors="replace")
    left = written_link(network, note, notes.parse(path, _shifted(note, section, 1 - section.level, piece)))
    tail = "\n\n" if section.end < len(note.source) and note.parsed.type != "org" else "\n"
    moved = Relocation(
        note.path, section.start, section.end, path, 0, _levels(note, section, 1 - section.level), left=left + tail
    )  # fmt: skip
    return mend(network, notes, Change(relocations=(moved,), created=frozenset({path})), token), path


def refile(
    network: LinkNetwork,
    notes: Notes,
    note: OpenNote,
    offset: int,
    target: OpenNote,
    below: int | None = None,
    token: CancelToken | None = None,
) -> VaultEdit:
    """The section at `offset` at the end of `target`, or at the end of the section that holds the byte `below` of it.

    Raises UsageError where it cannot go.
    """
    section = section_at(note, offset)
    if target.parsed.type != note.parsed.type:
        raise UsageError(f"a section of {note.path} cannot go to {target.path}: they are written in different formats")
    parent = section_at(target, below) if below is not None else None
    if target.path == note.path:
        at = parent.end if parent else len(note.source)
        if section.start <= at <= section.end:
            raise UsageError("the section is there already, or would go into itself")
    at = parent.end if parent else len(target.source)
    level = parent.level + 1 if parent else _level_in(target)
    before = ending(target) if at == len(target.source) else ""
    after = "" if note.source[: section.end].endswith(b"\n") else "\n"
    edits = _levels(note, section, level - section.level)
    moved = Relocation(note.path, section.start, section.end, target.path, at, edits, before, after)
    return mend(network, notes, Change(relocations=(moved,)), token)


def inline(network: LinkNetwork, notes: Notes, note: OpenNote, offset: int, token: CancelToken | None = None) -> VaultEdit:
    """The text of the note that is linked at `offset` behind the paragraph of that link; the note itself goes.

    Raises UsageError where there is no link to a whole note of the same format.
    """
    link = note.link_at(offset)
    found = [each for each in ProposedNetwork(network, [note]).links_in(note.path, note.parsed) if each.link == link]
    destination = found[0].resolution.target if found else None
    target = notes.read(destination.path) if destination and destination.path != note.path else None
    if link is None or destination is None or target is None or found[0].resolution.state != "resolved":
        raise UsageError("there is no link to another note here")
    if target.parsed.type != note.parsed.type:
        raise UsageError(f"{target.path} cannot be put into {note.path}: they are written in different formats")
    begin = _body(target)
    entry = note.entry_at(link.span.start)
    level = entry[1].level if entry else 0
    levels = [each.level for each in target.parsed.entries if each.level]
    section = Section(begin, len(target.source), 0, "", 0, len(target.parsed.entries) - 1)
    edits = _levels(target, section, level + 1 - min(levels)) if levels else ()
    at = note.source.find(b"\n", link.span.end)
    at = len(note.source) if at < 0 else at + 1
    before = "\n" if at and note.source[at - 1 : at] == b"\n" else "\n\n"
    gone = Edit(link.span.start, link.span.end, target.parsed.title or link.label or link.target)
    moved = Relocation(target.path, begin, len(target.source), note.path, at, edits, before)
    change = Change(edits={note.path: [gone]}, relocations=(moved,), deleted=frozenset({target.path}))
    return mend(network, notes, change, token)


def _body(note: OpenNote) -> int:
    """Where the text of a note begins, behind what is said about it."""
    found = (_ORG_HEAD if note.parsed.type == "org" else _HEAD).match(note.text)
    begin = len(found[0].encode()) if found else 0
    while note.source[begin : begin + 1] == b"\n":
        begin += 1
    return begin


def _level_in(target: OpenNote) -> int:
    """Level of a section put at the end of a note: that of its sections, below a title that is a heading."""
    levels = [entry.level for entry in target.parsed.entries if entry.level]
    if target.parsed.type == "org" or not levels:
        return 1 if target.parsed.type == "org" else 2
    is_title = any(each.kind == "heading" for each in title_definitions(target))
    return min(levels) + (1 if is_title and levels.count(min(levels)) == 1 else 0)


def _levels(note: OpenNote, section: Section, by: int) -> tuple[Edit, ...]:
    """The edits that put the headings of a section `by` levels deeper."""
    if not by:
        return ()
    lines = {each.line for each in definitions(note) if each.kind == "heading"}
    edits = []
    for entry in note.parsed.entries[section.first : section.last + 1]:
        if not entry.level or entry.span.line not in lines or entry.span.start < section.start:
            continue
        marker = _MARKER.match(note.source, entry.span.start)
        level = max(1, entry.level + by)
        if marker:
            mark = marker[1][:1].decode()
            text = mark * (level if mark == "*" else min(level, _DEEPEST))
            edits.append(Edit(*marker.span(1), text))
            continue
        underline = note.source.find(b"\n", entry.span.start) + 1  # setext: the text, then a line of = or -
        end = note.source.find(b"\n", underline)
        end = len(note.source) if end < 0 else end
        first = note.source[entry.span.start :].decode(errors="replace")[:1]
        text = "#" * min(level, _DEEPEST) + " " + first
        edits.append(Edit(entry.span.start, entry.span.start + len(first.encode()), text))
        edits.append(Edit(underline - 1, end, ""))
    return tuple(edits)


def _shifted(note: OpenNote, section: Section, by: int, piece: str) -> str:
    edits = [Edit(each.start - section.start, each.end - section.start, each.text) for each in _levels(note, section, by)]
    return applied(piece.encode(), edits).decode(errors="replace")
