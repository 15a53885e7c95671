"""Replacing, moving and removing files, seen through the word index."""

from __future__ import annotations

import sqlite3

import pytest

from khoj_ls.core.text import spaced
from khoj_ls.core.types import Anchor, Entry, Link, ParsedFile, Problem, Span
from khoj_ls.store.database import Database
from khoj_ls.store.entries import file_entries
from khoj_ls.store.files import FileStat, content_hash, file_rows, move_file, remove_file, replace_file


def stat(path: str) -> FileStat:
    return FileStat(path, 10, 1, 1, 1)


def note(*sections: tuple[str, str], title: str | None = None) -> ParsedFile:
    entries = []
    line = 1
    for heading, body in sections:
        raw = f"# {heading}\n{body}\n"
        entries.append(Entry(Span(0, len(raw), line, line + 1), 1, heading, (), None, raw, f"\n{body}\n"))
        line += 2
    return ParsedFile("markdown", title, tuple(entries))


def put(database, path: str, parsed: ParsedFile) -> int:
    with database.write() as connection:
        return replace_file(connection, stat(path), content_hash(repr(parsed).encode()), parsed)


def found(database, words: str, table: str = "entry_fts") -> list[int]:
    with database.read() as connection:
        return [row[0] for row in connection.execute(f"SELECT rowid FROM {table} WHERE {table} MATCH ?", (words,))]


def headings(database, words: str) -> list[str]:
    ids = found(database, words)
    with database.read() as connection:
        return sorted(connection.execute("SELECT heading FROM entry WHERE id = ?", (i,)).fetchone()[0] for i in ids)


def test_an_entry_is_found_by_body_heading_and_title(database):
    put(database, "a.md", note(("Router", "channel 36"), ("Bread", "sour dough"), title="Home"))
    assert headings(database, "channel") == ["Router"]
    assert headings(database, "bread") == ["Bread"]
    assert headings(database, "home") == ["Bread", "Router"]


def test_an_untitled_note_is_found_by_its_file_name(database):
    put(database, "garden/plum_tree.md", note(("One", "text")))
    assert headings(database, "title:plum_tree") == ["One"]
    assert len(found(database, "plum", "file_fts")) == 1


def test_a_file_name_in_humps_is_several_words(database):
    put(database, "garden/PlumTree.md", note(("One", "text")))
    put(database, "garden/myHTTPServer.md", note(("One", "text")))
    counts = {
        word: len(found(database, f"name : {word}", "file_fts")) for word in ("plum", "plumtree", "http", "server", "garden")
    }
    assert counts == {"plum": 1, "plumtree": 1, "http": 1, "server": 1, "garden": 2}


def test_the_parts_of_compound_words_are_found_until_the_note_is_gone(database):
    file_id = put(database, "a.md", note(("One", "the MergeScheduler of myHTTPServer"), ("Two", "Merge")))
    words = ("mergescheduler", "scheduler", "merge", "http", "server", "myhttpserver")
    assert [len(found(database, word)) for word in words] == [1, 1, 2, 1, 1, 1]
    with database.write() as connection:
        remove_file(connection, file_id)
    assert [found(database, word) + found(database, word, "file_fts") for word in words] == [[]] * len(words)


def test_words_of_an_older_way_are_made_anew(tmp_path):
    path = tmp_path / "older.db"
    database = Database(path)
    file_id = put(database, "PlumTree.md", note(("One", "text")))
    database.close()
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "INSERT INTO file_fts (file_fts) VALUES ('delete-all');"
            f"INSERT INTO file_fts (rowid, name, title, tags, body) VALUES ({file_id}, 'PlumTree md', 'PlumTree', '', 'text');"
            "DELETE FROM _sqlite_migrations WHERE name = 'm003_words'; PRAGMA user_version = 2;"
        )
    database = Database(path)
    assert found(database, "plum", "file_fts") == [file_id]
    with database.write() as connection:
        remove_file(connection, file_id)
    assert found(database, "plum OR plumtree OR text", "file_fts") == []
    database.close()


def test_replacing_keeps_the_rows_of_unchanged_entries(database):
    put(database, "a.md", note(("One", "alpha"), ("Two", "beta")))
    before = {heading: found(database, heading) for heading in ("one", "two")}
    put(database, "a.md", note(("Zero", "new"), ("One", "alpha"), ("Two", "gamma")))
    assert found(database, "one") == before["one"]
    assert headings(database, "beta") == []
    assert headings(database, "gamma") == ["Two"]
    with database.read() as connection:
        assert [row.heading for row in file_entries(connection, "a.md")] == ["Zero", "One", "Two"]


def test_a_new_title_reaches_the_words_of_unchanged_entries(database):
    put(database, "a.md", note(("One", "alpha"), title="Old"))
    put(database, "a.md", note(("One", "alpha"), title="Fresh"))
    assert headings(database, "title:old") == []
    assert headings(database, "title:fresh") == ["One"]


def test_moving_changes_only_what_comes_from_the_name(database):
    file_id = put(database, "old_name.md", note(("One", "alpha")))
    row = found(database, "alpha")
    with database.write() as connection:
        move_file(connection, file_id, stat("box/shiny.md"))
    assert found(database, "alpha") == row
    assert found(database, "old_name") == []
    assert headings(database, "shiny") == ["One"]
    assert found(database, "box", "file_fts") == [file_id]


def test_removing_leaves_no_word_behind(database):
    put(database, "keep.md", note(("Keep", "common words")))
    file_id = put(database, "gone.md", note(("Gone", "common secret")))
    with database.write() as connection:
        remove_file(connection, file_id)
    assert found(database, "secret") == []
    assert headings(database, "common") == ["Keep"]
    with database.read() as connection:
        terms = {row[0] for row in connection.execute("SELECT term FROM entry_vocab")}
        assert "secret" not in terms
        assert list(file_rows(connection)) == ["keep.md"]


def test_a_failed_file_is_remembered_with_its_reason(database):
    put(database, "bad.md", ParsedFile("markdown", None, (), problems=(Problem("error", "unreadable", "cannot be read"),)))
    with database.read() as connection:
        assert file_rows(connection)["bad.md"].failure == "cannot be read"


def test_links_and_anchors_are_replaced_with_the_file(database):
    span = Span(0, 5, 1, 1)
    entry = Entry(
        span, 0, "", (), None, "[[b]]", "b", links=(Link("wikilink", "b", None, span),), anchors=(Anchor("id", "x", span),)
    )
    for _ in range(2):
        put(database, "a.md", ParsedFile("markdown", None, (entry,)))
    with database.read() as connection:
        assert connection.execute("SELECT target FROM link").fetchall() == [("b",)]
        assert connection.execute("SELECT kind, name FROM anchor").fetchall() == [("id", "x")]


@pytest.mark.parametrize(
    ("text", "word"),
    [("我在深圳修理路由器", "路由"), ("ルーターを直した", "直し"), ("한국어로 쓴 메모", "메모"), ("ซ่อมเราเตอร์แล้ว", "เราเตอร์")],
)
def test_a_word_inside_unspaced_script_is_found(database, text, word):
    put(database, "a.md", note(("x", text)))
    assert len(found(database, f'"{spaced(word)}"')) == 1
