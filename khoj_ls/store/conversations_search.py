"""What finding turns again asks the store: rows that hold words, and the vectors of passages."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

_ENDED = "t.superseded_by IS NULL AND t.state <> 'running'"
_WITHOUT_VECTORS = f"{_ENDED} AND NOT EXISTS (SELECT 1 FROM passage p WHERE p.turn_id = t.id AND p.model = ?)"


class Unread(NamedTuple):
    """A turn that the encoder has not read."""

    number: int
    ended: float
    question: str
    answer: str


class Passage(NamedTuple):
    """A piece of a turn: its question with a part of its answer."""

    turn: int
    start: int
    end: int
    """Characters of the answer."""
    vector: bytes


def turns_with(connection: sqlite3.Connection, expression: str) -> dict[int, float]:
    """BM25 by turn that holds and has what an FTS5 expression finds, or is the first of a conversation whose title has."""
    turns = connection.execute(
        "SELECT f.rowid, -bm25(turn_fts, 2.0, 1.0) FROM turn_fts f JOIN turn t ON t.id = f.rowid "
        "WHERE turn_fts MATCH ? AND t.superseded_by IS NULL",
        (expression,),
    )
    titled = connection.execute(
        "SELECT (SELECT min(t.id) FROM turn t WHERE t.conversation_id = f.rowid AND t.superseded_by IS NULL), "
        "-bm25(title_fts) FROM title_fts f WHERE title_fts MATCH ?",
        (expression,),
    )
    found: dict[int, float] = {}
    for turn, score in (*turns, *titled):
        if turn is not None:
            found[turn] = max(found.get(turn, 0.0), score)
    return found


def count_turns(connection: sqlite3.Connection) -> int:
    """How many turns hold."""
    return int(connection.execute("SELECT count(*) FROM turn WHERE superseded_by IS NULL").fetchone()[0])


def titles_of(connection: sqlite3.Connection, conversations: Iterable[str]) -> dict[str, str]:
    """Title by key."""
    rows = connection.execute(
        "SELECT key, title FROM conversation WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(list(conversations)),)
    )
    return dict(rows.fetchall())


def unread_turns(connection: sqlite3.Connection, model: str, most: int, *, private: bool) -> list[Unread]:
    """The newest turns that `model` has no vectors of; private ones only where they may be read."""
    own = "" if private else "AND NOT t.private"
    rows = connection.execute(
        f"SELECT t.id, t.ended, t.question, t.answer FROM turn t WHERE {_WITHOUT_VECTORS} {own} ORDER BY t.id DESC LIMIT ?",
        (model, most),
    )
    return [Unread(*row) for row in rows]


def count_unread(connection: sqlite3.Connection, model: str) -> tuple[int, int]:
    """How many turns `model` has no vectors of, and how many of those are private."""
    unread, private = connection.execute(
        f"SELECT count(*), coalesce(sum(t.private), 0) FROM turn t WHERE {_WITHOUT_VECTORS}", (model,)
    ).fetchone()
    return unread, private


def add_passages(connection: sqlite3.Connection, turn: Unread, model: str, passages: Iterable[Passage]) -> None:
    """Keep the vectors of a turn, unless it was deleted or changed since it was read."""
    still = connection.execute(
        f"SELECT 1 FROM turn t WHERE t.id = ? AND t.ended IS ? AND {_WITHOUT_VECTORS}", (turn.number, turn.ended, model)
    )
    if still.fetchone():
        connection.executemany(
            "INSERT INTO passage (turn_id, model, start, end, vector) VALUES (?, ?, ?, ?, ?)",
            [(each.turn, model, each.start, each.end, each.vector) for each in passages],
        )


def drop_other_models(connection: sqlite3.Connection, model: str) -> None:
    """Delete the vectors of other models than `model`, and of turns that do not hold."""
    connection.execute(
        "DELETE FROM passage WHERE model <> ? OR turn_id IN (SELECT id FROM turn WHERE superseded_by IS NOT NULL)", (model,)
    )


def passages(connection: sqlite3.Connection, model: str) -> list[Passage]:
    """All passages of turns that hold, with their vectors."""
    rows = connection.execute(
        "SELECT p.turn_id, p.start, p.end, p.vector FROM passage p JOIN turn t ON t.id = p.turn_id "
        f"WHERE p.model = ? AND {_ENDED}",
        (model,),
    )
    return [Passage(*row) for row in rows]
