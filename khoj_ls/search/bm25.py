"""BM25 in SQLite's FTS5: how many rows hold a word, the best rows for some words, and what their scores amount to.

Robertson & Zaragoza 2009, "The probabilistic relevance framework: BM25 and beyond".
https://www.sqlite.org/fts5.html#the_bm25_function
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from khoj_ls.search.filters.rows import IN_MASK, RowSet


@dataclass(frozen=True)
class Table:
    """A word index, and what a word in each of its columns is worth."""

    name: str
    weights: tuple[float, ...]
    rows: str = "entry"
    """The table whose rows it finds."""


ENTRIES = Table("entry_fts", (1.0, 2.0, 1.0))
"""Title, heading with outline, body."""
HEADINGS = (0.0, 1.0, 0.0)
"""Of entries, their headings and outlines alone."""
NOTES = Table("file_fts", (1.0, 2.0, 1.5, 1.0), "file")
"""Name, title with aliases, tags, body."""
NAMES = (1.0, 1.0, 0.0, 0.0)
"""Of notes, what they are called, alone: a word there says what the note is about."""

K1, B = 1.2, 0.75
"""As they are fixed in FTS5."""
PARTLY = 0.8
"""What a row is worth that holds some of a query's words, beside one that holds all of them at the same score."""
_SATURATION = 0.4
FEW_ROWS = 2000
"""BM25 costs about a microsecond a row: a query that would score more rows is asked by its rarest words."""
_FEW_GAPS = 1.1
_LOOKED_UP = 200
_GOLDEN = (5**0.5 - 1) / 2


def counted(
    connection: sqlite3.Connection, table: Table, expressions: Sequence[str], total: int, few: int = FEW_ROWS
) -> dict[str, int]:
    """How many of the `total` rows each FTS5 expression finds: exactly for up to a `few`, else by how densely the first stand.

    Counting costs some 40 ns a row, and of a word that is everywhere nobody needs to know more than that.
    """
    rows = connection.execute(
        f"SELECT wanted.key, (SELECT count(*) || ' ' || ifnull(max(rowid), 0) FROM "
        f"(SELECT rowid FROM {table.name} WHERE {table.name} MATCH wanted.value LIMIT ?)) FROM json_each(?) wanted",
        (few + 1, json.dumps(expressions)),
    )
    counts = {expressions[number]: [int(part) for part in both.split()] for number, both in rows}
    highest = 0
    if any(found > few for found, _ in counts.values()):
        (highest,) = connection.execute(f"SELECT max(id) FROM {table.rows}").fetchone()
    return {
        text: found if found <= few else min(total, int(total * found / _rows_up_to(connection, table, last, highest, total)))
        for text, (found, last) in counts.items()
    }


def _rows_up_to(connection: sqlite3.Connection, table: Table, last: int, highest: int, total: int) -> float:
    """About how many rows have an id of at most `last`: never 0.

    Every edit leaves ids behind that no row has any more, so that in time most of them are gone; then some are looked up.
    """
    if highest <= _FEW_GAPS * total:
        return max(1.0, last * total / highest)
    # Evenly spread whatever their number is: multiples of the golden ratio (Weyl's sequence).
    ids = json.dumps([1 + int(_GOLDEN * number % 1 * last) for number in range(_LOOKED_UP)])
    (there,) = connection.execute(
        f"SELECT count(*) FROM json_each(?) wanted JOIN {table.name}_docsize d ON d.id = wanted.value", (ids,)
    ).fetchone()
    return float(max(1, last * there / _LOOKED_UP))


def ranked(
    connection: sqlite3.Connection, table: Table, expressions: Sequence[str], pool: int, mask: bytes | None = None
) -> dict[int, float]:
    """BM25 score by row id, of the best `pool` rows of each expression; only rows of the mask (`filters.rows`) when given."""
    return {row: score for row, (score, _) in ranked_twice(connection, table, (), expressions, pool, mask).items()}


def ranked_twice(
    connection: sqlite3.Connection,
    table: Table,
    others: tuple[float, ...],
    expressions: Sequence[str],
    pool: int,
    mask: bytes | None = None,
) -> dict[int, tuple[float, float]]:
    """The same, each row with its score for `others` too: other weights of the columns; 0 where there are none.

    Reading what a row holds costs more than weighing it, so that the second score is had for little.
    """
    scores: dict[int, tuple[float, float]] = {}
    second = f"-bm25({table.name}, {', '.join(map(str, others))})" if others else "0.0"
    within = f"AND {IN_MASK.format('rowid')}" if mask is not None else ""
    for expression in expressions:
        rows = connection.execute(
            f"SELECT rowid, -bm25({table.name}, {', '.join(map(str, table.weights))}), {second} FROM {table.name} "
            f"WHERE {table.name} MATCH ? {within} ORDER BY 2 DESC LIMIT ?",
            (expression, *([mask] if mask is not None else []), pool),
        )
        for row, score, other in rows:
            before = scores.get(row)
            scores[row] = (max(before[0], score), max(before[1], other)) if before else (score, other)
    return scores


def holding_all(connection: sqlite3.Connection, table: Table, strings: Iterable[str], rows: RowSet) -> set[int]:
    """Those of some rows that hold each of the FTS5 strings."""
    found = connection.execute(
        f"SELECT rowid FROM {table.name} WHERE {table.name} MATCH ? AND {IN_MASK.format('rowid')}",
        (" AND ".join(strings), rows.mask),
    )
    return {row for (row,) in found}


def affordable(counts: Mapping[str, int]) -> list[str]:
    """FTS5 expressions that together find what matters and score no more rows than can be afforded.

    `counts` says how many entries hold each FTS5 string, rarest first.
    """
    held = {string: rows for string, rows in counts.items() if rows}
    if not held:
        return []
    if sum(held.values()) <= FEW_ROWS:
        return [" OR ".join(held)]
    rare = [string for string, rows in zip(held, accumulate(held.values()), strict=True) if rows <= FEW_ROWS]
    if rare:
        return [" AND ".join(held), " OR ".join(rare)]
    # No word is rare: where the rarest stands in a title or heading it says most.
    return [" AND ".join(held), f"- body : {next(iter(held))}"]


def idf(total: int, rows: float) -> float:
    """Inverse document frequency of a word that `rows` of `total` rows hold, as FTS5 has it. `rows` may be more by estimate."""
    rows = min(rows, total)
    return max(1e-6, math.log((total - rows + 0.5) / (rows + 0.5)))


def scattered(rows: int, notes: int) -> float:
    """About how many of `notes` hold a word that `rows` entries hold: as many as `rows` balls hit of so many boxes.

    Counting them would take as long as counting the entries did.
    """
    return notes * (1 - math.exp(-rows / notes)) if notes else 0.0


def bound(total: int, counts: Iterable[float]) -> float:
    """The most that BM25 can give: what a row would have that holds every word ever so often."""
    return (K1 + 1) * sum(idf(total, rows) for rows in counts)


def saturated(score: float, most: float) -> float:
    """A score as 0..1, given its bound: about .7 for every word once, towards 1 for every word often."""
    return 1 - math.exp(-score / (_SATURATION * most)) if most > 0 else 0.0
