"""Feeds and what is read of them."""

from __future__ import annotations

import pytest
from told_entries import read, told

RSS = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>
<rss version="2.0" xmlns:content="c" xmlns:dc="d"><channel><title>Bakers &amp; co</title><link>https://example.org</link>
<description>All of &lt;b&gt;bread&lt;/b&gt;</description>
<item><title><![CDATA[Rye & wheat]]></title><link>https://example.org/1</link><dc:creator>Ada</dc:creator>
<pubDate>Tue, 19 Nov 2024 13:30:02 +0000</pubDate><category>grain</category><category>rye</category>
<description>Short.</description><content:encoded><![CDATA[<p>Long &amp; short.</p><p>More</p>]]></content:encoded></item>
<item><description>&lol2; Untitled</description></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">A &lt;i&gt;feed&lt;/i&gt;</title>
<link rel="self" href="https://example.org/feed"/><updated>2024-03-01T10:00:00Z</updated>
<entry><title>One</title><link href="https://example.org/one"/><author><name>Bob</name></author>
<published>2024-02-01</published><updated>2024-02-02T03:04:05Z</updated><category term="x"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a &lt; b</p></div></content></entry></feed>"""


@pytest.mark.parametrize(
    ("source", "title", "entries"),
    [
        (
            RSS,
            "Bakers & co",
            [
                "1-1 [the feed] : All of bread",
                "2-11 # Rye & wheat [item 1] : By Ada / Short. / Long & short. / More / https://example.org/1",
                "12-13 # Item 2 [item 2] : &lol2; Untitled",
            ],
        ),
        (ATOM, "A feed", ["1-6 # One [item 1] : By Bob / a < b / https://example.org/one"]),
    ],
    ids=["rss", "atom"],
)
def test_items_are_read(source, title, entries):
    parsed = read(source, "a.xml")
    assert parsed.title == title
    assert told(parsed) == entries


def test_items_have_dates_and_tags():
    assert [
        [(entry.tags, [(date.kind, date.start) for date in entry.dates]) for entry in read(source, "a.rss").entries]
        for source in (RSS, ATOM)
    ] == [
        [((), []), (("grain", "rye"), [("created", "2024-11-19T13:30")]), ((), [])],
        [(("x",), [("created", "2024-02-01"), ("updated", "2024-02-02T03:04")])],
    ]


@pytest.mark.parametrize("source", ["<project><name>x</name></project>", "", "no xml"])
def test_other_xml_is_left_out_and_said(source):
    parsed = read(source, "pom.xml")
    assert (parsed.entries, [(each.severity, each.code) for each in parsed.problems]) == ((), [("warning", "no-feed")])
