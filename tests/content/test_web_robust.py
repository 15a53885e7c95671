"""Whatever is done to a file, its processor raises nothing and its entries lie where they say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated
from told_entries import read

from khoj_ls.content.html_text import page_text
from khoj_ls.content.markup_scan import scan

HTML = b"""<!DOCTYPE html><html><head><title>T &amp; t</title><meta name=author content=A></head><body><nav>n</nav>
<main><h1 id=a>One</h1><p>text<br>more<ul><li>x</ul><pre>
 a </pre><h2>Two</h2><table><tr><td>1<td>2</table><a href='b.html'>b</a><!-- c --></main><script>s</script></body>"""
XHTML = (
    b"""<?xml version="1.0" encoding="utf-8"?><!DOCTYPE x [<!ENTITY a "b">]><html><body><![CDATA[x]]><p/><h1>T</h1></html>"""
)


FILES = {"a.html": HTML, "a.xhtml": XHTML}


@pytest.mark.parametrize("path", list(FILES))
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused(path, data):
    parsed = read(data.draw(mutated(FILES[path])), path)
    assert not [problem for problem in parsed.problems if problem.code.startswith("processor-")]


@given(st.text(alphabet="<>/!-?[]'\"= &;ahp1\n", max_size=60), st.booleans())
def test_tokens_lie_in_the_source_in_order(source, xml):
    at = 0
    for token in scan(source, xml=xml):
        assert at <= token.start <= token.end <= len(source) + 3 * xml
        at = token.start
    page_text(source, xml=xml)


PIECES = [
    "<a '",
    "<a \"'",
    "<!--",
    "<![CDATA[",
    "<p ",
    "<div>",
    "<script>",
    "</",
    "<h1>",
    "<li>x",
    "<a href=x>",
    "&amp",
    "<main>x",
]


@pytest.mark.parametrize("source", [piece * 20_000 for piece in PIECES], ids=PIECES)
def test_repeated_markup_takes_linear_work(source):
    """Quadratic work on 100,000 characters would take minutes."""
    read(source, "a.html")
    read(source, "a.xhtml")
