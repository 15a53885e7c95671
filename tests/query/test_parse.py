"""What a query asks for."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.core.errors import UsageError
from khoj_ls.query.parse import MAX_FILTERS, MAX_QUERY_CHARS, parse
from khoj_ls.query.types import FILTERS, DateFilter, Filter, PropertyFilter, Query

TODAY = date(2024, 5, 15)

PHRASES = [
    ("plain words", Query("plain words")),
    ('fix "the router" now', Query("fix the router now", ("the router",))),
    ('+"two words" x', Query("two words x", ("two words",))),
    ('x -"not this"', Query("x", (), ("not this",))),
    ('-"über" -"alles" x', Query("x", (), ("über", "alles"))),
    ("“curly” and „low“", Query("curly and low", ("curly", "low"))),
    ('"across\n  lines"', Query("across lines", ("across lines",))),
    ('+"русский текст" -"中文"', Query("русский текст", ("русский текст",), ("中文",))),
    ('"שלום עולם"', Query("שלום עולם", ("שלום עולם",))),
    ('24" screen and 27" screen', Query('24" screen and 27" screen')),
    ('print("hello")', Query("print( hello )", ("hello",))),
    ('half "open', Query('half "open')),
    ('""', Query("")),
    ('"see file:x here"', Query("see file:x here", ("see file:x here",))),
    ("-word --flag a-b", Query("-word --flag a-b")),
    ("tab\tNUL\0bell\a", Query("tab NUL bell")),
    ('NEAR(a b) AND * "', Query('NEAR(a b) AND * "')),
    ("", Query("")),
]


@pytest.mark.parametrize(("text", "expected"), PHRASES)
def test_a_query_is_read(text, expected):
    assert parse(text) == expected


VALUES = [
    ('file:"*.org"', Filter("file", "*.org")),
    ('-file:"b.org"', Filter("file", "b.org", excluded=True)),
    ('+file:"b.org"', Filter("file", "b.org")),
    ("file:a.org", Filter("file", "a.org")),
    ("File:a.org", Filter("file", "a.org")),
    ("path:journal/2024", Filter("path", "journal/2024")),
    ("tag:work", Filter("tag", "work")),
    ("tag:#work", Filter("tag", "#work")),
    ("tag:日本語", Filter("tag", "日本語")),
    ("-tag:über", Filter("tag", "über", excluded=True)),
    ("tag:work,", Filter("tag", "work")),
    ("(tag:work)", Filter("tag", "work")),
    ("title:f(x)", Filter("title", "f(x)")),
    ("todo:WAITING", Filter("todo", "WAITING")),
    ("priority:A", Filter("priority", "A")),
    ("type:org", Filter("type", "org")),
    ('title:"two  words"', Filter("title", "two words")),
    ('title:"[draft] x"', Filter("title", "[draft] x")),
    ("title:“curly quotes”", Filter("title", "curly quotes")),
    ("title:„low quotes“", Filter("title", "low quotes")),
    ('title:"not closed', Filter("title", "not closed")),
    ("heading:fix", Filter("heading", "fix")),
    ("linksto:[[My note]]", Filter("linksto", "My note")),
    ("prop:effort=1:00", PropertyFilter("effort", "1:00")),
    ("prop:effort", PropertyFilter("effort", None)),
    ("-prop:effort=", PropertyFilter("effort", "", excluded=True)),
    ('prop:status="in progress"', PropertyFilter("status", "in progress")),
    ('prop:"my status=in progress"', PropertyFilter("my status", "in progress")),
    ('dt:"2024-01-01"', DateFilter("2024-01-01", "2024-01-02")),
    ("dt=2024-01-01", DateFilter("2024-01-01", "2024-01-02")),
    ("-dt:2024", DateFilter("2024-01-01", "2025-01-01", excluded=True)),
    ("dt>=2024-05", DateFilter("2024-05-01", None, bounds=True)),
    ("dt>2024-05", DateFilter("2024-06-01", None, bounds=True)),
    ('dt<"last week"', DateFilter(None, "2024-05-06", bounds=True)),
    ('dt<="last week"', DateFilter(None, "2024-05-13", bounds=True)),
    ("dt:>=2024", DateFilter("2024-01-01", None, bounds=True)),
]


@pytest.mark.parametrize("around", ["{}", "one {} two", "one two {}", "{} one two", "one\t{}\ntwo"])
@pytest.mark.parametrize(("written", "meant"), VALUES)
def test_a_filter_is_read_wherever_it_stands_and_is_no_text(written, meant, around):
    # A value whose quotes are still open takes all that follows.
    around = "one two {}" if written.endswith("closed") else around
    query = parse(around.format(written), TODAY)
    assert query.filters == (meant,)
    assert query.text.replace("(", "").split() == around.format("").split()


PLAIN = [
    "http://x",
    "file:///home/me/x",
    "see https://a.b/c?d=e:f",
    "12:30",
    "at 12:30:45",
    "std::vector",
    "type::member",
    "title:: a Logseq field",
    "note: remember",
    "title: as in front matter",
    "C:\\dir",
    "c:/dir",
    "re: your mail",
    ":smile: :tag: :file:",
    "mailto:me@x.org",
    "localhost:8080",
    "doi:10.1000/182",
    "urn:isbn:0451450523",
    "cite:knuth84",
    "user@host:path",
    "a:b",
    "x:y:z",
    "TODO:fix",
    "// TODO:fix this",
    "f(title:string)",
    '{name:"foo"}',
    "path:=x",
    "dt = 5",
    "dt=0.01",
    "dt>0",
    "dx/dt>0",
    'file="x"',
    "tag=x",
    "tag: ",
    "tag:",
    "tag:,",
    "--tag:x",
    "untagged:x",
    "Python:3.11",
    "width:100px",
    "זמן:ערך",
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_merely_has_a_colon_stays_text(text):
    query = parse(text)
    assert query == Query(" ".join(text.split()))


PROSE = "A note that was pasted whole says many things, and some of them have colons. " * 6
PASTED = [f'{PROSE} lang:"en" tags:work', f"{PROSE} dt:soon", 'Settings\nlang:"en"\ntags:work', 'tag:"' + "x" * 2000]


@pytest.mark.parametrize("text", PASTED)
def test_a_pasted_text_is_no_wrong_query(text):
    assert parse(text) == Query(" ".join(text.split()))


WRONG = [
    ('foo:"x"', "no filter foo:.* Known are file:, path:, .*dt:.*blank after the colon"),
    ('-lang:"en"', "no filter lang:"),
    ("x tags:work", "no filter tags: Did you mean tag: "),
    ('flie:"x"', "no filter flie: Did you mean file: "),
    ("folder:x", "Did you mean path: "),
    ("properties:a=b", "Did you mean prop: "),
    ('tag:""', "tag: wants a value, as in tag:work"),
    ('tag:"  "', "tag: wants a value"),
    ('prop:"=x"', "prop: wants a name"),
    ("dt:soon", "dt: 'soon' is no date"),
    ("dt:2024-13-01", "'2024-13-01' is no date"),
    ('tag:"' + "x" * 301, "301 characters"),
    (" ".join(f"tag:t{n}" for n in range(MAX_FILTERS + 1)), "30 filters"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_filter_is_named_and_told_from_those_there_are(text, message):
    with pytest.raises(UsageError, match=message):
        parse(text)


def test_filters_phrases_and_words_mix_freely():
    query = parse('tag:a the "big plan" -tag:b -"old plan" file:x of dt:2024 tag:a us', TODAY)
    assert query == Query(
        "the big plan of us",
        ("big plan",),
        ("old plan",),
        (Filter("tag", "a"), Filter("tag", "b", True), Filter("file", "x"), DateFilter("2024-01-01", "2025-01-01")),
    )


def test_every_filter_has_an_example_that_is_one():
    for name, kind in FILTERS.items():
        assert [each.name for each in parse(kind.example, TODAY).filters] == [name]


SIGNS = '"“”„-+ :=()[]*\0\u202e\n\\/,'
WORDS = ("[[", "]]", "NEAR", "שלום", "🦉", "tag:", "file:", "prop:a=", "dt:2024", "x", "日本")
FRAGMENTS = st.sampled_from([*SIGNS, *WORDS])


@given(st.one_of(st.text(), st.lists(FRAGMENTS, max_size=20).map("".join)))
def test_every_text_is_a_query_or_wrong_for_a_reason(text):
    try:
        query = parse(text, TODAY)
    except UsageError as error:
        assert str(error)
        return
    assert not any(char < " " for char in query.text)
    assert all(phrase.strip() for phrase in (*query.required, *query.excluded))


@pytest.mark.parametrize("piece", ["x", '"', "„", "tag:a ", "a:b ", 'x:"', "(tag:x ", "tag:,) ", "-", "tag:" + ")" * 50 + " "])
def test_a_book_is_not_read_to_its_end(piece):
    assert len(parse((piece * 100_000)[:100_000]).text) <= MAX_QUERY_CHARS
