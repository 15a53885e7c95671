"""Files and what was found in them: one call replaces one file's rows, diffed by entry hash, in the caller's transaction."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from khoj_ls.core.types import Entry, Link, ParsedFile, Problem, Span
from khoj_ls.store import fts

Origin = Literal["disk", "buffer"]

_BY_RULE = 2
"""In the column `private` of a file, beside 1 for what the note says of itself."""


@dataclass(frozen=True)
class FileStat:
    """What the file system says about a file: enough to know that it has not changed."""

    path: str
    """Relative to the vault, posix."""
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True)
class FileRow:
    """A file as the store knows it."""

    id: int
    stat: FileStat
    content_hash: bytes
    status: str
    origin: Origin
    problems: tuple[Problem, ...]
    private: bool = False
    """Whether a rule of the vault makes it private, whatever it says of itself."""
    reader: str = ""
    """What read it; empty where that was not noted."""
    indexed_at: float = 0.0
    """When it was read last, as `time.time()` tells it."""

    @property
    def failure(self) -> str | None:
        """Why the file is not indexed, when it is not."""
        return "; ".join(problem.message for problem in self.problems) if self.status == "failed" else None


NameValues = tuple[str, str, str]
"""Key, full name and source of one name of a note."""


@dataclass(frozen=True)
class Naming:
    """How links name notes: the rules are not the store's, what they come to is stored."""

    names: Callable[
        [str, str | None, Iterable[str], Iterable[tuple[str, str]], Iterable[str]],
        Iterable[NameValues],
    ]
    """All names of a note, from its path, title, aliases, properties, and the ids in it."""
    key: Callable[[Link, str], str | None]
    """The key of a link in a note of some type; None where it leads to no other note."""


NAMELESS = Naming(lambda *_: (), lambda *_: None)
"""For an index that needs no links."""


def content_hash(data: bytes) -> bytes:
    """Hash that names a file's content."""
    return hashlib.blake2b(data, digest_size=16).digest()


def file_rows(connection: sqlite3.Connection, paths: Sequence[str] | None = None) -> dict[str, FileRow]:
    """All known files by path, or those of `paths`."""
    sql = (
        "SELECT id, path, size, mtime_ns, ctime_ns, inode, content_hash, status, origin, problems, private, reader, indexed_at "
    )
    sql += "FROM file"
    if paths is not None:
        sql += " WHERE path IN (SELECT value FROM json_each(?))"
    rows = connection.execute(sql, (json.dumps(paths),) if paths is not None else ())
    found = {}
    for row in rows:
        stat, by_rule = FileStat(*row[1:6]), bool(row[10] & _BY_RULE)
        found[stat.path] = FileRow(row[0], stat, row[6], row[7], row[8], _problems(row[9]), by_rule, *row[11:])
    return found


def replace_file(
    connection: sqlite3.Connection,
    stat: FileStat,
    digest: bytes,
    parsed: ParsedFile,
    *,
    origin: Origin = "disk",
    naming: Naming = NAMELESS,
    private: bool = False,
    reader: str = "",
) -> int:
    """Store what was parsed from the file at `stat.path`, replacing what was known; returns the file's id.

    With `private` a rule of the vault makes all of it private, whatever it says of itself. `reader` names what read it.

    Entries whose hash is unchanged keep their row and their words. Chunks of the file are dropped when anything in it changed:
    the chunker cuts it anew, and equal texts find their vectors again.
    """
    known = connection.execute("SELECT id, path, title, aliases, tags FROM file WHERE path = ?", (stat.path,)).fetchone()
    if private or parsed.private:
        parsed = replace(parsed, entries=tuple(replace(entry, private=True) for entry in parsed.entries))
    failed = any(problem.severity == "error" for problem in parsed.problems)
    values = {
        "type": parsed.type,
        "title": parsed.title,
        "status": "failed" if failed else "indexed",
        "private": int(parsed.private) | (_BY_RULE if private else 0),
        "aliases": _json(parsed.aliases),
        "tags": _json(parsed.tags),
        "properties": _json(parsed.properties),
        "dates": _json(parsed.dates),
        "problems": _json(parsed.problems),
        "indexed_at": time.time(),
        "content_hash": digest,
        "origin": origin,
        "reader": reader,
        "words": _drawn(),
        **_stat_values(stat),
    }
    if known is None:
        columns = ", ".join(["path", *values])
        marks = ", ".join("?" * (len(values) + 1))
        cursor = connection.execute(f"INSERT INTO file ({columns}) VALUES ({marks})", (stat.path, *values.values()))
        file_id = int(cursor.lastrowid or 0)
    else:
        file_id = known[0]
        fts.drop_file(connection, fts.stored_file_words(connection, file_id))
    old_words = fts.stored_entry_words(connection, file_id) if known else []
    if known:
        assignments = ", ".join(f"{name} = ?" for name in values)
        connection.execute(f"UPDATE file SET {assignments} WHERE id = ?", (*values.values(), file_id))
    # A new title changes the words of every entry, though not its hash.
    retitled = known is not None and fts.display_title(stat.path, known[2]) != fts.display_title(stat.path, parsed.title)
    _replace_entries(connection, file_id, stat.path, parsed, old_words, rewrite=retitled)
    _replace_links(connection, file_id, parsed, naming)
    _replace_names(connection, file_id, naming)
    fts.add_file(connection, fts.stored_file_words(connection, file_id))
    forget_chunks(connection, file_id)
    return file_id


