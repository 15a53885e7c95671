"""How a query may go on. The caret is the bar."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.core.errors import UsageError
from khoj_ls.query.complete import MOST_OFFERED, complete_filters
from khoj_ls.query.parse import parse
from khoj_ls.query.types import FILTERS

TODAY = date(2024, 5, 15)
VALUES = {
    "tag": ["work", "work/home", "Über", "fun", "two words", 'qu"ote', "homework"],
    "type": ["markdown", "org"],
    "todo": ["TODO", "DONE"],
    "priority": ["A"],
    "property": ["effort", "my prop"],
    "path": ["Road Map.org", "journal/2024/a.md", "journal/b.md"],
    "title": ["Road map", "Straße"],
}
NAMES = [
    "file:",
    "path:",
    "title:",
    "heading:",
    "type:",
    "tag:",
    "todo:",
    "priority:",
    "prop:",
    "linksto:",
    "dt:",
    "dt>=",
    "dt<",
]

NOTES = ["file:journal/2024/a.md", "file:journal/b.md"]


def offered(marked: str, values=VALUES.__getitem__) -> list[str]:
    """The whole query as each completion would leave it."""
    offset = marked.index("|")
    text = marked.replace("|", "", 1)
    return [text[: each.start] + each.text + text[each.end :] for each in complete_filters(text, offset, values, TODAY)]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("|", NAMES),
        ("words |", [f"words {name}" for name in NAMES]),
        ("t|", ["title:", "type:", "tag:", "todo:"]),
        ("-ta|", ["-tag:"]),
        ("(ta|", ["(tag:"]),
        ("Ta|", ["tag:"]),
        ("x ta| y", ["x tag: y"]),
        ("ta|gs:x", ["tag:x"]),
        ("d|", ["dt:", "dt>=", "dt<"]),
        ("zzz|", []),
        ("a/t|", []),
        ('"some t|', ['"some title:', '"some type:', '"some tag:', '"some todo:']),  # an open quote is no phrase yet
        ('"some t|ext"', []),
        ('tag:"two t|ext"', []),
        ("tag:|", ["tag:work", "tag:work/home", "tag:Über", "tag:fun", 'tag:"two words"', 'tag:“qu"ote”', "tag:homework"]),
        ("tag:wo|", ["tag:work", "tag:work/home", 'tag:"two words"', "tag:homework"]),
        ("tag:#wo|", ["tag:work", "tag:work/home", 'tag:"two words"', "tag:homework"]),
        ("tag:ÜB|", ["tag:Über"]),
        ("-tag:f|", ["-tag:fun"]),
        ('tag:"two w|', ['tag:"two words"']),
        ('tag:"two w|" rest', ['tag:"two words" rest']),
        ("tag:w|or rest", ["tag:work rest", "tag:work/home rest", 'tag:"two words" rest', "tag:homework rest"]),
        ("type:|", ["type:markdown", "type:org"]),
        ("todo:d|", ["todo:DONE", "todo:TODO"]),
        ("priority:|", ["priority:A"]),
        ("prop:|", ["prop:effort=", 'prop:"my prop="']),
        ("prop:effort=|", []),
        ("title:str|", ["title:Straße"]),
        ("linksto:ro|", ['linksto:"Road map"']),
        ("linksto:[[ro|", ['linksto:"Road map"']),
        ("file:|", ["file:*.md", "file:*.org", "file:journal/", "file:journal/2024/", 'file:"Road Map.org"', *NOTES]),
        ("path:j|", ["path:journal/", "path:journal/2024/", "path:journal/2024/a.md", "path:journal/b.md"]),
        ("dt>=last w|", []),
        ('dt>="last w|', ['dt>="last week"']),
        ("dt:to|", ["dt:today"]),
        ("heading:x|", []),
        ("foo:x|", []),
        ("http://t|", []),
        ("12:3|", []),
    ],
)  # fmt: skip
def test_a_query_goes_on(marked, expected):
    assert offered(marked) == expected


def test_details_say_what_it_does():
    [today, *_] = complete_filters("dt:today", 8, VALUES.__getitem__, TODAY)
    assert (today.kind, today.detail) == ("value", "2024-05-15 until before 2024-05-16")
    [tag] = complete_filters("tag", 3, VALUES.__getitem__)
    assert (tag.kind, tag.detail) == ("name", "sections by tag, inherited or the note's own, as in tag:work")


def test_only_values_of_the_kind_at_the_caret_are_asked_for_and_few_are_offered():
    asked = []

    def values(kind):
        asked.append(kind)
        return [f"tag{number}" for number in range(10_000)]

    assert len(offered("tag:|", values)) == MOST_OFFERED
    assert asked == ["tag"]
    offered("words and ti|", values)
    assert asked == ["tag"]


@given(st.text(alphabet=st.sampled_from('tag:file=dt"“„-+ ()[]ü\n\0x'), max_size=30), st.integers(-1, 31))
def test_whatever_stands_there_what_is_offered_can_be_read(text, offset):
    for each in complete_filters(text, offset, VALUES.__getitem__, TODAY):
        assert 0 <= each.start <= each.end <= len(text)
        if each.kind == "value":
            prefix = text[: each.start].rstrip(":=<>").rpartition("-")[2].rpartition("+")[2]
            name = next((name for name in FILTERS if prefix.lower().endswith(name)), None)
            try:
                assert name and parse(f"{name}:{each.text}", TODAY).filters
            except UsageError as error:
                raise AssertionError(each) from error
