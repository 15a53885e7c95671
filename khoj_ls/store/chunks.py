"""Chunks, and the durable queue of texts that still want a vector.

A chunker is a model's tokenizer and limit; a model swap cuts a second set of chunks beside the first. A chunk's vector is
stored under the hash of its text and the model's id, so equal texts share one, wherever they stand.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from khoj_ls.core.types import Chunk, Span, Vector

_LEAST_UNUSED = 10_000
"""So many vectors that no text uses are kept in any case; more only as long as more are used."""


@dataclass(frozen=True)
class ActiveModel:
    """A model whose vectors are kept in this database."""

    id: int
    key: str
    name: str
    dimensions: int
    chunker_id: int


@dataclass(frozen=True)
class PendingText:
    """A text that waits for its vector."""

    hash: bytes
    text: str
    tokens: int
    priority: float
    """As it was stored with (`store_chunks`)."""


class ChunkRow(NamedTuple):
    """A stored chunk with the file it belongs to."""

    id: int
    file_id: int
    entry: int
    last_entry: int
    span: Span
    hash: bytes


def chunk_hash(text: str) -> bytes:
    """Hash that names a chunk by what is embedded."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def use_model(connection: sqlite3.Connection, key: str, name: str, dimensions: int, chunker_key: str) -> ActiveModel:
    """The row of a model, made when it is new."""
    connection.execute("INSERT OR IGNORE INTO chunker (key) VALUES (?)", (chunker_key,))
    (chunker_id,) = connection.execute("SELECT id FROM chunker WHERE key = ?", (chunker_key,)).fetchone()
    connection.execute(
        "INSERT OR IGNORE INTO model (key, name, dimensions, chunker_id) VALUES (?, ?, ?, ?)",
        (key, name, dimensions, chunker_id),
    )
    # The same weights with a new way of cutting: the vectors of equal texts stay good.
    connection.execute("UPDATE model SET chunker_id = ?, name = ? WHERE key = ?", (chunker_id, name, key))
    return model_by_key(connection, key)


def model_by_key(connection: sqlite3.Connection, key: str) -> ActiveModel:
    """The row of the model with this key. Raises LookupError."""
    row = connection.execute("SELECT id, key, name, dimensions, chunker_id FROM model WHERE key = ?", (key,)).fetchone()
    if row is None:
        raise LookupError(f"no model {key} in this database")
    return ActiveModel(*row)


def files_without_chunks(connection: sqlite3.Connection, chunker_id: int, limit: int) -> list[int]:
    """Ids of indexed files that this chunker has not cut yet, the most recently changed first."""
    rows = connection.execute(
        "SELECT f.id FROM file f WHERE f.status = 'indexed' AND NOT EXISTS "
        "(SELECT 1 FROM chunked c WHERE c.file_id = f.id AND c.chunker_id = ?) ORDER BY f.mtime_ns DESC LIMIT ?",
        (chunker_id, limit),
    )
    return [row[0] for row in rows]


def store_chunks(
    connection: sqlite3.Connection, model: ActiveModel, file_id: int, chunks: Sequence[Chunk], priority: float
) -> int:
    """Store the chunks of one file and queue the texts that have no vector yet; higher `priority` is embedded first.

    Returns how many texts of the file wait.
    """
    hashes = [chunk_hash(chunk.text) for chunk in chunks]
    connection.execute("DELETE FROM chunk WHERE file_id = ? AND chunker_id = ?", (file_id, model.chunker_id))
    connection.executemany(
        "INSERT INTO chunk (file_id, chunker_id, ordinal, entry, last_entry, hash, start_byte, end_byte, line, end_line, "
        "tokens, private) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            (
                file_id, model.chunker_id, chunk.ordinal, chunk.entry, chunk.last_entry, digest,
                chunk.span.start, chunk.span.end, chunk.span.line, chunk.span.end_line, chunk.tokens, int(chunk.private),
            )
            for chunk, digest in zip(chunks, hashes, strict=True)
        ),
    )  # fmt: skip
    connection.execute(
        "INSERT OR REPLACE INTO chunked (file_id, chunker_id, revision) SELECT ?, ?, value FROM meta WHERE key = 'revision'",
        (file_id, model.chunker_id),
    )
    _take_back(connection, model, hashes)
    # A text that is private in one note and not in another is treated as private: the careful reading wins.
    waiting = connection.executemany(
        "INSERT INTO pending (model_id, hash, text, tokens, private, priority) SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS "
        "(SELECT 1 FROM embedding WHERE model_id = ? AND hash = ?) "
        "ON CONFLICT (model_id, hash) DO UPDATE SET priority = max(priority, excluded.priority), "
        "private = max(private, excluded.private)",
        (
            (model.id, digest, chunk.text, chunk.tokens, int(chunk.private), priority, model.id, digest)
            for chunk, digest in zip(chunks, hashes, strict=True)
        ),
    )
    return max(0, waiting.rowcount)


