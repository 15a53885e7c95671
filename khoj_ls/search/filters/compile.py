"""From filters to the entries they keep. Values of one filter are alternatives; different filters must all hold."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import msgspec

from khoj_ls.links.conventions import Conventions
from khoj_ls.query import match
from khoj_ls.query.types import AnyFilter, DateFilter, Filter, PropertyFilter
from khoj_ls.search.filters.dates import dated
from khoj_ls.search.filters.layout import Layout
from khoj_ls.search.filters.links import linking
from khoj_ls.search.filters.rows import NO_ROWS, RowSet, rows_of
from khoj_ls.store.facets import tags_in_use
from khoj_ls.store.fts import display_title

_WORD = re.compile(r"[a-z0-9]+")
_HEADED_BY_ASCII = (
    "FROM entry INDEXED BY idx_entry_heading WHERE heading LIKE :part OR (outline <> '[]' AND outline LIKE :part)"
)
_HEADINGS_NOT_ASCII = (
    "SELECT id, heading, outline FROM entry WHERE length(CAST(outline || heading AS BLOB)) <> length(outline || heading)"
)
_decoded = msgspec.json.Decoder(list[str]).decode
_TYPES = MappingProxyType({"md": "markdown", "txt": "text", "plaintext": "text"})


@dataclass(frozen=True)
class Index:
    """What filters are asked of: one state of the index."""

    connection: sqlite3.Connection
    layout: Layout
    conventions: Conventions


Ask = Callable[[tuple[AnyFilter, ...]], RowSet]
"""What `kept` answers for some filters; it may be remembered."""


def allowed(everything: RowSet, filters: Iterable[AnyFilter], ask: Ask) -> RowSet:
    """The entries that all `filters` together let through."""
    asked = list(filters)
    rows = everything
    for group in _groups(each for each in asked if not each.excluded):
        rows = rows.both(_any(group, ask))
    for each in asked:
        if each.excluded:
            rows = rows.without(ask((each,)))
    return rows


def kept(index: Index, filters: tuple[AnyFilter, ...]) -> RowSet:
    """The entries that one filter keeps, or that several by date keep together; excluded ones as if they were not."""
    first = filters[0]
    if isinstance(first, DateFilter):
        return dated(index.connection, index.layout, [each for each in filters if isinstance(each, DateFilter)])
    if isinstance(first, PropertyFilter):
        return _with_property(index, first)
    return _KEPT[first.name](index, first)


def _groups(filters: Iterable[AnyFilter]) -> Iterable[list[AnyFilter]]:
    groups: dict[str, list[AnyFilter]] = {}
    for each in filters:
        groups.setdefault(each.name, []).append(each)
    return groups.values()


def _any(group: Sequence[AnyFilter], ask: Ask) -> RowSet:
    if isinstance(group[0], DateFilter):
        return ask(tuple(group))
    rows = NO_ROWS
    for each in group:
        rows = rows.either(ask((each,)))
    return rows


# -- filters on notes --------------------------------------------------------------------------------------------------


def _notes_by_path(matcher: Callable[[str], match.Matcher]) -> Callable[[Index, Filter], RowSet]:
    def by_path(index: Index, asked: Filter) -> RowSet:
        meant = matcher(asked.value)
        rows = index.connection.execute("SELECT id, path FROM file")
        return index.layout.entries_of({file_id for file_id, path in rows if meant(path)})

    return by_path


def _with_title(index: Index, asked: Filter) -> RowSet:
    meant = match.part(asked.value)
    rows = index.connection.execute("SELECT id, path, title, aliases FROM file")
    return index.layout.entries_of(
        {
            file_id
            for file_id, path, title, aliases in rows
            if meant(display_title(path, title)) or any(meant(alias) for alias in _strings(aliases))
        }
    )


def _of_type(index: Index, asked: Filter) -> RowSet:
    value = match.fold(asked.value)
    # Of tens of thousands of notes there are a dozen types.
    meant = cache(match.whole(_TYPES.get(value, value)))
    rows = index.connection.execute("SELECT id, type FROM file")
    return index.layout.entries_of({file_id for file_id, type_ in rows if meant(type_)})


# -- filters on entries ------------------------------------------------------------------------------------------------


def _with_heading(index: Index, asked: Filter) -> RowSet:
    meant, folded = match.part(asked.value), match.fold(asked.value)
    likely = _likely_headings(index.connection, folded)
    found: list[int] = []
    if _WORD.fullmatch(folded):
        # Of one plain word SQLite knows as much: not a heading need be looked at here.
        found = [row for (row,) in index.connection.execute(f"SELECT id {_HEADED_BY_ASCII}", {"part": f"%{folded}%"})]
        likely = iter(index.connection.execute(_HEADINGS_NOT_ASCII))
    known = {"[]": False}
    for row, heading, outline in likely:
        if outline not in known:
            known[outline] = any(meant(above) for above in _strings(outline))
        if known[outline] or (heading and meant(heading)):
            found.append(row)
    return RowSet.of(found)


def _likely_headings(connection: sqlite3.Connection, folded: str) -> Iterator[tuple[int, str, str]]:
    """Entries whose heading, or one above, may hold a value as it is compared; some come twice.

    They are looked up by its longest word, as SQLite folds ASCII letters; headings with others have an index of their own.
    """
    if folded.isascii():
        word = max(_WORD.findall(folded), key=len, default="")
        yield from connection.execute(f"SELECT id, heading, outline {_HEADED_BY_ASCII}", {"part": f"%{word}%"})
    yield from connection.execute(_HEADINGS_NOT_ASCII)


def _tagged(index: Index, asked: Filter) -> RowSet:
    meant = match.tag(asked.value)
    tags = [tag for tag in tags_in_use(index.connection) if meant(tag)]
    own = rows_of(
        index.connection, "SELECT entry_id FROM entry_tag WHERE tag IN (SELECT value FROM json_each(?))", (json.dumps(tags),)
    )
    return own.either(_by_note(index, "tags", lambda listed: any(map(meant, _strings(listed)))))


def _with_state(index: Index, asked: Filter) -> RowSet:
    return _by_value(index, "todo", "todo IS NOT NULL", match.whole(asked.value))


def _with_priority(index: Index, asked: Filter) -> RowSet:
    return _by_value(index, "priority", "priority IS NOT NULL", match.whole(asked.value.strip("[#]")))


def _with_property(index: Index, asked: PropertyFilter) -> RowSet:
    named = match.whole(asked.property)
    meant = match.whole(asked.value) if asked.value is not None else None

    def among(properties: str) -> bool:
        return any(named(name) and (meant is None or any(map(meant, _values(value)))) for name, value in json.loads(properties))

    return _by_value(index, "properties", "properties <> '[]'", among).either(_by_note(index, "properties", among))


def _linking(index: Index, asked: Filter) -> RowSet:
    return linking(index.connection, asked.value, index.conventions)


_KEPT: MappingProxyType[str, Callable[[Index, Filter], RowSet]] = MappingProxyType(
    {
        "file": _notes_by_path(match.file_name),
        "path": _notes_by_path(match.path),
        "title": _with_title,
        "type": _of_type,
        "heading": _with_heading,
        "tag": _tagged,
        "todo": _with_state,
        "priority": _with_priority,
        "linksto": _linking,
    }
)


def _by_value(index: Index, column: str, there: str, meant: match.Matcher) -> RowSet:
    """Entries by the value of a column, each of which is looked at once. There is an index of the rows that have one."""
    found: list[int] = []
    known: dict[str, bool] = {}
    for value, row in index.connection.execute(f"SELECT {column}, id FROM entry WHERE {there}"):
        if value not in known:
            known[value] = meant(value)
        if known[value]:
            found.append(row)
    return RowSet.of(found)


def _by_note(index: Index, column: str, meant: match.Matcher) -> RowSet:
    """Entries of the notes whose own column says so."""
    rows = index.connection.execute(f"SELECT id, {column} FROM file WHERE {column} <> '[]'")
    files = {file_id for file_id, value in rows if meant(value)}
    return index.layout.entries_of(files) if files else NO_ROWS


def _strings(text: str | None) -> list[str]:
    return _decoded(text or "[]")


def _values(value: str) -> list[str]:
    """What a property says: its value, and the items of one that is a list."""
    if not value.startswith("["):
        return [value]
    try:
        items = json.loads(value)
    except ValueError:  # `[[a link]]`
        return [value]
    return [value, *(str(item) for item in items if isinstance(item, (str, int, float)))]
