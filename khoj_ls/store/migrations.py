"""The schema, as a list of numbered steps that is only ever appended to.

`PRAGMA user_version` holds the number of the last step, so that opening an up-to-date database needs no import of sqlite-utils.
docs/schema.md describes the tables for people who open the file with another SQLite tool.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from khoj_ls.store import fts

if TYPE_CHECKING:
    from sqlite_utils import Database

SCHEMA_VERSION = 11
"""Number of the newest migration below."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema of an older or empty database up to date; each step is one transaction."""
    from sqlite_utils import Database, Migrations

    steps = Migrations("khoj_ls")

    steps(name="m001_core")(_m001_core)
    steps(name="m002_links")(_m002_links)
    steps(name="m003_words")(_m003_words)
    steps(name="m004_facets")(_m004_facets)
    steps(name="m005_compounds")(_m005_compounds)
    steps(name="m006_places")(_m006_places)
    steps(name="m007_coded")(_m007_coded)
    steps(name="m008_cuts")(_m008_cuts)
    steps(name="m009_unused")(_m009_unused)
    steps(name="m010_standing")(_m010_standing)
    steps(name="m011_hits")(_m011_hits)
    steps.apply(Database(connection, execute_plugins=False))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _m001_core(db: Database) -> None:
    table = db.table
    table("meta").create({"key": str, "value": str}, pk="key", not_null={"value"})
    table("file").create(
        {
            "id": int,
            "path": str,  # relative to the vault, posix
            "type": str,
            "size": int,
            "mtime_ns": int,
            "ctime_ns": int,
            "inode": int,
            "content_hash": bytes,
            "title": str,  # from inside the file, or null
            "status": str,  # indexed | failed
            "origin": str,  # disk | buffer
            "private": int,
            "aliases": str,  # the rest: JSON
            "tags": str,
            "properties": str,
            "dates": str,
            "problems": str,
            "indexed_at": float,
        },
        pk="id",
        not_null={"path", "type", "size", "mtime_ns", "ctime_ns", "inode", "content_hash", "status", "origin", "private"},
    ).create_index(["path"], unique=True).create_index(["content_hash"])
    table("entry").create(
        {
            "id": int,
            "file_id": int,
            "ordinal": int,
            "parent": int,  # ordinal of the parent in the same file, or null
            "level": int,
            "heading": str,
            "outline": str,  # JSON list
            "start_byte": int,
            "end_byte": int,
            "line": int,
            "end_line": int,
            "raw": str,
            "text": str,
            "blocks": str,  # JSON list
            "todo": str,
            "priority": str,
            "tags": str,  # JSON list
            "properties": str,  # JSON list of pairs
            "dates": str,  # JSON list
            "private": int,
            "hash": bytes,  # of all the above but the position
        },
        pk="id",
        not_null={
            "file_id",
            "ordinal",
            "level",
            "heading",
            "outline",
            "start_byte",
            "end_byte",
            "line",
            "end_line",
            "raw",
            "text",
            "hash",
        },
        foreign_keys=[("file_id", "file", "id")],
    ).create_index(["file_id", "ordinal"])
    position = {"start_byte": int, "end_byte": int, "line": int, "end_line": int}
    table("link").create(
        {
            "id": int,
            "file_id": int,
            "entry": int,  # ordinal
            "kind": str,
            "target": str,
            "label": str,
            **position,
        },
        pk="id",
        foreign_keys=[("file_id", "file", "id")],
    ).create_index(["file_id"]).create_index(["target"])
    table("anchor").create(
        {"id": int, "file_id": int, "entry": int, "kind": str, "name": str, **position},
        pk="id",
        foreign_keys=[("file_id", "file", "id")],
    ).create_index(["file_id"]).create_index(["name"])
    table("chunker").create({"id": int, "key": str}, pk="id").create_index(["key"], unique=True)
    table("model").create(
        {"id": int, "key": str, "name": str, "dimensions": int, "chunker_id": int},
        pk="id",
        foreign_keys=[("chunker_id", "chunker", "id")],
    ).create_index(["key"], unique=True)
    table("chunk").create(
        {
            "id": int,
            "file_id": int,
            "chunker_id": int,
            "ordinal": int,
            "entry": int,  # ordinals of the first and last entry covered
            "last_entry": int,
            "hash": bytes,
            **position,
            "tokens": int,
            "private": int,
        },
        pk="id",
        foreign_keys=[("file_id", "file", "id"), ("chunker_id", "chunker", "id")],
    ).create_index(["hash"]).create_index(["file_id", "chunker_id"])
    # Which files have been cut by which chunker: a note without any text has no chunks and is done all the same.
    table("chunked").create({"file_id": int, "chunker_id": int}, pk=("file_id", "chunker_id"))
    table("embedding").create(
        {"id": int, "model_id": int, "hash": bytes, "vector": bytes, "unused_since": float},
        pk="id",
        not_null={"model_id", "hash", "vector"},
        foreign_keys=[("model_id", "model", "id")],
    ).create_index(["model_id", "hash"], unique=True)
    # The durable queue of the encoder: text is kept only until its vector is stored.
    table("pending").create(
        {"model_id": int, "hash": bytes, "text": str, "tokens": int, "private": int, "priority": float},
        pk=("model_id", "hash"),
    )
    words = "tokenize = 'porter unicode61 remove_diacritics 2'"
    execute = db.execute
    execute(f"CREATE VIRTUAL TABLE entry_fts USING fts5(title, heading, body, content = '', {words})")
    execute(f"CREATE VIRTUAL TABLE file_fts USING fts5(name, title, tags, body, content = '', {words})")
    execute("CREATE VIRTUAL TABLE entry_vocab USING fts5vocab(entry_fts, 'row')")
    execute("INSERT INTO meta (key, value) VALUES ('revision', '0'), ('vector_purges', '0'), ('words_version', '1')")


