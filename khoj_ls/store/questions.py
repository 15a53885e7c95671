"""What indexing asks the store: which files it knows below a folder, by content, by id, and which still want vectors."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from khoj_ls.store.chunks import ActiveModel


def paths_under(connection: sqlite3.Connection, folder: str) -> list[str]:
    """Paths of known files below `folder` (relative, no final slash; empty: all)."""
    if not folder:
        return [row[0] for row in connection.execute("SELECT path FROM file")]
    # "0" is the character after "/".
    rows = connection.execute("SELECT path FROM file WHERE path > ? AND path < ?", (f"{folder}/", f"{folder}0"))
    return [row[0] for row in rows]


def files_with_content(connection: sqlite3.Connection, digest: bytes) -> list[tuple[int, str]]:
    """(id, path) of indexed files whose content has this hash."""
    rows = connection.execute(
        "SELECT id, path FROM file WHERE content_hash = ? AND status = 'indexed' AND origin = 'disk'", (digest,)
    )
    return rows.fetchall()


def indexed_paths(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, str]:
    """Path by id of those files that are there and indexed."""
    rows = connection.execute(
        "SELECT id, path FROM file WHERE status = 'indexed' AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return dict(rows.fetchall())


def files_without_vectors(connection: sqlite3.Connection, model: ActiveModel) -> list[int]:
    """Files with a chunk whose text has no vector and does not wait for one.

    So are those that were cut for another model with the same chunker, and those whose queue was lost.
    """
    rows = connection.execute(
        "SELECT DISTINCT c.file_id FROM chunk c WHERE c.chunker_id = :chunker "
        "AND NOT EXISTS (SELECT 1 FROM embedding e WHERE e.model_id = :model AND e.hash = c.hash) "
        "AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.model_id = :model AND p.hash = c.hash)",
        {"chunker": model.chunker_id, "model": model.id},
    )
    return [row[0] for row in rows]
