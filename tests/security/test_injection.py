"""No note and no question writes SQL, or an expression of FTS5: both are data wherever they go."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from session_driver import Session

from khoj_ls.config.settings import EmbeddingSettings, Settings
from khoj_ls.core.errors import KhojError
from khoj_ls.search.types import SearchRequest

TEXTS = [
    "'; DROP TABLE file; --",
    '"; DELETE FROM entry; --',
    "x' OR '1'='1",
    "') UNION SELECT sql FROM sqlite_master --",
    '" OR title:* NEAR(a b) AND NOT "',
    "entry_fts MATCH 'x' {title body}: ^a*",
    "a\0b'; ATTACH DATABASE '/nowhere/x' AS x; --",
    "%_[]?*\\",
    "$1 :name @name ?1",
    "\ud800 \U0010ffff '",
]
FILTERS = ["tag", "todo", "priority", "type", "file", "path", "title", "heading", "prop", "linksto"]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Notes that say nothing else: as text, title, tag, property, link, id and file name."""
    base = tmp_path_factory.mktemp("injection")
    notes = base / "notes"
    notes.mkdir()
    for number, text in enumerate(TEXTS):
        text = text.encode(errors="replace").decode().replace("\0", "")
        name = text.replace("/", "")
        (notes / f"{number} {name}.md").write_text(
            f"---\ntitle: >-\n  {text}\ntags: [{text!r}]\nkey: {text!r}\n---\n# {text}\n\n{text} albatross [[{text}]] #{text}\n"
        )
        (notes / f"{number}.org").write_text(
            f"#+title: {text}\n* TODO {text} :{text}:\n:PROPERTIES:\n:ID: {text}\n:END:\n{text}\n"
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHOJ_LS_HOME", str(base / "home"))
        session = Session(notes, settings=replace(Settings(), embedding=EmbeddingSettings(model="/none")))
        session.index()
        yield session
        session.close()


def database(session: Session) -> Path:
    return next(Path(folder) for folder in (session.vaults.folders.data / "vaults").glob("*/index.db"))


def content(session: Session) -> tuple[list[tuple[str]], dict[str, int]]:
    """The schema, and how many rows each table has."""
    with closing(sqlite3.connect(database(session))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        schema = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        tables = ["file", "entry", "link", "anchor"]
        return schema, {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def test_all_notes_are_indexed_as_they_are(session: Session) -> None:
    _, rows = content(session)
    assert rows["file"] == 2 * len(TEXTS)
    assert not session.vault.status().failures


@pytest.mark.parametrize("text", TEXTS)
def test_no_question_changes_anything_or_fails_as_sql(session: Session, text: str) -> None:
    before = content(session)
    queries = [text, f'"{text}"', *(f'{name}:"{text}"' for name in FILTERS), *(f"-{name}:{text}" for name in FILTERS)]
    for query in queries:
        try:
            session.vault.search(SearchRequest(query, mode="lexical"))
        except KhojError as error:
            # A wrong filter is told in words; that the database could not read it would be another error.
            assert error.code == "khoj.usage", (query, error)
    assert content(session) == before


def test_what_is_asked_for_literally_is_found(session: Session) -> None:
    found = session.vault.search(SearchRequest("DROP TABLE file albatross", mode="lexical")).hits
    assert "DROP TABLE" in found[0].snippet
