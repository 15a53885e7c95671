"""Which entries each filter keeps: a truth table for each."""

from __future__ import annotations

from datetime import date

import pytest
from filtered_notes import Note, Section, Stored

from khoj_ls.query.parse import parse
from khoj_ls.search.filters.cache import ScopeCache
from khoj_ls.search.filters.listing import listed
from khoj_ls.search.scope import scope_of
from khoj_ls.store.database import Database
from khoj_ls.store.files import remove_file

TODAY = date(2024, 5, 15)

NOTES = (
    Note(  # a
        "work/Road Map.org",
        (
            Section("Goals", todo="TODO", priority="A", tags=("Project", "q3"), properties=(("EFFORT", "1:00"),)),
            Section("Risks", outline=("Goals",), todo="WAITING", tags=("Project", "q3/late"), dates=("2024-05-01T09:30",)),
            Section("Done [draft]", todo="DONE", priority="B", tags=("Project",), dates=(("2024-12-30", "2025-01-02"),)),
        ),
        type="org",
        title="The Road map",
        aliases=("Plan", "Der große Plan"),
        tags=("Project",),
        properties=(("status", "in progress"), ("team", '["Ann","Böb"]')),
        dates=("2023-11-05",),
        changed="2024-07-01",
    ),
    Note(  # b
        "journal/2024-05-01.md",
        (
            Section("Morning"),
            Section("Coffee", outline=("Morning",), links=("Road Map",)),
            Section("Evening", links=("Plan", "x")),
        ),
        changed="2024-07-01",
    ),
    Note(
        "old/journal/2024_05_02.txt",
        (Section(), Section("2019-08-08 Thursday"), Section("Sub", outline=("2019-08-08 Thursday",))),
        type="text",
    ),  # c
    Note(
        "undated.md", (Section("One", links=("undated#One", "Straße")), Section("Two")), title="Undated", changed="2024-05-14"
    ),  # d
    Note(  # e
        "Straße.md",
        (Section("Über STRASSEN", tags=("Äpfel/rot",), properties=(("name", "Ärger"),), links=("work/Road Map.org#Goals",)),),
        title="Straßen",
        changed="2024-05-14",
    ),
    Note("half.md", (Section("Dated", dates=("2022-02-02",)), Section("Not")), changed="2024-05-14"),  # f
    Note("x.md", (Section("X", body="has [[x]]"),), changed="2001-01-01"),  # g
)
ALL = "a0 a1 a2 b0 b1 b2 c0 c1 c2 d0 d1 e0 f0 f1 g0"

