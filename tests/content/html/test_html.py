"""HTML pages and what is read of them."""

from __future__ import annotations

import pytest
from told_entries import anchors_of, links_of, read, told

PAGE = """<!DOCTYPE html>
<html><head>
<title>Sourdough &amp; rye</title>
<meta name="author" content="Ada Baker"><meta property="article:published_time" content="2024-03-02T10:15:00Z">
<meta name="dcterms.modified" content="2024-04-01">
<style>p { color: red }</style><script>var a = "<h1>no</h1>";</script>
</head><body>
<header><h1>Site of bakers</h1></header>
<nav><a href="/">Home</a></nav>
<div role="search">Find a loaf</div>
<p>Before any heading.
<h1 id="start">Sour<b>dough</b></h1>
<p>Flour &lt; water,<br>then
wait.</p><p>Second paragraph</p>
<ul><li>Rye<li><p>Wheat</p></ul>
<h2>Times</h2>
<table><tr><th>Day</th><th>Step</th></tr>
<tr><td>1</td><td>Feed <a href="starter.html#feed">the starter</a></td></tr></table>
<pre>
  folds = 4
  rest  = 30
</pre>
<span hidden>secret</span><img src="x.png" alt="A loaf"> <a name="more" href="https://example.org/a?b=1&amp;c=2">more</a>
<a href="javascript:void(0)">click</a>
<footer>Imprint</footer>
</body></html>
"""


def test_a_page_is_read_as_its_reader_does():
    parsed = read(PAGE, "a.html")
    assert parsed.title == "Sourdough & rye"
    assert told(parsed) == [
        "1-11 : Before any heading.",
        "12-15 # Sourdough : Flour < water, then / wait. · Second paragraph / - Rye · - Wheat",
        "16-26 ## Times : Day | Step / 1 | Feed the starter / folds = 4 / rest  = 30 / A loaf more / click",
    ]
    assert parsed.properties == (("author", "Ada Baker"),)
    assert [(date.kind, date.start) for date in parsed.dates] == [("created", "2024-03-02T10:15"), ("updated", "2024-04-01")]


def test_links_and_anchors_lie_in_lines_of_the_file():
    parsed = read(PAGE, "a.html")
    assert links_of(parsed) == [
        ("file", "starter.html#feed", "the starter", 18),
        ("url", "https://example.org/a?b=1&c=2", "more", 23),
    ]
    assert anchors_of(parsed) == [("start", "Sourdough", 12), ("more", "Times", 23)]
    (link, _) = [link for entry in parsed.entries for link in entry.links]
    assert PAGE.encode()[link.span.start : link.span.end] == b'<a href="starter.html#feed">'


LONG = "The main part of this page says a good deal more than its frame does, as pages that are worth keeping do. " * 3


@pytest.mark.parametrize(
    ("page", "told_text"),
    [
        (f"<p>menu</p><main><h1>T</h1><p>{LONG}</main><p>more", LONG.strip()),
        (f"<p>menu</p><article><aside>Note.</aside>{LONG}</article>", f"Note. · {LONG.strip()}"),
        ("<p>as long as all the rest</p><main>short</main>", "as long as all the rest · short"),
    ],
    ids=["main", "article", "main with little in it"],
)
def test_the_main_part_of_a_page_is_read_alone_where_it_is_most_of_it(page, told_text):
    (entry,) = read(page, "a.html").entries
    assert entry.text.strip() == told_text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>a<b>b</b> c", "ab c"),
        ("a <!-- no <p> --> b", "a b"),
        ("a <!-- never closed <p> b", "a"),
        ("1 < 2 <3 & 4 &amp; &unknown; &#x263a;", "1 < 2 <3 & 4 & &unknown; ☺"),
        ('<p title="a > b">said</p>', "said"),
        ("<nav>menu never closed <p>text", "menu never closed · text"),
        ("<p hidden>shown as p may stay open<p>rest", "shown as p may stay open · rest"),
        ('<div class="toc">1. One</div>said', "said"),
        ("<h2></h2>", None),
        ("<script>never closed", None),
        ("said<p class='x", "said"),
        ("<ul><li></ul>a", "a"),
        ("<dl><dt>Rye<dd>a grain</dl>", "Rye · a grain"),
        ("<svg><title>icon</title></svg>a", "a"),
    ],
)
def test_markup_is_read_as_browsers_do(page, text):
    parsed = read(page, "a.html")
    assert " ".join(entry.text.strip() for entry in parsed.entries) == (text or "")
    assert parsed.problems == ()


@pytest.mark.parametrize(
    ("page", "entries", "outlines"),
    [
        # The first heads what is below it.
        (
            "<h1>One</h1><p>a<h2>Two</h2>b\n<h2>Three</h2>c\n",
            ["1-1 # One : a · Two · b", "2-2 ## Three : c"],
            [(), ("One",)],
        ),
        # What heads others as well heads none of them, but stays below what is above them all.
        (
            "<h1>One</h1>\n<h3>Two</h3>a<h3>Three</h3>b<h2>Four</h2>c<h3>Five</h3>\n<h2>Six</h2>d",
            ["1-1 # One :", "2-2 : Two · a · Three · b · Four · c · Five", "3-3 ## Six : d"],
            [(), ("One",), ("One",)],
        ),
    ],
)
def test_several_headings_in_one_line_are_one_entry(page, entries, outlines):
    parsed = read(page, "a.html")
    assert (told(parsed), [entry.outline for entry in parsed.entries]) == (entries, outlines)


def test_all_headings_can_be_led_to_where_they_stand_in_one_line():
    [entry] = read("<h2>One</h2>a<h2 id=b>Two</h2>c", "a.html").entries
    assert {(anchor.kind, anchor.name) for anchor in entry.anchors} == {
        ("heading", "One"),
        ("heading", "Two"),
        ("custom_id", "b"),
    }


def test_links_of_a_page_that_is_a_copy_lead_to_the_web():
    page = '<link rel="canonical" href="https://example.org/wiki/A"><p><a href="/wiki/B">B</a> <a href="#c">c</a>'
    assert links_of(read(page, "a.html")) == [("url", "https://example.org/wiki/B", "B", 1), ("file", "#c", "c", 1)]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('<meta charset="shift_jis"><p>日本'.encode("shift_jis"), "日本"),
        ('<?xml version="1.0" encoding="iso-8859-2"?><p>łódź'.encode("iso-8859-2"), "łódź"),
        ('<meta charset="punycode"><p>é'.encode(), "é"),
        ('<meta charset="windows-1250"><p>é'.encode(), "é"),
    ],
)
def test_the_encoding_that_a_page_names_is_believed_where_it_is_no_utf_8(data, text):
    (entry,) = read(data, "a.html").entries
    assert entry.text.strip() == text


def test_xhtml_closes_what_is_empty():
    assert told(read('<html><script src="a.js"/><p>said<br/>twice</p><![CDATA[<raw>]]></html>', "a.xhtml")) == [
        "1-1 : said · twice · <raw>"
    ]