def touch_file(connection: sqlite3.Connection, file_id: int, stat: FileStat, *, origin: Origin = "disk") -> None:
    """Take note of a new stat of a file whose content is what it was."""
    values = {**_stat_values(stat), "origin": origin}
    assignments = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE file SET {assignments} WHERE id = ?", (*values.values(), file_id))


def move_file(connection: sqlite3.Connection, file_id: int, stat: FileStat, *, naming: Naming = NAMELESS) -> None:
    """Give a file a new path, keeping its entries, chunks and vectors; only words and names that come from the path change."""
    words = fts.stored_entry_words(connection, file_id)
    fts.drop_file(connection, fts.stored_file_words(connection, file_id))
    connection.execute("UPDATE file SET path = ?, words = ? WHERE id = ?", (stat.path, _drawn(), file_id))
    touch_file(connection, file_id, stat)
    _replace_names(connection, file_id, naming)
    fts.add_file(connection, fts.stored_file_words(connection, file_id))
    renamed = fts.stored_entry_words(connection, file_id)
    if renamed != words:
        fts.drop_entries(connection, words)
        fts.add_entries(connection, renamed)


def remove_file(connection: sqlite3.Connection, file_id: int) -> None:
    """Forget a file and everything found in it; its vectors stay for an undo until they are purged."""
    fts.drop_entries(connection, fts.stored_entry_words(connection, file_id))
    fts.drop_file(connection, fts.stored_file_words(connection, file_id))
    forget_chunks(connection, file_id)
    for table in ("entry", "link", "anchor", "name"):
        connection.execute(f"DELETE FROM {table} WHERE file_id = ?", (file_id,))
    connection.execute("DELETE FROM file WHERE id = ?", (file_id,))


def forget_chunks(connection: sqlite3.Connection, file_id: int) -> None:
    """Drop the chunks of a file, for every chunker."""
    connection.execute("DELETE FROM chunk WHERE file_id = ?", (file_id,))
    connection.execute("DELETE FROM chunked WHERE file_id = ?", (file_id,))


def entry_hash(entry: Entry) -> bytes:
    """Hash of all that an entry says, leaving out where it stands, so that a moved entry is known again."""
    said = (
        entry.level, entry.heading, entry.outline, entry.raw, entry.text, entry.blocks, entry.todo, entry.priority, entry.tags,
        entry.properties, entry.dates, entry.private,
    )  # fmt: skip
    return hashlib.blake2b(msgspec.msgpack.encode(said), digest_size=16).digest()


def _replace_entries(
    connection: sqlite3.Connection,
    file_id: int,
    path: str,
    parsed: ParsedFile,
    old_words: Sequence[fts.EntryWords],
    *,
    rewrite: bool,
) -> None:
    words_of = {words[0]: words for words in old_words}
    reusable: dict[bytes, list[int]] = defaultdict(list)
    for entry_id, digest in connection.execute(
        "SELECT id, hash FROM entry WHERE file_id = ? ORDER BY ordinal DESC", (file_id,)
    ):
        reusable[digest].append(entry_id)
    moved: list[tuple[object, ...]] = []
    added: list[tuple[int, Entry, bytes]] = []
    for ordinal, entry in enumerate(parsed.entries):
        digest = entry_hash(entry)
        if reusable[digest]:
            span = entry.span
            entry_id = reusable[digest].pop()
            moved.append((ordinal, entry.parent, *_place(span), _placed(entry), entry_id))
        else:
            added.append((ordinal, entry, digest))
    gone = [entry_id for entry_ids in reusable.values() for entry_id in entry_ids]
    dropped = words_of if rewrite else gone
    fts.drop_entries(connection, (words_of[entry_id] for entry_id in dropped))
    connection.executemany("DELETE FROM entry WHERE id = ?", ((entry_id,) for entry_id in gone))
    connection.executemany(
        "UPDATE entry SET ordinal = ?, parent = ?, start_byte = ?, end_byte = ?, line = ?, end_line = ?, place = ? "
        "WHERE id = ?",
        moved,
    )
    new_ids = [_insert_entry(connection, file_id, ordinal, entry, digest) for ordinal, entry, digest in added]
    stored = fts.stored_entry_words(connection, file_id)
    fts.add_entries(connection, stored if rewrite else [words for words in stored if words[0] in set(new_ids)])


