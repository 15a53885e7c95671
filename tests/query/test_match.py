"""How the values of filters are compared."""

from __future__ import annotations

import time

import pytest

from khoj_ls.query import match

TABLE = [
    (match.whole, "Work", "WORK", True),
    (match.whole, "work", "works", False),
    (match.whole, "w*k", "Work", True),
    (match.whole, "*", "anything", True),
    (match.whole, "a*a", "a", False),
    (match.whole, "a*b*c", "abc", True),
    (match.whole, "a*b*c", "acb", False),
    (match.whole, "straße", "STRASSE", True),
    (match.whole, "u\u0308ber", "Über", True),
    (match.whole, "uber", "über", False),
    (match.part, "road", "The Roadmap", True),
    (match.part, "road map", "Road  map", True),
    (match.part, "road*", "The road", False),
    (match.part, "why?", "Why? Because", True),
    (match.tag, "work", "work/home", True),
    (match.tag, "#work", "Work", True),
    (match.tag, ":work:", "work", True),
    (match.tag, "work", "homework", False),
    (match.tag, "work", "workshop", False),
    (match.tag, "work*", "workshop", True),
    (match.file_name, "note", "a/My Note.md", True),
    (match.file_name, "a", "a/b.md", False),
    (match.file_name, "*.org", "deep/down/x.org", True),
    (match.file_name, "*.ORG", "x.org", True),
    (match.file_name, "*.org", "x.org.md", False),
    (match.file_name, "a/b", "x/a/b.md", True),
    (match.file_name, "journal/**", "journal/2024/a.md", True),
    (match.file_name, "journal/**", "journal", False),
    (match.file_name, "journal/**", "old/journal/a.md", False),
    (match.file_name, "**/journal/*", "old/journal/a.md", True),
    (match.file_name, "**/journal/*", "journal/a.md", True),
    (match.file_name, "journal/*.md", "journal/2024/a.md", False),
    (match.file_name, "day-??.md", "day-01.md", True),
    (match.file_name, "day-[0-9]?.md", "day-01.md", True),
    (match.file_name, "day-[!0-9]?.md", "day-01.md", False),
    (match.file_name, "[draft]", "[Draft] plan.md", True),
    (match.file_name, "notes\\a.md", "notes/a.md", True),
    (match.file_name, "cafe\u0301", "Café.md", True),
    (match.path, "journal", "old/journal/a.md", True),
    (match.path, "/journal/", "old/journal/a.md", True),
    (match.path, "/ournal", "journal/a.md", False),
    (match.path, "./journal", "journal/a.md", True),
    (match.path, "*.md", "journal/a.md", False),
    (match.path, "*/*.md", "journal/a.md", True),
    (match.path, "a/**/b", "a/b", True),
    (match.path, "a/**/b", "a/x/y/b", True),
    (match.path, "**", "a", True),
]


@pytest.mark.parametrize(("matcher", "value", "text", "expected"), TABLE)
def test_values_are_compared(matcher, value, text, expected):
    assert matcher(value)(text) is expected


@pytest.mark.parametrize("matcher", [match.whole, match.part, match.file_name, match.path])
def test_no_pattern_runs_away(matcher):
    begun = time.process_time()
    matcher("*a" * 200 + "b")("a" * 2000)
    matcher("**/" * 200 + "b")("a/" * 1000 + "c")
    assert time.process_time() - begun < 5  # without end if it did


@pytest.mark.parametrize(
    ("start", "end", "since", "before", "expected"),
    [
        ("2024-01-01", None, "2024-01-01", "2024-01-02", True),
        ("2024-01-02", None, "2024-01-01", "2024-01-02", False),
        ("2024-01-01T23:59", None, "2024-01-01", "2024-01-02", True),
        ("2024-01-01", "2024-01-05", "2024-01-03", "2024-01-04", True),
        ("2024-01-01", "2024-01-05", "2024-01-06", None, False),
        ("2024-01-05", "2024-01-01", "2024-01-05", "2024-01-06", True),
        ("2024-01-05", None, None, None, True),
    ],
)
def test_days_are_half_open(start, end, since, before, expected):
    assert match.days_within(start, end, since, before) is expected


@pytest.mark.parametrize(("name", "meant"), [("flie", "file"), ("tagg", "tag"), ("pathh", "path"), ("zzzzz", None)])
def test_the_nearest_name_is_found(name, meant):
    assert match.nearest(name, ("file", "path", "tag", "dt")) == meant
