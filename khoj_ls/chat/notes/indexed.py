"""The notes of a vault as a chat gets them: sections from the index, what the user chose, and the pictures notes show."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from khoj_ls.chat.desk import Section
from khoj_ls.chat.notes.open_notes import open_sections, selected_text
from khoj_ls.chat.notes.pictures import pictures, read_picture
from khoj_ls.chat.notes.shown import shown_privately, wanted_by
from khoj_ls.chat.notes.ties import linked, near
from khoj_ls.chat.types import ContextItem
from khoj_ls.core.chat import Image
from khoj_ls.core.errors import UsageError
from khoj_ls.core.places import spanning
from khoj_ls.core.slash import Neighbours
from khoj_ls.core.text import text_lines
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import NoteReader
from khoj_ls.indexing.ignore import IgnoreRules
from khoj_ls.query import match
from khoj_ls.search.types import RelatedRequest, SearchResult
from khoj_ls.store.entries import placed
from khoj_ls.store.facets import tags_in_use
from khoj_ls.store.fts import SAID, display_title

MAX_CHARACTERS = 2_000_000
"""Of a folder or tag: more than any model reads at once. What is private counts too, so that none of it is waited for."""

_SECTION = (
    f"SELECT f.path, f.title, e.heading, e.outline, e.line, e.end_line, {SAID}, e.private OR f.private, e.place "
    "FROM file f JOIN entry e ON e.file_id = f.id WHERE f.status = 'indexed' AND "
)

Answer = TypeVar("Answer")


class AskLinks(Protocol):
    """Answers a question about the links and notes of a vault, within one snapshot of its index: `Vault.links`."""

    def __call__(self, question: Callable[[LinkNetwork], Answer], /) -> Answer:
        """What `question` makes of the network."""
        ...


class IndexedNotes:
    """The notes of one vault, as its index has them. Any thread may ask."""

    def __init__(
        self, rules: IgnoreRules, ask: AskLinks, reader: NoteReader, related: Callable[[RelatedRequest], SearchResult]
    ) -> None:
        """Read the index through `ask`, texts that are newer through `reader`; `rules` say what is left out, and private."""
        self._root = rules.root
        self._rules = rules
        self._ask = ask
        self._reader = reader
        self._related = related

    def section(self, path: str, line: int, column: int | None = None) -> Section | None:
        """The innermost section that holds the line (from 1), or the column of a line that is cut into pieces."""
        found = self._read("f.path = ? AND e.line <= ? AND e.end_line >= ? ORDER BY e.ordinal", path, line, line)
        pieces = [each for each in found if each.column]
        if not pieces:
            return found[-1] if found else None
        if column is None:
            return _cut(pieces, line, line)
        return next((each for each in reversed(pieces) if each.column <= column), pieces[0])

    def sections(self, path: str) -> Sequence[Section]:
        """All sections of a note, in order; empty where there is no such note."""
        return self._read("f.path = ? ORDER BY e.ordinal", path)

    def chosen(self, item: ContextItem) -> Sequence[Section]:
        """The sections that a context item means, up to MAX_CHARACTERS of them.

        Raises UsageError where there is no such note, folder or tag.
        """
        if item.kind == "folder":
            return self._folder(item.name)
        if item.kind == "tag":
            return self._tag(item.name)
        path = item.name.removeprefix("./")
        indexed = self.sections(path)
        if item.text is not None:
            return self._open(path, item, indexed)
        if not indexed:
            raise UsageError(f"there is no note {path} in the index")
        return indexed if item.kind == "note" or item.line is None else (_cut(indexed, item.line, item.end_line),)

    def images(self, path: str) -> Sequence[tuple[str, Image]]:
        """Pictures that a note shows, links or has attached; private where the section that does so is, or a rule says it."""
        wanted = self._ask(lambda network: list(wanted_by(network, self._root, path)))
        return list(pictures(self._rules, wanted))

    def picture(self, path: str) -> Image:
        """The picture at a path; private by rules, or as a private place shows, links or keeps it. Raises UsageError."""
        image = read_picture(self._rules, path)
        return replace(image, private=image.private or self._ask(lambda network: shown_privately(network, self._root, path)))

    def neighbours(self, path: str) -> Neighbours:
        """What the note at `path` is tied to by links and by meaning. Raises UsageError where there is no such note."""
        path = path.removeprefix("./")
        known = self._ask(lambda network: linked(network, path))
        return replace(known, related=tuple(near(self._related, path, known)))

    # -- inside --------------------------------------------------------------------------------------------------------

    def _read(self, where: str, *values: object) -> list[Section]:
        return self._ask(lambda network: list(_sections(network.connection, where, *values)))

    def _folder(self, name: str) -> list[Section]:
        folder = "/".join(part for part in name.split("/") if part not in ("", "."))
        # "0" is the character after "/".
        where, values = ("f.path > ? AND f.path < ?", (f"{folder}/", f"{folder}0")) if folder else ("?", (1,))
        found = self._read(f"{where} ORDER BY f.path, e.ordinal", *values)
        if not found:
            raise UsageError(f"there are no notes in {name or 'the vault'}: name a folder relative to the vault")
        return found

    def _tag(self, name: str) -> list[Section]:
        meant = match.tag(name)

        def tagged(network: LinkNetwork) -> list[Section]:
            tags = json.dumps([tag for tag in tags_in_use(network.connection) if meant(tag)])
            notes = json.dumps(
                [
                    file_id
                    for file_id, listed in network.connection.execute("SELECT id, tags FROM file WHERE tags <> '[]'")
                    if any(map(meant, json.loads(listed)))
                ]
            )
            where = (
                "(e.id IN (SELECT entry_id FROM entry_tag WHERE tag IN (SELECT value FROM json_each(?))) "
                "OR f.id IN (SELECT value FROM json_each(?))) ORDER BY f.path, e.ordinal"
            )
            return list(_sections(network.connection, where, tags, notes))

        found = self._ask(tagged)
        if not found:
            raise UsageError(f"no note has the tag {name}")
        return found

    def _open(self, path: str, item: ContextItem, indexed: Sequence[Section]) -> tuple[Section, ...]:
        """What an editor shows of a note: what rules, the index, or the text itself make private stays so."""
        decision = self._rules.by_rule(path)
        if decision is not None and decision.code == "outside":
            raise UsageError(f"{path} lies outside of the vault")
        private = self._is_private(path)
        true = self._led_to(path)
        if true != path:  # a symbolic link: what it shows may stand in a private note, or where no rule of the vault reaches
            indexed = [*indexed, *self.sections(true)] if true else indexed
            private = private or true is None or self._is_private(true)
        if item.kind == "note":
            note = self._reader.read(path, item.text or "")
            if note.parsed.entries:
                return open_sections(note, indexed, private=private)
        # What no processor reads, a program for one, has no sections.
        return (selected_text(path, item, indexed, self._reader, private=private),)

    def _led_to(self, path: str) -> str | None:
        """Where `path` leads, relative to the vault, links followed; None where that is outside."""
        try:
            return Path(os.path.realpath(self._root / path)).relative_to(os.path.realpath(self._root)).as_posix()
        except ValueError:
            return None

    def _is_private(self, path: str) -> bool:
        """Whether rules or the index have all of a file as private, or rules leave it out."""
        if self._rules.by_rule(path) is not None or self._rules.is_private(path):
            return True

        def question(network: LinkNetwork) -> bool:
            row = network.connection.execute("SELECT private FROM file WHERE path = ?", (path,)).fetchone()
            return row is not None and bool(row[0])

        return self._ask(question)


def _sections(connection: sqlite3.Connection, where: str, *values: object) -> Iterator[Section]:
    room = MAX_CHARACTERS
    for row in connection.execute(_SECTION + where, values):
        found = _section(row)
        room -= len(found.text)
        yield found
        if room <= 0:
            return


def _section(row: tuple[Any, ...]) -> Section:
    outline = (*json.loads(row[3]), *([row[2]] if row[2] else []))
    return Section(row[0], display_title(row[0], row[1]), outline, row[4], row[5], row[6], bool(row[7]), placed(row[8]))


def _cut(sections: Sequence[Section], line: int, end_line: int | None) -> Section:
    """The lines `line`..`end_line` of a note, private where any section is that they touch. Raises UsageError for none."""
    last = max(line, end_line or line)
    touched = [each for each in sections if each.line <= last and each.end_line >= line]
    if not touched:
        raise UsageError(f"{sections[0].path} has no line {line} in the index")
    parts = ["".join(text_lines(each.text)[max(0, line - each.line) : max(0, last - each.line) + 1]) for each in touched]
    text = (" " if touched[0].column else "").join(parts)
    first = touched[0]
    start, end = max(line, first.line), min(last, touched[-1].end_line)
    private, place = any(each.private for each in touched), spanning([each.place for each in touched])
    return Section(first.path, first.title, first.outline, start, end, text, private, place)
