"""What an editor shows of a note, which may be newer than the index, as sections: nothing private becomes public by it."""

from __future__ import annotations

from collections.abc import Sequence

from khoj_ls.chat.desk import Section
from khoj_ls.chat.types import ContextItem
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import CODED_TYPES
from khoj_ls.graph.open_note import NoteReader, OpenNote
from khoj_ls.store.fts import display_title

_TELLING = 12
"""A line of fewer characters, without blanks at its ends, may stand anywhere."""


def open_sections(note: OpenNote, indexed: Sequence[Section], *, private: bool) -> tuple[Section, ...]:
    """The sections of a note as its editor has it; all private with `private`, else those that say so or hold private lines."""
    title = display_title(note.path, note.parsed.title)
    secret = _private_lines(indexed)
    private = private or note.parsed.private
    coded = note.parsed.type in CODED_TYPES
    return tuple(
        Section(
            note.path,
            title,
            (*entry.outline, *([entry.heading] if entry.heading else [])),
            entry.span.line,
            entry.span.end_line,
            entry.text if coded else entry.raw,
            private or entry.private or _holds(entry.raw, secret, coded=coded),
        )
        for entry in note.parsed.entries
    )


def selected_text(path: str, item: ContextItem, indexed: Sequence[Section], reader: NoteReader, *, private: bool) -> Section:
    """What is selected in an editor.

    It is private with `private`; where the lines touch a section that the index has as private, or any of it holds a line of
    one (the text may have moved since it was indexed); and where the text itself says so.
    """
    text = item.text or ""
    line = item.line or 1
    end_line = max(line, item.end_line or line + max(0, len(text_lines(text)) - 1))
    touched = [each for each in indexed if each.line <= end_line and each.end_line >= line]
    said = reader.read(path, text).parsed
    private = (
        private
        or said.private
        or any(entry.private for entry in said.entries)
        or any(each.private for each in touched)
        or _holds(text, _private_lines(indexed), coded=said.type in CODED_TYPES)
    )
    title = indexed[0].title if indexed else display_title(path, None)
    return Section(path, title, touched[0].outline if touched else (), line, end_line, text, private)


def _private_lines(indexed: Sequence[Section]) -> frozenset[str]:
    lines = (line.strip() for each in indexed if each.private for line in text_lines(each.text))
    return frozenset(line for line in lines if len(line) >= _TELLING)


def _holds(text: str, lines: frozenset[str], *, coded: bool) -> bool:
    """Whether the source `text` has any of `lines`; where it is `coded`, these are as people read them, within its own."""
    if coded:
        return any(line in text for line in lines)
    return bool(lines) and any(line.strip() in lines for line in text_lines(text))
