"""A table of contents that a note keeps: written once between two marks, and brought up to date there."""

from __future__ import annotations

import re

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.definitions import title_definitions
from khoj_ls.graph.edits import NoteEdit, VaultEdit
from khoj_ls.graph.linking import written_link
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.proposal import places_of
from khoj_ls.links.anchors import Place
from khoj_ls.links.rewrite import Edit

_MARKDOWN = ("<!-- toc -->", "<!-- tocstop -->")
_ORG = ("# toc", "# tocstop")
_INDENT = 2


def table_of_contents(network: LinkNetwork, note: OpenNote, offset: int, depth: int = 3) -> VaultEdit:
    """The edit that writes the table, or brings it up to date; a new one goes above the line at `offset`.

    It holds the headings of `depth` levels, without one that is the title. Raises UsageError when there are none.
    """
    begin, end = _ORG if note.parsed.type == "org" else _MARKDOWN
    lines = _lines(network, note, depth)
    if not lines:
        raise UsageError("there are no headings to make a table of contents of")
    gap = "" if note.parsed.type == "org" else "\n"
    text = f"{begin}\n{gap}" + "".join(lines) + f"{gap}{end}"
    known = re.search(rf"^[ \t]*{re.escape(begin)}[ \t]*\r?\n(?:.*\n)*?[ \t]*{re.escape(end)}[ \t]*$", note.text, re.M)
    if known:
        start = len(note.text[: known.start()].encode())
        stop = start + len(known[0].encode())
        edit = Edit(start, stop, text)
    else:
        at = note.source.rfind(b"\n", 0, offset) + 1
        edit = Edit(at, at, f"{text}\n{gap}")
    if note.source[edit.start : edit.end].decode() == edit.text:
        return VaultEdit()
    return VaultEdit({note.path: NoteEdit(note, (edit,))})


def _lines(network: LinkNetwork, note: OpenNote, depth: int) -> list[str]:
    titles = {each.line for each in title_definitions(note) if each.kind == "heading"}
    entries = [entry for entry in note.parsed.entries if entry.level and entry.span.line not in titles and entry.heading]
    if not entries:
        return []
    top = min(entry.level for entry in entries)
    starts: dict[int, Place] = {}
    for place in places_of(note.parsed).all:
        if place.kind == "heading":
            starts.setdefault(place.span.line, place)
    lines = []
    for entry in entries:
        found = starts.get(entry.span.line)
        if entry.level - top < depth and found is not None:
            link = written_link(network, note, note, label=entry.heading, place=found)
            lines.append(" " * _INDENT * (entry.level - top) + f"- {link}\n")
    return lines