TABLE = [
    # file
    ("file:road", "a0 a1 a2"),
    ('file:"*.org"', "a0 a1 a2"),
    ('file:"*.ORG"', "a0 a1 a2"),
    ("file:journal", ""),
    ("file:journal/", "b0 b1 b2 c0 c1 c2"),
    ('file:"journal/**"', "b0 b1 b2"),
    ('file:"**/journal/*"', "b0 b1 b2 c0 c1 c2"),
    ("file:STRASSE", "e0"),
    ("file:x.md file:half", "f0 f1 g0"),
    ("-file:journal/ -file:.org", "d0 d1 e0 f0 f1 g0"),
    # path
    ("path:journal", "b0 b1 b2 c0 c1 c2"),
    ("path:/journal", "b0 b1 b2 c0 c1 c2"),
    ("path:old/", "c0 c1 c2"),
    ('path:"*.md"', "d0 d1 e0 f0 f1 g0"),
    ("-path:/", ""),
    # title
    ("title:road", "a0 a1 a2"),
    ("title:plan", "a0 a1 a2"),
    ("title:GROSSE", "a0 a1 a2"),
    ("title:undat*", "d0 d1"),
    ("title:ndat*", ""),
    ("title:2024-05", "b0 b1 b2"),
    # heading
    ("heading:goal", "a0 a1"),
    ("heading:Morning", "b0 b1"),
    ("heading:strassen", "e0"),
    ("heading:über", "e0"),
    ('heading:"[draft]"', "a2"),
    ("heading:risks heading:two", "a1 d1"),
    ("heading:*", "a0 a1 a2 b0 b1 b2 c1 c2 d0 d1 e0 f0 f1 g0"),
    ("heading:x", "g0"),
    # type
    ("type:org", "a0 a1 a2"),
    ("type:md -file:journal/ -file:half", "d0 d1 e0 g0"),
    ("type:TXT", "c0 c1 c2"),
    ("type:pdf", ""),
    # tag
    ("tag:project", "a0 a1 a2"),
    ("tag:q3", "a0 a1"),
    ("tag:q3/late", "a1"),
    ("tag:q", ""),
    ("tag:q*", "a0 a1"),
    ("tag:äpfel", "e0"),
    ("tag:#ÄPFEL/ROT", "e0"),
    ("-tag:project", "b0 b1 b2 c0 c1 c2 d0 d1 e0 f0 f1 g0"),
    # todo, priority
    ("todo:todo", "a0"),
    ("todo:*", "a0 a1 a2"),
    ("-todo:DONE todo:*", "a0 a1"),
    ("todo:WAITING todo:DONE", "a1 a2"),
    ("priority:a", "a0"),
    ('priority:"[#B]"', "a2"),
    ("todo:* -priority:*", "a1"),
    # prop
    ("prop:effort=1:00", "a0"),
    ("prop:effort", "a0"),
    ('prop:status="In Progress"', "a0 a1 a2"),
    ("prop:status=in*", "a0 a1 a2"),
    ("prop:status=in", ""),
    ("prop:team=ann", "a0 a1 a2"),
    ("prop:team=BÖB", "a0 a1 a2"),
    ("prop:team=An", ""),
    ("prop:name=ärger", "e0"),
    ("-prop:status prop:*", "e0"),
    # linksto
    ('linksto:"Road Map"', "b1 b2 e0"),
    ('linksto:"road map.org"', "b1 b2 e0"),
    ('linksto:"work/Road Map"', "b1 b2 e0"),
    ("linksto:[[The Road map]]", "b1 b2 e0"),
    ("linksto:plan", "b1 b2 e0"),
    ("linksto:STRASSE", "d0"),
    ("linksto:x", "b2"),
    ("linksto:undated", ""),  # its own link does not count
    ("linksto:nothing", ""),
    ("-linksto:plan path:/journal/2024-", "b0"),
    # dt: the day
    ('dt:"2024-05-01"', "a1 b0 b1 b2"),
    ("dt=2024-05-02", "c0 c1 c2"),
    ("dt:2024-04-30", ""),
    ("dt:2023-11-05", "a0 a1 a2"),
    ("dt:2019-08-08", "c1 c2"),
    ("dt:2024-12-31", "a2"),
    ("dt:2025", "a2"),
    ("dt:2024-05", "a1 b0 b1 b2 c0 c1 c2 d0 d1 e0"),
    # dt: bounds are of half-open days
    ("dt>=2024-05-01 dt<=2024-05-01", "a1 b0 b1 b2"),
    ("dt>2024-05-01 dt<2024-05-02", ""),
    ("dt<2024-05-01 dt>=2024-05-01", ""),
    ("dt>2025-01-02", ""),
    ("dt>=2025-01-02", "a2"),
    ("dt<2002", "g0"),
    # a date must lie within all bounds by itself: a1 has one before and one after
    ("dt>2023-12 dt<2024-05-01", ""),
    # dt: days are alternatives, within the bounds
    ("dt:2019 dt:2024-05-02", "c0 c1 c2"),
    ("dt:2019 dt:2024-05 dt>2024-05-01", "c0 c1 c2 d0 d1 e0"),
    # dt: excluded
    ("-dt:2024-05 -dt>2024-05", "a0 f0 f1 g0"),
    # dt: the file's own day counts only for a note without any date
    ("dt:yesterday", "d0 d1 e0"),
    ('dt:"this week" file:half', ""),
    ("dt:2022-02-02", "f0"),
    ("dt:2022-02-01", ""),
    ("dt<2022-02-02 file:half", ""),
    ("dt:2024-07-01", ""),
    # together
    ("type:org todo:* -todo:done dt:2024-05", "a1"),
    ("tag:project file:journal", ""),
    ('+"text" heading:two', "d1"),
    ("", ALL),
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    database = Database(tmp_path_factory.mktemp("filters") / "index.db")
    yield Stored(database).put(*NOTES)
    database.close()


def kept(stored: Stored, text: str, paths=None, cache=None) -> str:
    with stored.database.read() as connection:
        scope = scope_of(connection, parse(text, TODAY), paths, cache)
    names = {row: name for name, row in stored.ids.items()}
    return " ".join(sorted(names if scope is None else (names[row] for row in scope.rows))) if scope else ALL


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_a_filter_keeps(stored, text, expected):
    assert kept(stored, text) == expected


OTHERWISE_TOLD = ("linksto:", '+"', "**", 'path:"*', "TXT", "[#")
"""What the oracle, which is to be plain, does not know."""


@pytest.mark.parametrize(("text", "expected"), [row for row in TABLE if not any(each in row[0] for each in OTHERWISE_TOLD)])
def test_the_oracle_of_the_property_tests_agrees(stored, text, expected):
    assert " ".join(sorted(stored.expected(parse(text, TODAY).filters))) == expected


@pytest.mark.parametrize(
    ("paths", "text", "expected"),
    [
        (["journal"], "", "b0 b1 b2"),
        (["journal/"], "heading:coffee", "b1"),
        (["work/Road Map.org", "old"], "-todo:*", "c0 c1 c2"),
        ([""], "type:org", "a0 a1 a2"),
        (["jour"], "", ""),
        ([], "", ""),
    ],
)
def test_paths_narrow_as_filters_do(stored, paths, text, expected):
    assert kept(stored, text, paths) == expected


def test_the_notes_of_a_scope_are_those_of_its_entries(stored):
    with stored.database.read() as connection:
        scope = scope_of(connection, parse("todo:waiting heading:sub heading:risks", TODAY), None)
        ids = dict(connection.execute("SELECT path, id FROM file"))
    assert scope is not None
    assert scope.files == {ids["work/Road Map.org"]}
    assert scope.entries == {stored.ids["a1"]}


def test_nothing_asked_is_no_scope(stored):
    with stored.database.read() as connection:
        assert scope_of(connection, parse('words -"not these"', TODAY), None) is None


def test_a_date_in_a_heading_is_a_date_of_the_note(tmp_path):
    database = Database(tmp_path / "index.db")
    stored = Stored(database).put(Note("log.md", (Section("2019-08-08 Thursday"), Section("Other")), changed="2024-05-14"))
    assert (kept(stored, "dt:2019-08-08"), kept(stored, "dt:yesterday")) == ("a0", "")
    database.close()


def test_what_is_remembered_is_forgotten_when_notes_change(tmp_path):
    database = Database(tmp_path / "index.db")
    stored = Stored(database).put(*NOTES)
    cache = ScopeCache()
    assert kept(stored, "tag:new", cache=cache) == kept(stored, "dt:2031", cache=cache) == ""
    stored.put(Note("x.md", (Section("X", tags=("new",)), Section("Y", dates=("2031-01-01",)))))
    assert (kept(stored, "tag:new", cache=cache), kept(stored, "dt:2031", cache=cache)) == ("g0", "g1")
    stored.put(Note("half.md", (Section("Dated", dates=("2022-02-02",)), Section("Not"), Section("Third", todo="NEXT"))))
    assert (kept(stored, "file:half", cache=cache), kept(stored, "todo:next", cache=cache)) == ("f0 f1 f2", "f2")
    with database.write() as connection:
        (file_id,) = connection.execute("SELECT id FROM file WHERE path = 'x.md'").fetchone()
        remove_file(connection, file_id)
    assert (kept(stored, "tag:new", cache=cache), kept(stored, "dt:2031", cache=cache)) == ("", "")
    database.close()


def test_what_is_remembered_is_kept_while_vectors_are_stored(tmp_path):
    database = Database(tmp_path / "index.db")
    Stored(database).put(*NOTES)
    cache = ScopeCache()
    with database.read() as connection:
        before = scope_of(connection, parse("tag:q3"), None, cache)
    with database.write() as connection:
        connection.execute("INSERT INTO embedding (model_id, hash, vector) VALUES (1, x'01', x'00000000')")
    with database.read() as connection:
        assert cache.layout(connection) is cache.layout(connection)
        after = cache.remembered(connection, "never asked", lambda: before.rows)
        assert scope_of(connection, parse("tag:q3"), None, cache) == before
        assert cache.remembered(connection, "never asked", lambda: pytest.fail("asked again")) is after
    database.close()


@pytest.mark.parametrize(
    ("text", "limit", "most", "expected"),
    [
        ("file:road file:x.md", 10, 0, "a0 a1 a2 g0"),
        ("file:.md", 4, 0, "b0 b1 b2 e0"),  # by the time of the note, then by its path
        ("file:.md", 5, 1, "b0 e0 f0 d0 g0"),
        ("file:journal/", 4, 2, "b0 b1 c0 c1"),
        ("file:journal/", 6, 2, "b0 b1 c0 c1 b2 c2"),
        ("heading:evening", 3, 1, "b2"),
        ("tag:none", 3, 1, ""),
    ],
)
def test_filters_alone_list_the_newest_notes_first(stored, text, limit, most, expected):
    with stored.database.read() as connection:
        scope = scope_of(connection, parse(text, TODAY), None)
        rows = listed(connection, scope.rows, scope.notes, limit, most)
    names = {row: name for name, row in stored.ids.items()}
    assert " ".join(names[row[0]] for row in rows) == expected
