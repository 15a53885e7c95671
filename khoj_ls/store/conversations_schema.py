"""The schema of a vault's conversations, as a list of numbered steps that is only ever appended to.

A database of its own: conversations are the user's own words and cannot be made anew, as the index can. `PRAGMA user_version`
holds the number of the last step. docs/schema.md describes the tables.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

CONVERSATIONS_VERSION = 1
"""Number of the newest step below."""


def migrate_conversations(connection: sqlite3.Connection) -> None:
    """Bring the schema of an older or empty database up to date; each step is one transaction."""
    from sqlite_utils import Database, Migrations

    steps = Migrations("khoj_ls_conversations")

    steps(name="m001_conversations")(_m001_conversations)
    steps.apply(Database(connection, execute_plugins=False))
    connection.execute(f"PRAGMA user_version = {CONVERSATIONS_VERSION}")


def _m001_conversations(db: Database) -> None:
    execute = db.execute
    # AUTOINCREMENT: a number is never given twice, so that nothing left behind can belong to another row.
    execute(
        "CREATE TABLE conversation (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, title TEXT NOT NULL, "
        "renamed INTEGER NOT NULL DEFAULT 0, persona TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL)"
    )
    execute("CREATE INDEX idx_conversation_updated ON conversation (updated)")
    execute(
        "CREATE TABLE turn (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, conversation_id INTEGER NOT NULL, "
        "question TEXT NOT NULL, answer TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, persona TEXT NOT NULL, "
        "model TEXT NOT NULL, asked REAL NOT NULL, ended REAL, private INTEGER NOT NULL DEFAULT 0, owner TEXT NOT NULL, "
        "replaces INTEGER, superseded_by INTEGER, sources TEXT NOT NULL DEFAULT '[]', outcome TEXT NOT NULL DEFAULT '{}')"
    )
    execute("CREATE INDEX idx_turn_conversation ON turn (conversation_id)")
    execute("CREATE INDEX idx_turn_running ON turn (owner) WHERE state = 'running'")
    execute(
        "CREATE TABLE passage (id INTEGER PRIMARY KEY, turn_id INTEGER NOT NULL, model TEXT NOT NULL, start INTEGER NOT NULL, "
        "end INTEGER NOT NULL, vector BLOB NOT NULL)"
    )
    execute("CREATE INDEX idx_passage_turn ON passage (turn_id, model)")
    words = "tokenize = 'porter unicode61 remove_diacritics 2'"
    execute(f"CREATE VIRTUAL TABLE turn_fts USING fts5(question, answer, {words})")
    execute(f"CREATE VIRTUAL TABLE title_fts USING fts5(title, {words})")
