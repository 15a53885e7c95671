"""Notes, headings and tags by what they are called: by the whole name, its beginning, or words of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

from khoj_ls.core.types import Span
from khoj_ls.graph.tags import tagged
from khoj_ls.links.text import fold, name_key
from khoj_ls.search.words import phrase, words
from khoj_ls.store import navigation as store
from khoj_ls.store.fts import display_title

NamedKind = Literal["note", "alias", "heading", "tag"]

_MOST_TAGS = 5


@dataclass(frozen=True)
class Named:
    """Something with a name."""

    kind: NamedKind
    name: str
    """As it is written."""
    path: str
    file_id: int
    title: str
    """What its note is called."""
    span: Span | None = None
    """Where it stands; None for the note as a whole."""
    outline: tuple[str, ...] = ()
    """The headings above a heading."""
    entry: int = 0
    """Ordinal of the entry that a heading or tag stands in."""


def named(connection: sqlite3.Connection, query: str, limit: int) -> list[Named]:
    """What is called `query`, then what begins so, then what has a word that does; the shortest names first.

    `#` before the query asks for tags alone. Reads through indexes only, never a whole table.
    """
    asked = query.strip()
    if asked.startswith("#"):
        return _tags(connection, asked.lstrip("#"), limit)
    if not fold(asked):
        return []
    found = [*_notes(connection, asked, limit), *_headings(connection, asked, limit), *_tags(connection, asked, _MOST_TAGS)]
    unique = {(each.kind if each.kind == "tag" else "", each.path, each.span, fold(each.name)): each for each in found}
    order = {id(each): at for at, each in enumerate(unique.values())}
    return sorted(unique.values(), key=lambda each: (_fit(each.name, asked), len(each.name), order[id(each)]))[:limit]


def _fit(name: str, asked: str) -> int:
    """0 for the whole name, 1 for its beginning, 2 for words of it."""
    name, asked = fold(name), fold(asked)
    return 0 if name == asked else 1 if name.startswith(asked) else 2


def _notes(connection: sqlite3.Connection, asked: str, limit: int) -> list[Named]:
    rows = store.notes_beginning(connection, name_key(asked), limit * 2) if name_key(asked) else []
    if words(asked):
        rows += store.notes_matching(connection, "{title}: " + phrase(asked, prefix=True), limit)
    found = []
    for row in rows:
        shown, base = display_title(row.path, row.title), row.path.rpartition("/")[2]
        names: list[tuple[NamedKind, str]] = [("note", shown), *(("alias", alias) for alias in row.aliases)]
        fitting = [(kind, name) for kind, name in dict.fromkeys(names) if _has_word(name, asked)]
        # The file's name, where nothing else of it is called so.
        found += [Named(kind, name, row.path, row.file_id, shown) for kind, name in fitting or [("note", base)]]
    return found


def _headings(connection: sqlite3.Connection, asked: str, limit: int) -> list[Named]:
    # The index of anchors is by the very characters; the usual ways to write a heading are few.
    ways = dict.fromkeys((asked, asked[:1].upper() + asked[1:], asked.lower(), asked.title(), asked.upper()))
    rows = [row for way in ways for row in store.headings_beginning(connection, way, limit)]
    if words(asked):
        rows += store.headings_matching(connection, "{heading}: " + phrase(asked, prefix=True), limit * 2)
    # The words of the headings above count in the index, and are not this heading's name.
    return [
        Named(
            "heading",
            row.heading,
            row.path,
            row.file_id,
            display_title(row.path, row.title),
            row.span,
            row.outline,
            row.ordinal,
        )
        for row in rows
        if _has_word(row.heading, asked) and not (row.heading == row.title and not row.outline)
    ]


def _has_word(name: str, asked: str) -> bool:
    """Whether a word of `name` begins what `asked` says."""
    name, asked = fold(name), fold(asked)
    at = name.find(asked)
    while at > 0 and name[at - 1].isalnum() and asked[:1] < "\u2e80":
        at = name.find(asked, at + 1)
    return at >= 0


def _tags(connection: sqlite3.Connection, asked: str, limit: int) -> list[Named]:
    if not words(asked):
        return []
    begun = fold(asked)
    tags = store.tags_beginning(connection, "{body}: " + phrase(asked, prefix=True), 500)
    wanted = sorted({tag for tag in tags if fold(tag).startswith(begun)}, key=lambda tag: (len(tag), tag))
    found = []
    for tag in wanted[:limit]:
        for place in tagged(connection, tag, 1):
            span = Span(place.tag.start, place.tag.end, 0, 0)
            title = display_title(*store.titles(connection, [place.file_id])[place.file_id])
            found.append(Named("tag", "#" + tag, place.path, place.file_id, title, span, entry=place.entry))
    return found
