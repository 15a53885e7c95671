"""What an index holds, without what differs from one building to the next (ids, times): to compare two of the same notes.

SQLite keeps no checksums of its pages, so a text in which a bit has changed is found in this way alone.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "file": "SELECT path, type, size, content_hash, title, status, origin, private, aliases, tags, properties, dates, "
        "problems, reader FROM file",
        "entry": "SELECT f.path, e.ordinal, e.parent, e.level, e.heading, e.outline, e.start_byte, e.end_byte, e.line, "
        "e.end_line, e.raw, e.text, e.blocks, e.todo, e.priority, e.tags, e.properties, e.dates, e.private, e.hash, e.place "
        "FROM entry e LEFT JOIN file f ON f.id = e.file_id",
        "entry_tag": "SELECT t.tag, f.path, e.ordinal FROM entry_tag t LEFT JOIN entry e ON e.id = t.entry_id "
        "LEFT JOIN file f ON f.id = e.file_id",
        "entry_day": "SELECT d.start, d.finish, f.path, e.ordinal, e.file_id = d.file_id FROM entry_day d "
        "LEFT JOIN entry e ON e.id = d.entry_id LEFT JOIN file f ON f.id = e.file_id",
        "link": "SELECT f.path, l.entry, l.kind, l.target, l.label, l.start_byte, l.end_byte, l.line, l.end_line, l.key "
        "FROM link l LEFT JOIN file f ON f.id = l.file_id",
        "name": "SELECT f.path, n.key, n.full, n.source FROM name n LEFT JOIN file f ON f.id = n.file_id",
        "anchor": "SELECT f.path, a.entry, a.kind, a.name, a.start_byte, a.end_byte, a.line, a.end_line FROM anchor a "
        "LEFT JOIN file f ON f.id = a.file_id",
        "entry_fts": "SELECT w.term, f.path, e.ordinal, w.col, w.offset FROM temp.entry_words w "
        "LEFT JOIN entry e ON e.id = w.doc LEFT JOIN file f ON f.id = e.file_id",
        "file_fts": "SELECT w.term, f.path, w.col, w.offset FROM temp.file_words w LEFT JOIN file f ON f.id = w.doc",
    }
)
"""What is made from the notes without a model: a query by table. Rows that belong to nothing have nulls where that would be."""

MEANING: Mapping[str, str] = MappingProxyType(
    {
        "chunk": "SELECT f.path, k.key, c.ordinal, c.entry, c.last_entry, c.hash, c.start_byte, c.end_byte, c.line, "
        "c.end_line, c.tokens, c.private FROM chunk c LEFT JOIN file f ON f.id = c.file_id "
        "LEFT JOIN chunker k ON k.id = c.chunker_id",
        "chunked": "SELECT f.path, k.key FROM chunked c LEFT JOIN file f ON f.id = c.file_id "
        "LEFT JOIN chunker k ON k.id = c.chunker_id",
        "embedding": "SELECT DISTINCT m.key, v.hash FROM embedding v JOIN model m ON m.id = v.model_id "
        "JOIN chunk c ON c.hash = v.hash",
        "pending": "SELECT DISTINCT m.key, p.hash FROM pending p JOIN model m ON m.id = p.model_id "
        "JOIN chunk c ON c.hash = p.hash",
        "active model": "SELECT value FROM meta WHERE key = 'active_model'",
    }
)
"""What a model adds, but for the numbers of the vectors: they depend on which texts were computed together."""


def rows(connection: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Rows of one of the queries above, in no order."""
    for name in ("entry", "file"):
        connection.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{name}_words USING fts5vocab(main, {name}_fts, instance)")
    yield from connection.execute(query)


def digests(connection: sqlite3.Connection, tables: Mapping[str, str] = TABLES) -> dict[str, int]:
    """A number for what each table holds: equal where the rows are, whatever their order. Reads everything."""
    return {name: sum(map(_digest, rows(connection, query))) for name, query in tables.items()}


def _digest(row: tuple[Any, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
