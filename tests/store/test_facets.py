"""What filters ask of the index: tags and days of entries beside their rows, whatever is done to the notes."""

from __future__ import annotations

import json
import sqlite3

import pytest
from filtered_notes import Note, Section, Stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khoj_ls.store.database import Database
from khoj_ls.store.facets import tags_in_use, values_in_use
from khoj_ls.store.files import FileStat, move_file, remove_file

TAGS = ("a", "a/b", "ü", 'quo"ted')
sections = st.builds(
    Section,
    heading=st.sampled_from(("One", "Two")),
    tags=st.lists(st.sampled_from(TAGS), unique=True, max_size=3).map(tuple),
    dates=st.lists(st.sampled_from(("2024-01-01", "2024-01-01T10:00", ("2024-01-01", "2024-02-01"))), max_size=3).map(tuple),
)
contents = st.lists(sections, max_size=4).map(tuple)
steps = st.lists(st.tuples(st.sampled_from(("x.md", "y.md")), st.one_of(st.none(), contents)), max_size=8)


def held(database: Database) -> tuple[list, list, list, list]:
    with database.read() as connection:
        entries = connection.execute("SELECT id, file_id, tags, dates FROM entry").fetchall()
        tags = sorted({(tag, row) for row, _, listed, _ in entries for tag in json.loads(listed)})
        days = sorted(
            {(day["start"], row, day["end"] or "", file_id) for row, file_id, _, dates in entries for day in json.loads(dates)}
        )
        stored_tags = connection.execute("SELECT tag, entry_id FROM entry_tag ORDER BY 1, 2").fetchall()
        stored_days = connection.execute("SELECT start, entry_id, finish, file_id FROM entry_day ORDER BY 1, 2, 3").fetchall()
    return tags, stored_tags, days, stored_days


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps)
def test_tags_and_days_stand_beside_their_entries(tmp_path_factory, steps):
    database = Database(tmp_path_factory.mktemp("facets") / "index.db")
    stored = Stored(database)
    for path, content in steps:
        if content is not None:
            stored.put(Note(path, content))
            continue
        with database.write() as connection:
            for (file_id,) in connection.execute("SELECT id FROM file WHERE path = ?", (path,)).fetchall():
                remove_file(connection, file_id)
    tags, stored_tags, days, stored_days = held(database)
    assert (stored_tags, stored_days) == (tags, days)
    database.close()


def test_an_older_database_is_filled_from_its_entries(tmp_path):
    path = tmp_path / "older.db"
    database = Database(path)
    Stored(database).put(Note("x.md", (Section("One", tags=("a", "ü"), dates=("2024-01-01", ("2024-01-01", "2024-02-01"))),)))
    before = held(database)
    database.close()
    with sqlite3.connect(path) as connection:
        made = connection.execute("SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        gone = [
            (kind, name)
            for kind, name in made
            if kind == "trigger" or name.startswith(("entry_tag", "entry_day", "idx_entry_"))
        ]
        for kind, name in sorted(gone, reverse=True):
            if name not in ("idx_entry_file_id_ordinal", "idx_entry_standing"):  # these are of other steps
                connection.execute(f"DROP {kind} IF EXISTS {name}")
        connection.execute("DELETE FROM meta WHERE key = 'notes_revision'")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm004_facets'")
        connection.execute("PRAGMA user_version = 3")
    database = Database(path)
    assert held(database) == before
    assert before[0] == before[1] != []
    database.close()


def test_every_change_of_notes_raises_their_revision_and_no_other(tmp_path):
    database = Database(tmp_path / "index.db")
    stored = Stored(database)

    def revision() -> int:
        with database.read() as connection:
            return int(connection.execute("SELECT value FROM meta WHERE key = 'notes_revision'").fetchone()[0])

    seen = [revision()]
    stored.put(Note("x.md", (Section("One"),)))
    seen.append(revision())
    stored.put(Note("x.md", (Section("Two"),)))
    seen.append(revision())
    with database.write() as connection:
        move_file(connection, 1, FileStat("y.md", 1, 1, 1, 1))
    seen.append(revision())
    with database.write() as connection:
        remove_file(connection, 1)
    seen.append(revision())
    assert seen == sorted(set(seen))
    with database.write() as connection:
        connection.execute("INSERT INTO embedding (model_id, hash, vector) VALUES (1, x'01', x'00000000')")
    assert revision() == seen[-1]
    database.close()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("tag", ["z", "a", "note"]),
        ("todo", ["TODO", "DONE"]),
        ("priority", ["A"]),
        ("property", ["Effort", "status"]),
        ("type", ["markdown", "org"]),
        ("path", ["b.org", "w/a.md"]),
        ("title", ["Bee", "a"]),
    ],
)
def test_values_in_use_are_told_each_once(tmp_path, kind, expected):
    database = Database(tmp_path / "index.db")
    Stored(database).put(
        Note(
            "b.org",
            (Section(tags=("z",), todo="TODO"), Section(tags=("z", "a"), todo="TODO", priority="A")),
            type="org",
            title="Bee",
        ),
        Note("w/a.md", (Section(todo="DONE", properties=(("Effort", "1"),)),), tags=("note",), properties=(("status", "x"),)),
    )
    with database.read() as connection:
        assert tags_in_use(connection) == ["a", "z"]
        assert values_in_use(connection, kind) == expected
    database.close()