def _insert_entry(connection: sqlite3.Connection, file_id: int, ordinal: int, entry: Entry, digest: bytes) -> int:
    values = {
        "file_id": file_id, "ordinal": ordinal, "parent": entry.parent, "level": entry.level, "heading": entry.heading,
        "outline": _json(entry.outline), "start_byte": entry.span.start, "end_byte": entry.span.end, "line": entry.span.line,
        "end_line": entry.span.end_line, "raw": entry.raw, "text": entry.text, "blocks": _json(entry.blocks),
        "todo": entry.todo, "priority": entry.priority, "tags": _json(entry.tags), "properties": _json(entry.properties),
        "dates": _json(entry.dates), "private": int(entry.private), "hash": digest, "place": _placed(entry),
    }  # fmt: skip
    sql = f"INSERT INTO entry ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
    return int(connection.execute(sql, tuple(values.values())).lastrowid or 0)


def _replace_links(connection: sqlite3.Connection, file_id: int, parsed: ParsedFile, naming: Naming) -> None:
    connection.execute("DELETE FROM link WHERE file_id = ?", (file_id,))
    connection.execute("DELETE FROM anchor WHERE file_id = ?", (file_id,))
    links = []
    anchors = []
    for ordinal, entry in enumerate(parsed.entries):
        for link in entry.links:
            key = naming.key(link, parsed.type)
            links.append((file_id, ordinal, link.kind, link.target, link.label, *_place(link.span), key))
        anchors += [(file_id, ordinal, anchor.kind, anchor.name, *_place(anchor.span)) for anchor in entry.anchors]
    connection.executemany(
        "INSERT INTO link (file_id, entry, kind, target, label, start_byte, end_byte, line, end_line, key) "
        "VALUES (?,?,?,?,?,?,?,?,?,?)",
        links,
    )
    connection.executemany(
        "INSERT INTO anchor (file_id, entry, kind, name, start_byte, end_byte, line, end_line) VALUES (?,?,?,?,?,?,?,?)",
        anchors,
    )


def _replace_names(connection: sqlite3.Connection, file_id: int, naming: Naming) -> None:
    """Name the file anew from what is stored of it: one way for parsed and for moved files."""
    path, title, aliases, properties = connection.execute(
        "SELECT path, title, aliases, properties FROM file WHERE id = ?", (file_id,)
    ).fetchone()
    # Logseq keeps the id of an Org block, which is a UUID, as a custom id.
    ids = connection.execute(
        "SELECT DISTINCT name FROM anchor WHERE file_id = ? AND (kind = 'id' OR (kind = 'custom_id' AND name GLOB ?))",
        (file_id, "????????-????-????-????-????????????"),
    )
    pairs = [(name, value) for name, value in json.loads(properties or "[]")]
    names = naming.names(path, title, json.loads(aliases or "[]"), pairs, [row[0] for row in ids])
    connection.execute("DELETE FROM name WHERE file_id = ?", (file_id,))
    connection.executemany(
        "INSERT INTO name (file_id, key, full, source) VALUES (?, ?, ?, ?)", ((file_id, *name) for name in names)
    )


def _drawn() -> int:
    """A number that no other state of a file's words has, here or in any copy of this database."""
    return secrets.randbits(63)


def _placed(entry: Entry) -> str | None:
    return _json(entry.place) if entry.place else None


def _place(span: Span) -> tuple[int, int, int, int]:
    return span.start, span.end, span.line, span.end_line


def _stat_values(stat: FileStat) -> dict[str, int]:
    return {"size": stat.size, "mtime_ns": stat.mtime_ns, "ctime_ns": stat.ctime_ns, "inode": stat.inode}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _problems(text: str | None) -> tuple[Problem, ...]:
    return msgspec.json.decode(text, type=tuple[Problem, ...]) if text else ()