def _take_back(connection: sqlite3.Connection, model: ActiveModel, hashes: Sequence[bytes]) -> None:
    """Have vectors that were set aside found again, under new ids."""
    which = "FROM unused_embedding WHERE model_id = ? AND hash = ?"
    wanted = [(model.id, digest) for digest in hashes]
    back = connection.executemany(
        f"INSERT OR IGNORE INTO embedding (model_id, hash, vector) SELECT model_id, hash, vector {which}", wanted
    )
    if back.rowcount > 0:
        connection.executemany(f"DELETE {which}", wanted)


def next_pending(connection: sqlite3.Connection, model: ActiveModel, limit: int, *, private: bool = True) -> list[PendingText]:
    """The most urgent texts without a vector; with `private` false only those that may leave the machine."""
    # The chunks tell, not the queue: a note may have been changed, deleted or made private while its texts waited. A text that
    # is private in one note and not in another is private.
    secret = "" if private else "AND NOT EXISTS (SELECT 1 FROM chunk c WHERE c.hash = p.hash AND c.private) "
    rows = connection.execute(
        "SELECT p.hash, p.text, p.tokens, p.priority FROM pending p WHERE p.model_id = ? AND EXISTS "
        f"(SELECT 1 FROM chunk c WHERE c.hash = p.hash) {secret}ORDER BY p.priority DESC, p.tokens LIMIT ?",
        (model.id, limit),
    )
    return [PendingText(*row) for row in rows]


def pending_count(connection: sqlite3.Connection, model: ActiveModel) -> int:
    """How many texts wait for a vector."""
    row = connection.execute(
        "SELECT count(*) FROM pending p WHERE p.model_id = ? AND EXISTS (SELECT 1 FROM chunk c WHERE c.hash = p.hash)",
        (model.id,),
    ).fetchone()
    return int(row[0])


def pending_tokens(connection: sqlite3.Connection, model: ActiveModel) -> int:
    """How many tokens wait: what a remote model would be paid for."""
    row = connection.execute("SELECT coalesce(sum(tokens), 0) FROM pending WHERE model_id = ?", (model.id,)).fetchone()
    return int(row[0])


def store_vectors(connection: sqlite3.Connection, model: ActiveModel, vectors: Iterable[tuple[bytes, Vector]]) -> None:
    """Store vectors by chunk hash and take their texts off the queue, in the caller's transaction."""
    rows = [(model.id, digest, vector) for digest, vector in vectors]
    connection.executemany("INSERT OR IGNORE INTO embedding (model_id, hash, vector) VALUES (?, ?, ?)", rows)
    connection.executemany("DELETE FROM pending WHERE model_id = ? AND hash = ?", ((row[0], row[1]) for row in rows))


def coverage(connection: sqlite3.Connection, model: ActiveModel) -> tuple[int, int]:
    """(chunks with a vector, chunks); files not cut yet count as many as others of their size make, but one at least."""
    (chunks,) = connection.execute("SELECT count(*) FROM chunk WHERE chunker_id = ?", (model.chunker_id,)).fetchone()
    (waiting,) = connection.execute(
        # From the queue, which is short or empty, to the chunks, which are many.
        "SELECT count(*) FROM pending p CROSS JOIN chunk c ON c.hash = p.hash AND c.chunker_id = ? WHERE p.model_id = ?",
        (model.chunker_id, model.id),
    ).fetchone()
    (uncut,) = connection.execute(
        "SELECT (SELECT count(*) FROM file WHERE status = 'indexed') - (SELECT count(*) FROM chunked WHERE chunker_id = ?)",
        (model.chunker_id,),
    ).fetchone()
    expected = max(uncut, _expected_chunks(connection, model, chunks)) if uncut > 0 else 0
    return chunks - waiting, chunks + expected


