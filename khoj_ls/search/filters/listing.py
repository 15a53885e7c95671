"""A query of filters alone: there is nothing to rank by, so the newest notes come first."""

from __future__ import annotations

import json
import sqlite3

from khoj_ls.search.filters.rows import IN_MASK, RowSet


def listed(
    connection: sqlite3.Connection, entries: RowSet, notes: RowSet, limit: int, max_per_file: int = 0
) -> list[tuple[int, int, int]]:
    """Id, file id and ordinal of up to `limit` of `entries`, which stand in `notes`: the note changed last first, in order.

    With `max_per_file` no more than so many of one note, as long as other notes fill the limit.
    """
    newest = connection.execute(
        f"SELECT id FROM file WHERE {IN_MASK.format('id')} ORDER BY mtime_ns DESC, path LIMIT ?", (notes.mask, limit)
    )
    order = {row[0]: place for place, row in enumerate(newest.fetchall())}
    rows = connection.execute(
        f"SELECT id, file_id, ordinal FROM entry WHERE file_id IN (SELECT value FROM json_each(?)) AND {IN_MASK.format('id')}",
        (json.dumps(list(order)), entries.mask),
    ).fetchall()
    rows.sort(key=lambda row: (order[row[1]], row[2]))
    if not max_per_file:
        return rows[:limit]
    taken: dict[int, int] = {}
    first: list[tuple[int, int, int]] = []
    rest: list[tuple[int, int, int]] = []
    for row in rows:
        taken[row[1]] = taken.get(row[1], 0) + 1
        (first if taken[row[1]] <= max_per_file else rest).append(row)
    return [*first, *rest][:limit]
