"""What can still be read of a damaged database of conversations, row by row, moves to a new one."""

from __future__ import annotations

import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from khoj_ls.core.text import spaced
from khoj_ls.store.conversations_schema import migrate_conversations

log = logging.getLogger(__name__)

CONVERSATION = ("id", "key", "title", "renamed", "persona", "created", "updated")
TURN = (
    *("id", "key", "conversation_id", "question", "answer", "state", "persona", "model", "asked", "ended", "private"),
    *("owner", "replaces", "superseded_by", "sources", "outcome"),
)
_MOST_ROWS = 10_000_000
"""A number of a row above this is itself damaged."""

_Row = tuple[Any, ...]


class Saved(NamedTuple):
    """How much was saved."""

    conversations: int
    turns: int


def rescue_conversations(damaged: Path, path: Path) -> Saved:
    """Make a database at `path` of every row that can be read from the file at `damaged`. Vectors are made again later."""
    with contextlib.closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=rw", uri=True)) as source:
        source.text_factory = lambda data: data.decode("utf-8", "replace")
        conversations = {row[0]: row for row in _rows(source, "conversation", CONVERSATION)}
        turns = {row[0]: row for row in _rows(source, "turn", TURN)}
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as new:
        migrate_conversations(new)
        new.execute("BEGIN IMMEDIATE")
        saved = _filled(new, conversations, turns)
        new.execute("COMMIT")
    return saved


def _filled(new: sqlite3.Connection, conversations: dict[Any, _Row], turns: dict[Any, _Row]) -> Saved:
    for turn in turns.values():
        # A conversation whose own row is lost is known by its turns.
        number, question, asked = turn[2], str(turn[3]), turn[8]
        title = " ".join(question.split())[:60] or "…"
        lost = (number, secrets.token_hex(8), title, 0, turn[6], asked, asked)
        conversations.setdefault(number, lost)
    saved = Saved(
        sum(_insert(new, "conversation", CONVERSATION, row) for row in conversations.values()),
        sum(_insert(new, "turn", TURN, row) for row in turns.values()),
    )
    fill_words(new)
    return saved


def fill_words(connection: sqlite3.Connection) -> None:
    """Put the words of all titles, questions and answers into the empty word tables."""
    titles = connection.execute("SELECT id, title FROM conversation").fetchall()
    connection.executemany(
        "INSERT INTO title_fts (rowid, title) VALUES (?, ?)", [(number, spaced(title)) for number, title in titles]
    )
    turns = connection.execute("SELECT id, question, answer FROM turn").fetchall()
    connection.executemany(
        "INSERT INTO turn_fts (rowid, question, answer) VALUES (?, ?, ?)",
        [(number, spaced(question), spaced(answer)) for number, question, answer in turns],
    )


def _insert(new: sqlite3.Connection, table: str, columns: tuple[str, ...], row: _Row) -> int:
    """Insert a row; 0 where it is not whole."""
    marks = ", ".join("?" * len(columns))
    try:
        return new.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", row).rowcount
    except sqlite3.Error as error:
        log.warning("a row of the table %s is not whole: %s", table, error)
        return 0


def _rows(source: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[_Row]:
    """Every row that can be read: each is asked for by its number, so that one broken page costs its own rows alone."""
    names = ", ".join(columns)
    last = 0
    for ending in ("ORDER BY id DESC LIMIT 1", "ORDER BY id"):
        with contextlib.suppress(sqlite3.Error):  # the next way may find more; what none finds is told as a number of rows
            for (number,) in source.execute(f"SELECT id FROM {table} NOT INDEXED {ending}"):
                last = max(last, number if isinstance(number, int) else 0)
    with contextlib.suppress(sqlite3.Error):  # likewise
        last = max(last, *(row[0] for row in source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))))
    for number in range(1, min(last, _MOST_ROWS) + 1):
        with contextlib.suppress(sqlite3.Error):  # likewise
            yield from source.execute(f"SELECT {names} FROM {table} WHERE id = ?", (number,))