def _m002_links(db: Database) -> None:
    execute = db.execute
    # Under which a link's target is looked up among the names; null where it leads to no other note.
    execute("ALTER TABLE link ADD COLUMN key TEXT")
    execute("CREATE INDEX idx_link_key ON link (key) WHERE key IS NOT NULL")
    execute("DROP INDEX IF EXISTS idx_link_target")
    # Dendron writes the target behind the bar: see `links.links_labelled`, whose expression this is.
    execute(
        "CREATE INDEX idx_link_label ON link (lower(substr(label, 1, instr(label || '#', '#') - 1))) "
        "WHERE kind IN ('wikilink', 'embed') AND label IS NOT NULL"
    )
    execute("CREATE TABLE name (file_id INTEGER NOT NULL, key TEXT NOT NULL, full TEXT NOT NULL, source TEXT NOT NULL)")
    execute("CREATE INDEX idx_name_key ON name (key)")
    execute("CREATE INDEX idx_name_file_id ON name (file_id)")
    execute("CREATE INDEX idx_pending_order ON pending (model_id, priority DESC, tokens)")
    # A stat and a hash that no file has: the next scan parses every note again, and equal texts find their vectors.
    execute("UPDATE file SET mtime_ns = 0, ctime_ns = 0, content_hash = x''")


def _m003_words(db: Database) -> None:
    # The rows of the word index can be taken out only by the words that were put in: a new way of making them fills it anew.
    fts.rebuild(db.conn)
    db.execute("UPDATE meta SET value = ? WHERE key = 'words_version'", [str(fts.WORDS_VERSION)])


def _m005_compounds(db: Database) -> None:
    # The parts of compound words are words, too.
    _m003_words(db)


def _m006_places(db: Database) -> None:
    # Where an entry stands in a file with pages, rows or cells: JSON of `core.places.Place`, or null.
    db.execute("ALTER TABLE entry ADD COLUMN place TEXT")
    # What read the file; empty where that was not noted yet. A file that another processor would read now is read again.
    db.execute("ALTER TABLE file ADD COLUMN reader TEXT NOT NULL DEFAULT ''")


def _m007_coded(db: Database) -> None:
    # Where the source is encoded or mostly markup, the words are those that a person reads.
    _m003_words(db)


def _m008_cuts(db: Database) -> None:
    # The revision of the index in which a file was cut: what was read of its chunks holds as long as this stays.
    db.execute("ALTER TABLE chunked ADD COLUMN revision INTEGER NOT NULL DEFAULT 0")


def _m009_unused(db: Database) -> None:
    # What no text uses any more is not searched: it is kept apart, for a text that comes back.
    db.table("unused_embedding").create(
        {"id": int, "model_id": int, "hash": bytes, "vector": bytes, "since": float},
        pk="id",
        not_null={"model_id", "hash", "vector", "since"},
        foreign_keys=[("model_id", "model", "id")],
    ).create_index(["model_id", "hash"], unique=True)
    db.execute("ALTER TABLE embedding DROP COLUMN unused_since")


