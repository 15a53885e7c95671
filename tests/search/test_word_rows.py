"""Words in arrays say what FTS5 says of them, whatever was written since they were read."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khoj_ls.core.types import Entry, ParsedFile, Span
from khoj_ls.search.bm25 import ENTRIES, NAMES, NOTES, PARTLY, ranked_twice
from khoj_ls.search.filters.rows import RowSet
from khoj_ls.search.word_rows import everywhere, ranked
from khoj_ls.search.word_states import NAMING, WordStates
from khoj_ls.search.words import any_of
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, move_file, remove_file, replace_file

WORDS = ("pond", "router", "heron", "fixing", "ünder", "roof", "tile", "x7")
EVERY = 10_000


class Notes:
    """A vault's notes by path, of some words each, written and read again as arrays."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "index.db")
        self.states = WordStates(folder / "words.postings")
        self.ids: dict[str, int] = {}

    def write(self, path: str, title: str | None, sections: Sequence[tuple[str, str]]) -> None:
        entries = tuple(Entry(Span(0, 1, 1, 1), 1, heading, (), None, body, body) for heading, body in sections or [("", "")])
        stat = FileStat(path, 1, 1, 1, 1)
        with self.database.write() as connection:
            self.ids[path] = replace_file(
                connection, stat, content_hash(repr(sections).encode()), ParsedFile("markdown", title, entries)
            )

    def move(self, path: str, to: str) -> None:
        if path not in self.ids or path == to:
            return
        self.remove(to)
        with self.database.write() as connection:
            self.ids[to] = self.ids.pop(path)
            move_file(connection, self.ids[to], FileStat(to, 1, 1, 1, 1))

    def remove(self, path: str) -> None:
        if path not in self.ids:
            return
        with self.database.write() as connection:
            remove_file(connection, self.ids.pop(path))

    def renew(self) -> None:
        self.states.renew(self.database)

    def open(self) -> None:
        self.states = WordStates(self.database.path.with_name("words.postings"))

    def close(self) -> None:
        self.database.close()


def by_arrays(notes, asked, table, allowed=None, pool=EVERY):
    with notes.database.read() as connection:
        state = notes.states.of(connection)
        words = state.entries if table is ENTRIES else state.notes
        hits = [words.look_up(stem) for (stem,) in state.stems.of(asked)]
        return ranked(words, hits, pool, allowed, NAMING + 1)


def by_fts(notes, asked, table):
    """The same by FTS5: scores, with less for a row that lacks a word which any row holds, and the scores of names."""
    with notes.database.read() as connection:
        found = ranked_twice(connection, table, NAMES if table is NOTES else (), [any_of(asked)], EVERY)
        held = [ranked_twice(connection, table, (), [any_of([word])], EVERY) for word in asked]
    held = [rows for rows in held if rows]
    return {
        row: (score if all(row in rows for rows in held) else PARTLY * score, named) for row, (score, named) in found.items()
    }


def agreed(notes, asked):
    for table in (ENTRIES, NOTES):
        arrays, fts = by_arrays(notes, asked, table), by_fts(notes, asked, table)
        assert arrays.keys() == fts.keys()
        for row, (score, naming) in arrays.items():
            assert score == pytest.approx(fts[row][0], rel=1e-5)
            if table is NOTES:
                assert naming == pytest.approx(fts[row][1], rel=1e-5)
        scores = [score for score, _ in arrays.values()]
        assert scores == sorted(scores, reverse=True)


paths = st.sampled_from(["a.md", "b.md", "pond/heron.md", "roof.md"])
texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
sections = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
written = st.tuples(st.just("write"), paths, st.none() | texts, sections)
moved = st.tuples(st.just("move"), paths, paths)
removed = st.tuples(st.just("remove"), paths)
renewed = st.tuples(st.just("renew"))
opened = st.tuples(st.just("open"))
steps = st.lists(written | moved | removed | renewed | opened, min_size=1, max_size=12)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.lists(st.sampled_from((*WORDS, "zebra")), min_size=1, max_size=3, unique=True))
def test_arrays_agree_with_fts5_after_any_changes(steps, asked):
    with tempfile.TemporaryDirectory() as name:
        notes = Notes(Path(name))
        notes.write("a.md", "Pond", [("Router", "the pond and the router"), ("Tile", "roof")])
        notes.write("roof.md", None, [("", "x7 heron")])
        notes.renew()
        for kind, *rest in steps:
            getattr(notes, kind)(*rest)
            agreed(notes, asked)
        notes.close()


@pytest.fixture
def notes(tmp_path):
    notes = Notes(tmp_path)
    numbers = random.Random(4)
    for number in range(60):
        words = " ".join(numbers.choices(WORDS, weights=(40, 20, 10, 5, 3, 2, 1, 1), k=numbers.randint(1, 12)))
        notes.write(f"note{number}.md", None, [(numbers.choice(WORDS), words)])
    yield notes
    notes.close()


@pytest.mark.parametrize("asked", [["pond"], ["pond", "router", "heron"], ["tile", "pond"], ["x7", "roof", "zebra"]])
@pytest.mark.parametrize("pool", [1, 5, 30])
@pytest.mark.parametrize("every", [1, 2, 7])
def test_the_best_are_the_best_of_all(notes, asked, pool, every):
    notes.renew()
    allowed = RowSet.of(range(0, 1000, every))
    best = [row for row in by_arrays(notes, asked, ENTRIES) if row in allowed][:pool]
    assert list(by_arrays(notes, asked, ENTRIES, allowed.mask, pool)) == best
    assert by_arrays(notes, asked, ENTRIES, b"", pool) == {}


def test_rows_with_all_words_in_what_they_are_called(notes):
    notes.write("pond/heron.md", "Tile", [("Fixing the pond", "roof"), ("Pond", "heron fixing")])
    with notes.database.read() as connection:
        state = notes.states.of(connection)
        (entry,) = connection.execute("SELECT id FROM entry WHERE heading = 'Fixing the pond'").fetchone()
    look = state.entries.look_up
    assert everywhere(state.entries, [look("fix"), look("pond")], NAMING) == [entry]
    look = state.notes.look_up
    assert everywhere(state.notes, [look("heron"), look("pond"), look("tile")], NAMING) == [notes.ids["pond/heron.md"]]
    assert everywhere(state.notes, [look("roof"), look("pond"), look("tile")], NAMING) == []
    assert everywhere(state.notes, [look("zebra"), look("pond")], NAMING) == []
