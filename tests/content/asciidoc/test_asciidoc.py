"""AsciiDoc and what is read of it."""

from __future__ import annotations

import pytest
from told_entries import anchors_of, links_of, read, told

NOTE = """= Doc Title
Ada Baker <ada@example.org>
v1.0, 2024-03-01
:keywords: bread, rye
:product: Loaf

Intro to {product} with *bold*, _em_ and `code`. *_both_*

[[sec]]
== Section one

See <<sec,this>> and xref:other.adoc#x[other] or https://example.org/a[site], link:file.pdf[the file].

// comment
////
hidden
////

[source,python]
----
== not a title
print(1)
----

.A table
|===
|a |b
|c |d
|===

[#sub]
=== Sub
NOTE: Careful.
image::pic.png[A pic,200]
"""


def test_a_document_is_read_as_its_reader_does():
    parsed = read(NOTE, "a.adoc")
    assert told(parsed) == [
        "1-8 # Doc Title : Intro to Loaf with bold, em and code. both",
        "9-30 ## Section one : See this and other or site, the file. / == not a title / print(1) / A table / a | b / c | d",
        "31-34 ### Sub : NOTE: Careful. / A pic",
    ]
    assert (parsed.title, parsed.tags) == ("Doc Title", ("bread", "rye"))
    assert parsed.properties == (("author", "Ada Baker"), ("email", "ada@example.org"))
    assert [(date.kind, date.start) for date in parsed.dates] == [("note", "2024-03-01")]


def test_links_and_anchors_lie_in_lines_of_the_file():
    parsed = read(NOTE, "a.adoc")
    assert links_of(parsed) == [
        ("file", "#sec", "this", 12),
        ("file", "other.adoc#x", "other", 12),
        ("url", "https://example.org/a", "site", 12),
        ("file", "file.pdf", "the file", 12),
        ("file", "pic.png", None, 34),
    ]
    assert anchors_of(parsed) == [("sec", "Section one", 9), ("sub", "Sub", 31)]


@pytest.mark.parametrize(
    ("source", "entries"),
    [
        ("Old title\n---------\ntext\n", ["1-3 ## Old title : text"]),
        ("some text\n----\n= verbatim\n----\n", ["1-4 : some text / = verbatim"]),
        ("....\nnever closed\n== T\n", ["1-3 : never closed / == T"]),
        ("====\n== In an example\n====\n", ["2-3 ## In an example :"]),
        ("## Markdown too ##\n", ["1-1 ## Markdown too :"]),
        ("x *not bold y\n* item\n** deeper\nterm:: def\n", ["1-4 : x *not bold y / * item / ** deeper / term:: def"]),
        ("a{unknown}b \\*x* 2*3*4\n", ["1-1 : a{unknown}b *x* 2*3*4"]),
        ("footnote:[Said so] kbd:[Ctrl+C] [.red]#red# ((term))\n", ["1-1 : Said so Ctrl+C red term"]),
        ("ifdef::x[]\nshown\nendif::[]\n", ["1-3 : shown"]),
        ("```ruby\nputs\n```\nx\n", ["1-4 : puts / x"]),
        ("+\nx +\ny\n", ["1-3 : x / y"]),
    ],
)
def test_titles_blocks_and_markup(source, entries):
    assert told(read(source, "a.adoc")) == entries


def test_an_attribute_makes_a_note_private():
    parsed = read("= T\n:private:\n\nx\n", "a.adoc")
    assert (parsed.private, parsed.entries[0].private) == (True, True)


@pytest.mark.parametrize("line", ["== a{}b", "= T\nAda Weaver{};", "= T\nA B\nv1{}:,"])
def test_a_line_full_of_blanks_takes_linear_work(line):
    """Quadratic work on 200,000 blanks would take many minutes."""
    read(line.format("\t" * 200_000), "a.adoc")