def _m010_standing(db: Database) -> None:
    # Each search asks it of all that words found: from the rows themselves, which are large, it takes twice as long.
    db.execute("CREATE INDEX idx_entry_standing ON entry (id, file_id, ordinal)")


def _m011_hits(db: Database) -> None:
    # A number that is drawn anew whenever the words of a file change: arrays of words that were read before tell by it.
    db.execute("ALTER TABLE file ADD COLUMN words INTEGER NOT NULL DEFAULT 0")
    db.execute("UPDATE file SET words = random()")
    db.execute("CREATE INDEX idx_file_words ON file (words)")
    for table in ("entry_fts", "file_fts"):
        db.execute(f"CREATE VIRTUAL TABLE {table}_hit USING fts5vocab({table}, 'instance')")


_ISO_DAY = "*[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"


def _m004_facets(db: Database) -> None:
    """What filters ask for, kept by triggers in step with the JSON columns of `entry`; nothing else writes it."""
    execute = db.execute
    execute("CREATE TABLE entry_tag (tag TEXT NOT NULL, entry_id INTEGER NOT NULL, PRIMARY KEY (tag, entry_id)) WITHOUT ROWID")
    execute(
        "CREATE TABLE entry_day (start TEXT NOT NULL, entry_id INTEGER NOT NULL, finish TEXT NOT NULL, "
        "file_id INTEGER NOT NULL, PRIMARY KEY (start, entry_id, finish)) WITHOUT ROWID"
    )
    execute("CREATE INDEX idx_entry_day_file_id ON entry_day (file_id, entry_id)")
    execute("CREATE INDEX idx_entry_day_finish ON entry_day (finish) WHERE finish <> ''")
    tags = "INSERT OR IGNORE INTO entry_tag SELECT value, {0}.id FROM {1} json_each({0}.tags) WHERE {0}.tags <> '[]'"
    days = (
        "INSERT OR IGNORE INTO entry_day SELECT value ->> 'start', {0}.id, coalesce(value ->> 'end', ''), {0}.file_id "
        "FROM {1} json_each({0}.dates) WHERE {0}.dates <> '[]'"
    )
    forget = (
        "DELETE FROM entry_tag WHERE entry_id = old.id AND tag IN (SELECT value FROM json_each(old.tags)); "
        "DELETE FROM entry_day WHERE file_id = old.file_id AND entry_id = old.id;"
    )
    note = f"{tags.format('new', '')}; {days.format('new', '')};"
    execute(f"CREATE TRIGGER entry_added AFTER INSERT ON entry BEGIN {note} END")
    execute(f"CREATE TRIGGER entry_gone AFTER DELETE ON entry BEGIN {forget} END")
    execute(f"CREATE TRIGGER entry_changed AFTER UPDATE OF id, file_id, tags, dates ON entry BEGIN {forget} {note} END")
    for statement in (tags, days):
        execute(statement.format("entry", "entry,"))
    # These indexes hold all that is asked of them: the rows of `entry` are large, and reading them takes ten times as long.
    execute("CREATE INDEX idx_entry_todo ON entry (todo) WHERE todo IS NOT NULL")
    execute("CREATE INDEX idx_entry_priority ON entry (priority) WHERE priority IS NOT NULL")
    execute("CREATE INDEX idx_entry_properties ON entry (properties) WHERE properties <> '[]'")
    execute("CREATE INDEX idx_entry_heading ON entry (outline, heading)")
    execute(
        "CREATE INDEX idx_entry_heading_not_ascii ON entry (outline, heading) "
        "WHERE length(CAST(outline || heading AS BLOB)) <> length(outline || heading)"
    )
    execute(
        "CREATE INDEX idx_entry_heading_dated ON entry (heading, outline, file_id) "
        f"WHERE heading GLOB '{_ISO_DAY}' OR outline GLOB '{_ISO_DAY}'"
    )
    # Unlike `revision`, it stays as it is while vectors are stored. Entries, links and names change only with their file's row.
    execute("INSERT INTO meta (key, value) VALUES ('notes_revision', '0')")
    for change in ("INSERT", "UPDATE", "DELETE"):
        execute(
            f"CREATE TRIGGER file_{change.lower()} AFTER {change} ON file BEGIN "
            "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'notes_revision'; END"
        )
