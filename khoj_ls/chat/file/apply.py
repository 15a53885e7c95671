"""What an answer proposes, put into a note: planned as one edit that the user sees first, never made here.

Only text that the model was given is replaced: where it has changed since, the plan says so, and the proposal can stand below
it instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from khoj_ls.chat.file.context import Given, find_given
from khoj_ls.core.errors import UsageError
from khoj_ls.core.text import LineIndex, text_lines
from khoj_ls.core.types import Entry
from khoj_ls.graph.edits import NoteEdit, VaultEdit
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.links.rewrite import Edit

How = Literal["replace", "below"]
_BREAK = re.compile(r"\r\n?|\n")


class GivenChanged(UsageError):
    """The note is not any more what the model was given: nothing of it is replaced without the user's word."""

    code = "khoj.chat.changed"


@dataclass(frozen=True)
class ApplyPlan:
    """One edit of one note, and what it does, in words."""

    edit: VaultEdit
    what: str
    """`Replace lines 5-7 of router.md`."""
    start: int
    """Byte of the note where the edit begins."""


def plan_apply(
    note: OpenNote, text: str, given: Given | None, how: How = "replace", lines: tuple[int, int] | None = None
) -> ApplyPlan:
    """Put the proposed `text` into `note`, of which the model was `given` some lines, everything, or nothing.

    Given lines are replaced wherever they have moved to; of a note given as a whole the section whose heading the proposal
    begins with, or all of it where the proposal begins as the note does; a proposal that is neither goes to its end. `lines`
    (1-based, inclusive) chooses others to replace, which must lie within what was given. With `below` nothing is replaced,
    so that any note will do.

    Raises GivenChanged where the note has changed there since, UsageError when there is nothing to put in or to replace.
    """
    if not text.strip():
        raise UsageError("the answer proposes nothing: it has no text to put into a note")
    found = find_given(note.text, given) if given else None
    if how == "below":
        return _below(note, text, lines or found)
    if given is None:
        name = note.path.rpartition("/")[2]
        raise UsageError(f"the model was given nothing of {name} with that question: it can be put below, and replaces nothing")
    if found is None:
        where = "it" if given.whole else f"what stood in lines {given.line}-{given.end_line} of it"
        raise GivenChanged(
            f"{note.path} has changed: {where} is not what the model was given. Nothing was replaced; the answer can be put"
            " below, or asked for again"
        )
    if lines is not None:
        return _chosen(note, text, lines, found)
    if not given.whole:
        return _replaced(note, text, found, _named(found, note))
    return _whole(note, text)


def _chosen(note: OpenNote, text: str, lines: tuple[int, int], found: tuple[int, int]) -> ApplyPlan:
    if not found[0] <= lines[0] <= lines[1] <= found[1]:
        raise UsageError(
            f"lines {lines[0]}-{lines[1]} of {note.path} were not given to the model, which read lines {found[0]}-{found[1]}"
        )
    return _replaced(note, text, lines, _named(lines, note))


def _whole(note: OpenNote, text: str) -> ApplyPlan:
    """The section that the proposal is another version of, all of the note, or an addition to it."""
    proposed, present = text_lines(text.lstrip("\r\n")), text_lines(note.text)
    if not note.text.strip():
        return _replaced(note, text, (1, max(1, len(present))), f"Fill {note.path}")
    first = proposed[0].strip()
    if first == next(line for line in present if line.strip()).strip():
        return _replaced(note, text, (1, len(present)), f"Replace all of {note.path}")
    sections = [ordinal for ordinal, entry in enumerate(note.parsed.entries) if entry.level and _heading_line(entry) == first]
    if len(sections) == 1:
        entry = note.parsed.entries[sections[0]]
        last = max(each.span.end_line for each in _subtree(note.parsed.entries, sections[0]))
        return _replaced(note, text, (entry.span.line, last), f'Replace "{entry.heading}" in {note.path}')
    return _below(note, text, None)


def _subtree(entries: tuple[Entry, ...], ordinal: int) -> list[Entry]:
    found = [entries[ordinal]]
    for entry in entries[ordinal + 1 :]:
        if entry.level <= entries[ordinal].level:
            break
        found.append(entry)
    return found


def _heading_line(entry: Entry) -> str:
    return next(iter(text_lines(entry.raw)), "").strip()


def _replaced(note: OpenNote, text: str, lines: tuple[int, int], what: str) -> ApplyPlan:
    """Whole lines by others; blank lines at their end stay, as does a missing break at the end of the note."""
    index = LineIndex(note.text)
    first, last = lines[0], min(lines[1], len(index))
    while last > first and not index.lines[last - 1].strip():
        last -= 1
    if not index.lines:
        return _plan(note, Edit(0, 0, text), what)
    start, end = index.byte_starts[first - 1], index.byte_starts[last]
    old = index.lines[last - 1]
    ending = old[len(old.rstrip("\r\n")) :]
    return _plan(note, Edit(start, end, text.strip("\r\n") + ending), what)


def _below(note: OpenNote, text: str, lines: tuple[int, int] | None) -> ApplyPlan:
    """A paragraph of its own behind `lines`, or at the end of the note."""
    index = LineIndex(note.text)
    last = min(lines[1], len(index)) if lines else len(index)
    while last > 0 and not index.lines[last - 1].strip():
        last -= 1
    at = index.byte_starts[last]
    if not last:
        return _plan(note, Edit(at, at, text), f"Add to {note.path}")
    before = "\n" if index.lines[last - 1].endswith(("\n", "\r")) else "\n\n"
    behind = "\n\n" if last < len(index) and index.lines[last].strip() else "\n"
    what = f"Insert below line {last} of {note.path}" if last < len(index) else f"Add to the end of {note.path}"
    return _plan(note, Edit(at, at, before + text.strip("\r\n") + behind), what)


def _named(lines: tuple[int, int], note: OpenNote) -> str:
    said = f"line {lines[0]}" if lines[0] == lines[1] else f"lines {lines[0]}-{lines[1]}"
    return f"Replace {said} of {note.path}"


def _plan(note: OpenNote, edit: Edit, what: str) -> ApplyPlan:
    """The edit, its lines ended as those of the note are."""
    break_ = _BREAK.search(note.text)
    text = _BREAK.sub(break_[0] if break_ else "\n", edit.text)
    return ApplyPlan(VaultEdit(edits={note.path: NoteEdit(note, (replace(edit, text=text),))}), what, edit.start)
