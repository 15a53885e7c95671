"""Notes with every field that a filter may ask about, stored as the indexer stores them, and read without SQL by an oracle."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from khoj_ls.core.types import Entry, EntryDate, Link, ParsedFile, Span
from khoj_ls.links.names import link_key, stored_names
from khoj_ls.query.types import AnyFilter, DateFilter, Filter, PropertyFilter
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, Naming, content_hash, replace_file

NAMING = Naming(stored_names, link_key)


@dataclass(frozen=True)
class Section:
    """An entry; `links` are wikilinks."""

    heading: str = ""
    body: str = "text"
    outline: tuple[str, ...] = ()
    todo: str | None = None
    priority: str | None = None
    tags: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    dates: tuple[str | tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()

    def entry(self, at: int) -> Entry:
        span = Span(at * 100, at * 100 + 50, at + 1, at + 1)
        level = len(self.outline) + 1 if self.heading else 0
        dates = tuple(EntryDate("content", *([each] if isinstance(each, str) else each)) for each in self.dates)
        links = tuple(Link("wikilink", target, None, span) for target in self.links)
        raw = f"{self.heading}\n{self.body}\n"
        return Entry(
            span, level, self.heading, self.outline, None, raw, f"\n{self.body}\n", (1,), self.todo, self.priority, self.tags,
            self.properties, dates, (), links,
        )  # fmt: skip


@dataclass(frozen=True)
class Note:
    path: str
    sections: tuple[Section, ...]
    type: str = "markdown"
    title: str | None = None
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    dates: tuple[str, ...] = ()
    changed: str = "2001-01-01"


@dataclass
class Stored:
    """Notes in a database; an entry is called by its note's letter (in the order put) and its ordinal: `a0`."""

    database: Database
    notes: dict[str, Note] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    """Row id by the name of an entry."""

    def put(self, *notes: Note) -> Stored:
        with self.database.write() as connection:
            for note in notes:
                letter = next((known for known, other in self.notes.items() if other.path == note.path), None)
                self.notes[letter or chr(ord("a") + len(self.notes))] = note
                entries = tuple(section.entry(at) for at, section in enumerate(note.sections))
                dates = tuple(EntryDate("note", day) for day in note.dates)
                parsed = ParsedFile(note.type, note.title, entries, note.aliases, note.tags, note.properties, dates)
                mtime = int((datetime.fromisoformat(note.changed) + timedelta(hours=12)).timestamp()) * 10**9
                stat = FileStat(note.path, 1, mtime, 1, 1)
                replace_file(connection, stat, content_hash(repr(note).encode()), parsed, naming=NAMING)
            self.ids.clear()
            for letter, note in self.notes.items():
                rows = connection.execute(
                    "SELECT e.ordinal, e.id FROM entry e JOIN file f ON f.id = e.file_id WHERE f.path = ?", (note.path,)
                )
                self.ids.update((f"{letter}{ordinal}", row) for ordinal, row in rows)
        return self

    def expected(self, filters: Sequence[AnyFilter]) -> set[str]:
        """The entries that filters let through, as the oracle has it."""
        return {
            f"{letter}{at}"
            for letter, note in self.notes.items()
            for at, section in enumerate(note.sections)
            if passes(note, section, filters)
        }


# -- the oracle: the page on the language, word for word, with nothing shared but the parsed query ----------------------


def passes(note: Note, section: Section, filters: Sequence[AnyFilter]) -> bool:
    for name in {each.name for each in filters}:
        group = [each for each in filters if each.name == name]
        kept = [each for each in group if not each.excluded]
        if name == "dt":
            if kept and not by_date(note, section, kept):
                return False
        elif kept and not any(holds(note, section, each) for each in kept):
            return False
        if any(
            (by_date(note, section, [each]) if name == "dt" else holds(note, section, each)) for each in group if each.excluded
        ):
            return False
    return True


def holds(note: Note, section: Section, asked: Filter | PropertyFilter) -> bool:
    if isinstance(asked, PropertyFilter):
        return any(
            alike(name, asked.property) and (asked.value is None or any(alike(each, asked.value) for each in spelled(value)))
            for name, value in (*section.properties, *note.properties)
        )
    value = asked.value
    wild = "*" in value
    if asked.name == "tag":
        wanted = value.strip("#:")
        return any(
            alike(tag, wanted) or (not wild and tag.casefold().startswith(wanted.casefold() + "/"))
            for tag in (*section.tags, *note.tags)
        )
    if asked.name in ("todo", "priority"):
        own = section.todo if asked.name == "todo" else section.priority
        return own is not None and alike(own, value)
    if asked.name == "type":
        return alike(note.type, {"md": "markdown", "txt": "text"}.get(value, value))
    if asked.name == "heading":
        headings = [each for each in (section.heading, *section.outline) if each]
        return any(alike(each, value) if wild else value.casefold() in each.casefold() for each in headings)
    if asked.name == "title":
        titles = (note.title or note.path.rpartition("/")[2].rpartition(".")[0], *note.aliases)
        return any(alike(each, value) if wild else value.casefold() in each.casefold() for each in titles)
    if asked.name == "linksto":
        raise NotImplementedError("told by a table")
    path, wanted = note.path.casefold(), value.casefold()
    if asked.name == "file" and "/" not in value:
        path = path.rpartition("/")[2]
        return fnmatch.fnmatchcase(path, wanted) if wild else wanted in path
    return fnmatch.fnmatchcase(path, wanted) if wild else wanted in f"/{path}"


def by_date(note: Note, section: Section, kept: Sequence[DateFilter]) -> bool:
    days = [each for each in kept if not each.bounds]
    bounds = [each for each in kept if each.bounds]

    def within(start: str, end: str, asked: DateFilter) -> bool:
        return (asked.before is None or start < asked.before) and (asked.since is None or end >= asked.since)

    for each in dates_of(note, section):
        start, end = (each, each) if isinstance(each, str) else each
        # Day by day: a time that lasts counts where one of its days does.
        last = date.fromisoformat(end[:10])
        day = date.fromisoformat(start[:10])
        while day <= last:
            iso = day.isoformat()
            if all(within(iso, iso, bound) for bound in bounds) and (not days or any(within(iso, iso, one) for one in days)):
                return True
            day += timedelta(days=1)
    return False


def dates_of(note: Note, section: Section) -> list[str | tuple[str, str]]:
    named = re.findall(r"(20\d\d)[-_/]?(\d\d)[-_/]?(\d\d)", note.path)
    of_note = [*note.dates, *("-".join(parts) for parts in named[-1:])]
    own = [*section.dates, *re.findall(r"20\d\d-\d\d-\d\d", " ".join((section.heading, *section.outline)))]
    anywhere = of_note or any(
        other.dates or re.search(r"20\d\d-\d\d-\d\d", str((other.heading, other.outline))) for other in note.sections
    )
    return [*own, *of_note] if anywhere else [note.changed]


def alike(text: str, wanted: str) -> bool:
    pieces = (re.escape(piece) for piece in wanted.casefold().split("*"))
    return re.fullmatch(".*".join(pieces), text.casefold(), re.DOTALL) is not None


def spelled(value: str) -> list[str]:
    return [value, *re.findall(r'"([^"]*)"', value)] if value.startswith('["') else [value]
