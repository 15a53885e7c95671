"""What is kept of conversations, as rows: functions over one connection to a vault's conversations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from khoj_ls.core.text import spaced

RUNNING = "running"


@dataclass(frozen=True)
class ConversationRow:
    """A conversation."""

    number: int
    key: str
    """Its id for the world outside."""
    title: str
    renamed: bool
    persona: str
    created: float
    """Seconds since the epoch, as all times here."""
    updated: float
    turns: int
    """Those that hold."""


@dataclass(frozen=True)
class TurnRow:
    """A question with its answer."""

    number: int
    key: str
    conversation: str
    """Key of its conversation."""
    question: str
    answer: str
    state: str
    """running | done | failed | cancelled"""
    persona: str
    model: str
    asked: float
    ended: float | None
    private: bool
    owner: str
    """The process that is at it."""
    replaces: str | None
    """Key of the turn that this one was asked instead of."""
    superseded_by: str | None
    """Key of the turn since which this one does not hold any more."""
    sources: str
    """JSON."""
    outcome: str
    """JSON."""


_CONVERSATIONS = (
    "SELECT c.id, c.key, c.title, c.renamed, c.persona, c.created, c.updated, "
    "(SELECT count(*) FROM turn t WHERE t.conversation_id = c.id AND t.superseded_by IS NULL) FROM conversation c "
)
_TURNS = (
    "SELECT t.id, t.key, c.key, t.question, t.answer, t.state, t.persona, t.model, t.asked, t.ended, t.private, t.owner, "
    "r.key, s.key, t.sources, t.outcome FROM turn t JOIN conversation c ON c.id = t.conversation_id "
    "LEFT JOIN turn r ON r.id = t.replaces LEFT JOIN turn s ON s.id = t.superseded_by "
)


def _conversation(row: tuple[Any, ...]) -> ConversationRow:
    number, key, title, renamed, persona, created, updated, turns = row
    return ConversationRow(number, key, title, bool(renamed), persona, created, updated, turns)


def _turn(row: tuple[Any, ...]) -> TurnRow:
    number, key, conversation, question, answer, state, persona, model, asked, ended, private, *rest = row
    owner, replaces, superseded_by, sources, outcome = rest
    return TurnRow(
        number,
        key,
        conversation,
        question,
        answer,
        state,
        persona,
        model,
        asked,
        ended,
        bool(private),
        owner,
        replaces,
        superseded_by,
        sources,
        outcome,
    )


# -- conversations -------------------------------------------------------------------------------------------------------


def conversations_like(connection: sqlite3.Connection, beginning: str, most: int = 2) -> list[ConversationRow]:
    """Conversations whose key begins so; one whose whole key it is, alone."""
    exact = connection.execute(f"{_CONVERSATIONS} WHERE c.key = ?", (beginning,)).fetchall()
    found = (
        exact
        or connection.execute(
            f"{_CONVERSATIONS} WHERE substr(c.key, 1, length(:beginning)) = :beginning LIMIT :most",
            {"beginning": beginning, "most": most},
        ).fetchall()
    )
    return [_conversation(row) for row in found]


def latest_conversations(connection: sqlite3.Connection, limit: int, offset: int) -> tuple[list[ConversationRow], int]:
    """A page of all conversations, the last used first, and how many there are."""
    rows = connection.execute(f"{_CONVERSATIONS} ORDER BY c.updated DESC, c.id DESC LIMIT ? OFFSET ?", (limit, offset))
    found = [_conversation(row) for row in rows]
    return found, connection.execute("SELECT count(*) FROM conversation").fetchone()[0]


def add_conversation(connection: sqlite3.Connection, key: str, title: str, persona: str, now: float) -> int:
    """Keep a new conversation; returns its number."""
    number = connection.execute(
        "INSERT INTO conversation (key, title, persona, created, updated) VALUES (?, ?, ?, ?, ?)",
        (key, title, persona, now, now),
    ).lastrowid
    connection.execute("INSERT INTO title_fts (rowid, title) VALUES (?, ?)", (number, spaced(title)))
    assert number is not None
    return number


def set_title(connection: sqlite3.Connection, number: int, title: str, *, renamed: bool) -> None:
    """Give a conversation another title; `renamed`: the user did, and it stays."""
    connection.execute("UPDATE conversation SET title = ?, renamed = ? WHERE id = ?", (title, renamed, number))
    connection.execute("DELETE FROM title_fts WHERE rowid = ?", (number,))
    connection.execute("INSERT INTO title_fts (rowid, title) VALUES (?, ?)", (number, spaced(title)))


def touch(connection: sqlite3.Connection, number: int, now: float) -> None:
    """Note that a conversation went on."""
    connection.execute("UPDATE conversation SET updated = max(updated, ?) WHERE id = ?", (now, number))


def delete_conversation(connection: sqlite3.Connection, number: int) -> None:
    """Delete a conversation with all it holds, its words in the word tables included."""
    turns = [row[0] for row in connection.execute("SELECT id FROM turn WHERE conversation_id = ?", (number,))]
    for statement in (
        "DELETE FROM turn_fts WHERE rowid = ?",
        "DELETE FROM passage WHERE turn_id = ?",
        "DELETE FROM turn WHERE id = ?",
    ):
        connection.executemany(statement, [(turn,) for turn in turns])
    connection.execute("DELETE FROM title_fts WHERE rowid = ?", (number,))
    connection.execute("DELETE FROM conversation WHERE id = ?", (number,))
    # FTS5 only marks words as deleted until its segments are merged. https://www.sqlite.org/fts5.html#the_optimize_command
    for table in ("turn_fts", "title_fts"):
        connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")


# -- turns ---------------------------------------------------------------------------------------------------------------


def turns_of(connection: sqlite3.Connection, number: int, *, superseded: bool = False) -> list[TurnRow]:
    """The turns of a conversation that hold, or those that do not, in the order they were asked."""
    which = "NOT NULL" if superseded else "NULL"
    rows = connection.execute(f"{_TURNS} WHERE t.conversation_id = ? AND t.superseded_by IS {which} ORDER BY t.id", (number,))
    return [_turn(row) for row in rows]


def turn_by_key(connection: sqlite3.Connection, key: str) -> TurnRow | None:
    """A turn; None when there is none of that key."""
    row = connection.execute(f"{_TURNS} WHERE t.key = ?", (key,)).fetchone()
    return _turn(row) if row else None


def turns_by_number(connection: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, TurnRow]:
    """Those of some turns that are there and hold."""
    found = (connection.execute(f"{_TURNS} WHERE t.id = ? AND t.superseded_by IS NULL", (number,)) for number in numbers)
    return {row[0]: _turn(row) for rows in found for row in rows}


def add_turn(
    connection: sqlite3.Connection,
    conversation: int,
    key: str,
    question: str,
    *,
    persona: str,
    model: str,
    owner: str,
    now: float,
    replaces: TurnRow | None = None,
) -> int:
    """Keep a question that begins to be answered; a turn it `replaces` and all after it do not hold any more.

    It is private until `set_private` says what it is.
    """
    number = connection.execute(
        "INSERT INTO turn (key, conversation_id, question, state, persona, model, asked, owner, replaces, private) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (key, conversation, question, RUNNING, persona, model, now, owner, replaces.number if replaces else None),
    ).lastrowid
    assert number is not None
    if replaces:
        connection.execute(
            "UPDATE turn SET superseded_by = ? WHERE conversation_id = ? AND id >= ? AND id < ? AND superseded_by IS NULL",
            (number, conversation, replaces.number, number),
        )
    connection.execute("INSERT INTO turn_fts (rowid, question, answer) VALUES (?, ?, '')", (number, spaced(question)))
    return number


def set_private(connection: sqlite3.Connection, key: str, own: bool | None) -> None:
    """Note whether a turn holds private words; None: it does where any that holds before it does."""
    connection.execute(
        "UPDATE turn SET private = coalesce(?, EXISTS (SELECT 1 FROM turn b WHERE b.conversation_id = turn.conversation_id "
        "AND b.id < turn.id AND b.superseded_by IS NULL AND b.private)) WHERE key = ?",
        (own, key),
    )


def set_sources(connection: sqlite3.Connection, key: str, sources: str) -> None:
    """Keep what a turn was given, as JSON."""
    connection.execute("UPDATE turn SET sources = ? WHERE key = ?", (sources, key))


def set_partial(connection: sqlite3.Connection, key: str, answer: str) -> None:
    """Keep what has arrived of an answer, unless it has ended."""
    connection.execute("UPDATE turn SET answer = ? WHERE key = ? AND state = ?", (answer, key, RUNNING))


def end_turn(
    connection: sqlite3.Connection, key: str, state: str, answer: str | None, outcome: str, now: float, *, model: str = ""
) -> None:
    """Keep how a turn ended; an `answer` of None, or a `model` that is empty, leaves what is kept. Nothing where it is gone."""
    row = connection.execute("SELECT id, conversation_id, question, answer FROM turn WHERE key = ?", (key,)).fetchone()
    if row is None:
        return
    number, conversation, question, kept = row
    answer = kept if answer is None else answer
    connection.execute(
        "UPDATE turn SET state = ?, answer = ?, outcome = ?, ended = ?, model = coalesce(nullif(?, ''), model) WHERE id = ?",
        (state, answer, outcome, now, model, number),
    )
    connection.execute("DELETE FROM turn_fts WHERE rowid = ?", (number,))
    connection.execute(
        "INSERT INTO turn_fts (rowid, question, answer) VALUES (?, ?, ?)", (number, spaced(question), spaced(answer))
    )
    connection.execute("DELETE FROM passage WHERE turn_id = ?", (number,))
    touch(connection, conversation, now)


def running_turns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """(key, owner) of turns that are under way."""
    return connection.execute("SELECT key, owner FROM turn WHERE state = ?", (RUNNING,)).fetchall()
