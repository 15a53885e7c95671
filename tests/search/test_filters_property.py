"""A search with filters finds what a search without them finds among the entries that pass, whatever the notes and filters."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from filtered_notes import Note, Section, Stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khoj_ls.query.parse import parse
from khoj_ls.search.lexical import match_words
from khoj_ls.search.scope import scope_of
from khoj_ls.search.statistics import StatisticsCache
from khoj_ls.store.database import Database

TODAY = date(2024, 5, 15)
DAYS = ("2023-12-31", "2024-01-01", "2024-01-31T23:59", "2024-05-14", "2024-05-15")
WORDS = ("plum", "pear", "fig", "zebra")
TAGS = ("work", "office/home", "Über", "fun")
HEADINGS = ("", "Plan", "Planung", "ÜBER uns", "2024-01-01 Monday")

bodies = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
dates = st.one_of(st.sampled_from(DAYS), st.tuples(st.sampled_from(DAYS[:2]), st.sampled_from(DAYS[3:])))
sections = st.builds(
    Section,
    heading=st.sampled_from(HEADINGS),
    body=bodies,
    outline=st.lists(st.sampled_from(HEADINGS[1:]), max_size=2).map(tuple),
    todo=st.sampled_from((None, "TODO", "DONE")),
    priority=st.sampled_from((None, "A", "B")),
    tags=st.lists(st.sampled_from(TAGS), unique=True, max_size=2).map(tuple),
    properties=st.lists(
        st.tuples(st.sampled_from(("Effort", "owner")), st.sampled_from(("1", "Böb", '["1","2"]'))), max_size=2
    ).map(tuple),
    dates=st.lists(dates, max_size=2).map(tuple),
)
PATHS = ("a.md", "b.org", "office/Plan.md", "office/2024-01-31.md", "2024_05_14.org", "deep/office/c.txt")
note = st.builds(
    Note,
    path=st.just(""),
    sections=st.lists(sections, min_size=1, max_size=5).map(tuple),
    type=st.sampled_from(("markdown", "org")),
    title=st.sampled_from((None, "Plan B", "Über alles")),
    aliases=st.lists(st.sampled_from(("Master plan",)), max_size=1).map(tuple),
    tags=st.lists(st.sampled_from(TAGS), unique=True, max_size=1).map(tuple),
    properties=st.lists(st.just(("owner", "Ann")), max_size=1).map(tuple),
    dates=st.lists(st.sampled_from(DAYS), max_size=1).map(tuple),
    changed=st.sampled_from(("2023-12-31", "2024-05-14")),
)
vaults = st.lists(note, min_size=1, max_size=len(PATHS)).map(
    lambda notes: tuple(
        Note(path, *(getattr(each, name) for name in list(Note.__dataclass_fields__)[1:]))
        for path, each in zip(PATHS, notes, strict=False)
    )
)

FILTERS = (
    *(
        "file:plan",
        "file:.md",
        'file:"*.org"',
        "file:office/",
        "path:work",
        "path:/office/",
        "title:plan",
        "title:ÜBER",
        "title:plan*",
    ),
    *(
        "heading:plan",
        "heading:über",
        "heading:*",
        "type:org",
        "type:md",
        "tag:work",
        "tag:office/home",
        "tag:über",
        "tag:*",
        "tag:f*n",
    ),
    *(
        "todo:todo",
        "todo:done",
        "todo:*",
        "priority:a",
        "priority:*",
        "prop:effort",
        "prop:effort=1",
        "prop:owner=böb",
        "prop:*=2",
    ),
    *(
        "dt:2024",
        "dt:2024-01",
        "dt:2024-01-01",
        "dt>=2024-01-31",
        "dt>2024-01-31",
        "dt<2024-05-15",
        "dt<=2024-05-14",
        "dt:yesterday",
    ),
)
queries = st.lists(
    st.tuples(st.sampled_from(("", "", "-")), st.sampled_from(FILTERS)).map("".join), min_size=1, max_size=4
).map(" ".join)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(vaults, queries, st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join))
def test_a_filtered_search_is_the_search_of_what_passes(notes, filters, text):
    query = parse(f"{text} {filters}", TODAY)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "index.db")
        stored = Stored(database).put(*notes)
        names = {row: name for name, row in stored.ids.items()}
        with database.read() as connection:
            scope = scope_of(connection, query, None)
            assert {names[row] for row in scope.rows} == stored.expected(query.filters)
            statistics = StatisticsCache().of(connection, None)
            everything = match_words(connection, statistics, query.text, 1000)
            confined = match_words(connection, statistics, query.text, 1000, scope=scope)
        assert confined.entries == {row: score for row, score in everything.entries.items() if row in scope.rows}
        assert confined.notes == {row: score for row, score in everything.notes.items() if row in scope.notes}
        database.close()
