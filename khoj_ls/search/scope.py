"""What a search is confined to: the entries that pass its filters, its paths and the words of its phrases."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from khoj_ls.links.conventions import PLAIN, Conventions
from khoj_ls.query.types import AnyFilter, Query
from khoj_ls.search.filters.cache import ScopeCache
from khoj_ls.search.filters.compile import Index, allowed, kept
from khoj_ls.search.filters.layout import Layout
from khoj_ls.search.filters.rows import RowSet, rows_of
from khoj_ls.search.words import phrase, words


@dataclass(frozen=True)
class Scope:
    """Entries that may be hits, and their notes. No scope at all means every entry."""

    rows: RowSet
    """The entries. Hand its `mask` to SQLite; `in` and `len` are fast, however many they are."""
    notes: RowSet
    """The notes that hold some of them."""
    share: float
    """How much of all entries that is, 0..1."""

    @cached_property
    def entries(self) -> frozenset[int]:
        """The entries one by one."""
        return frozenset(self.rows)

    @cached_property
    def files(self) -> frozenset[int]:
        """The notes one by one."""
        return frozenset(self.notes)


def scope_of(
    connection: sqlite3.Connection,
    query: Query,
    paths: Sequence[str] | None,
    cache: ScopeCache | None = None,
    conventions: Conventions = PLAIN,
) -> Scope | None:
    """The entries of `paths` that pass the query's filters and may hold its phrases; None when nothing is ruled out.

    Hand the same `cache` to every search of a vault. `conventions` decide what `linksto:` leads to; without them a link that
    may mean several notes counts for each.
    The word index knows stems, not letters: whether a phrase occurs exactly so is checked on each hit (`phrases.occurs`).
    """
    if paths is None and not query.filters and not query.required:
        return None
    known = cache or ScopeCache()
    asked = (query.filters, query.required, None if paths is None else tuple(paths), conventions)
    return known.remembered(connection, asked, lambda: _scope(connection, query, paths, known, conventions))


def _scope(
    connection: sqlite3.Connection, query: Query, paths: Sequence[str] | None, cache: ScopeCache, conventions: Conventions
) -> Scope:
    layout = cache.layout(connection)
    index = Index(connection, layout, conventions)

    def ask(filters: tuple[AnyFilter, ...]) -> RowSet:
        return cache.remembered(connection, (filters, conventions), lambda: kept(index, filters))

    rows = allowed(layout.everything, query.filters, ask)
    if paths is not None:
        rows = rows.both(_under(connection, layout, paths))
    for required in query.required:
        rows = rows.both(cache.remembered(connection, required, partial(_holding, connection, required)))
    return Scope(rows, layout.files_of(rows), len(rows) / max(1, len(layout.everything)))


def _under(connection: sqlite3.Connection, layout: Layout, paths: Sequence[str]) -> RowSet:
    """The entries of notes and folders."""
    files: set[int] = set()
    for path in paths:
        folder = path.rstrip("/")
        found = connection.execute(
            "SELECT id FROM file WHERE path = ? OR (path >= ? AND path < ?)",
            # "0" is the character after "/": the range holds what lies in the folder.
            (folder, f"{folder}/", f"{folder}0") if folder not in {"", "."} else ("", "", "\U0010ffff"),
        )
        files.update(row[0] for row in found)
    return layout.entries_of(files)


def _holding(connection: sqlite3.Connection, required: str) -> RowSet:
    """The entries that may hold a phrase: those with its words side by side."""
    if words(required):
        return rows_of(connection, "SELECT rowid FROM entry_fts WHERE entry_fts MATCH ?", (phrase(required),))
    # Signs alone (`->`) are in no word index.
    return rows_of(connection, "SELECT id FROM entry WHERE instr(raw, ?)", (required.split()[0],))