def _expected_chunks(connection: sqlite3.Connection, model: ActiveModel, chunks: int) -> int:
    """How many chunks the files not cut yet will make, going by the bytes of those that were."""
    cut, uncut = connection.execute(
        "SELECT coalesce(sum(f.size) FILTER (WHERE c.file_id IS NOT NULL), 0), "
        "coalesce(sum(f.size) FILTER (WHERE c.file_id IS NULL), 0) "
        "FROM file f LEFT JOIN chunked c ON c.file_id = f.id AND c.chunker_id = ? WHERE f.status = 'indexed'",
        (model.chunker_id,),
    ).fetchone()
    return int(chunks * uncut // cut) if cut else 0


def anything_pending(connection: sqlite3.Connection, model: ActiveModel) -> bool:
    """Whether a text waits for a vector; takes no time to find out."""
    return connection.execute("SELECT 1 FROM pending WHERE model_id = ? LIMIT 1", (model.id,)).fetchone() is not None


def chunks_of_file(connection: sqlite3.Connection, model: ActiveModel, file_id: int) -> list[ChunkRow]:
    """Chunks of one file in source order."""
    rows = connection.execute(
        "SELECT id, file_id, entry, last_entry, start_byte, end_byte, line, end_line, hash FROM chunk "
        "WHERE file_id = ? AND chunker_id = ? ORDER BY ordinal",
        (file_id, model.chunker_id),
    )
    return [ChunkRow(row[0], row[1], row[2], row[3], Span(*row[4:8]), row[8]) for row in rows]


def cuts(connection: sqlite3.Connection, model: ActiveModel, files: Iterable[int]) -> dict[int, int]:
    """In which revision of the index notes were cut, by file id; uncut ones lack. Their chunks stay as long as that does."""
    rows = connection.execute(
        "SELECT c.file_id, c.revision FROM json_each(?) wanted "
        "CROSS JOIN chunked c ON c.file_id = wanted.value AND c.chunker_id = ?",
        (json.dumps(list(files)), model.chunker_id),
    )
    return dict(rows.fetchall())


def files_of_embeddings(connection: sqlite3.Connection, model: ActiveModel, ids: Iterable[int]) -> list[tuple[int, int]]:
    """(embedding, file) of each note that holds a text for which one of these vectors stands."""
    rows = connection.execute(
        "SELECT DISTINCT v.id, c.file_id FROM json_each(?) wanted CROSS JOIN embedding v ON v.id = wanted.value "
        "CROSS JOIN chunk c ON c.hash = v.hash AND c.chunker_id = ?",
        (json.dumps(list(ids)), model.chunker_id),
    )
    return rows.fetchall()


def drop_other_chunkers(connection: sqlite3.Connection, model: ActiveModel) -> None:
    """Drop the chunks and queues of every other model: called once the new one has taken over."""
    connection.execute("DELETE FROM chunk WHERE chunker_id <> ?", (model.chunker_id,))
    connection.execute("DELETE FROM chunked WHERE chunker_id <> ?", (model.chunker_id,))
    connection.execute("DELETE FROM pending WHERE model_id <> ?", (model.id,))


def set_aside(connection: sqlite3.Connection, model: ActiveModel, now: float, most: int) -> int:
    """Take up to `most` vectors that no chunk uses, or that are another model's, out of what is searched; returns how many.

    They are kept for a text that comes back (`store_chunks`), until `forget_unused`.
    """
    # The highest id stays where it is: it would be given again, to another text, and an index tells them by it.
    rows = connection.execute(
        "SELECT v.id FROM embedding v WHERE (v.model_id <> ? OR NOT EXISTS (SELECT 1 FROM chunk c WHERE c.hash = v.hash)) "
        "AND v.id < (SELECT max(id) FROM embedding) LIMIT ?",
        (model.id, most),
    ).fetchall()
    if not rows:
        return 0
    unused = "SELECT value FROM json_each(?)"
    ids = json.dumps([row[0] for row in rows])
    connection.execute(
        "INSERT OR REPLACE INTO unused_embedding (model_id, hash, vector, since) "
        f"SELECT model_id, hash, vector, ? FROM embedding WHERE id IN ({unused})",
        (now, ids),
    )
    connection.execute(f"DELETE FROM embedding WHERE id IN ({unused})", (ids,))
    connection.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'vector_purges'")
    return len(rows)


def forget_unused(connection: sqlite3.Connection, now: float, keep_days: float) -> int:
    """Forget vectors that were set aside for longer than `keep_days`, and all but the last of very many; returns how many."""
    connection.execute("DELETE FROM pending WHERE NOT EXISTS (SELECT 1 FROM chunk c WHERE c.hash = pending.hash)")
    gone = connection.execute("DELETE FROM unused_embedding WHERE since < ?", (now - keep_days * 86400,)).rowcount
    (used,) = connection.execute("SELECT count(*) FROM embedding").fetchone()
    gone += connection.execute(
        "DELETE FROM unused_embedding WHERE id IN "
        "(SELECT id FROM unused_embedding ORDER BY since DESC, id DESC LIMIT -1 OFFSET ?)",
        (max(_LEAST_UNUSED, used),),
    ).rowcount
    return gone
