"""A query as it was read, and the filters there are."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

FilterName = Literal["file", "path", "title", "heading", "type", "tag", "todo", "priority", "prop", "linksto", "dt"]


@dataclass(frozen=True)
class FilterKind:
    """One filter of the language, as docs/query.md and completion tell of it."""

    name: FilterName
    keeps: str
    """What it keeps, for people."""
    value: str
    """How its value is read, for people."""
    example: str


_KINDS = (
    FilterKind("file", "notes by file name", "part of the name; a glob; with a `/` part of the path", 'file:"*.org"'),
    FilterKind("path", "notes by path", "part of the path from the vault's root; a glob", "path:projects/"),
    FilterKind("title", "notes by title or alias", "part of it; with `*` all of it", 'title:"road map"'),
    FilterKind("heading", "sections by heading", "part of their heading, or of one above; with `*` all of it", "heading:fix"),
    FilterKind("type", "notes by format", "markdown, org or text; also md and txt", "type:org"),
    FilterKind("tag", "sections by tag, inherited or the note's own", "the tag; one above it in `a/b`; with `*`", "tag:work"),
    FilterKind("todo", "sections by state", "the state; `*` is any", "todo:WAITING"),
    FilterKind("priority", "sections by priority", "the priority; `*` is any", "priority:A"),
    FilterKind("prop", "sections by a property of theirs or of their note", "`name=value`, or `name`; `*`", "prop:effort=1:00"),
    FilterKind("linksto", "sections that link to a note", "its name, title, alias, path or id", 'linksto:"Road map"'),
    FilterKind("dt", "sections by date", "a day, week, month or year; after `:` `=` `<` `<=` `>` `>=`", 'dt>="last week"'),
)

FILTERS: MappingProxyType[str, FilterKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Every filter by name, in the order of the documentation."""


@dataclass(frozen=True)
class Filter:
    """Entries are kept, or left out, by something they are called: every filter but `prop` and `dt`."""

    name: FilterName
    value: str
    """As written, without quotes; never empty."""
    excluded: bool = False


@dataclass(frozen=True)
class PropertyFilter:
    """Entries that have a property, with some value or (None) with any."""

    property: str
    value: str | None
    excluded: bool = False
    name: Literal["prop"] = "prop"


@dataclass(frozen=True)
class DateFilter:
    """Entries with a date in [since, before), ISO days; None is open."""

    since: str | None
    before: str | None
    bounds: bool = False
    """Written with `<` or `>`: narrows what other filters by date allow, where those written with `:` or `=` add to it."""
    excluded: bool = False
    name: Literal["dt"] = "dt"


AnyFilter = Filter | PropertyFilter | DateFilter


@dataclass(frozen=True)
class Query:
    """A query as it was read."""

    text: str
    """What is looked for: the query without quote marks, without filters and what must not occur. This is embedded."""
    required: tuple[str, ...] = ()
    """Phrases that must occur."""
    excluded: tuple[str, ...] = ()
    """Phrases that must not occur."""
    filters: tuple[AnyFilter, ...] = ()
    """What else a hit must be, in the order written."""

    @property
    def exact(self) -> bool:
        """Whether every hit has to be checked against its text."""
        return bool(self.required or self.excluded)
