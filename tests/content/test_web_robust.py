"""Markup that is repeated without an end: the work for it grows no faster than it does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told_entries import read

from khoj_ls.content.html_text import page_text
from khoj_ls.content.markup_scan import scan


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


LINES = {
    "a.rst": ["`a <", "``", "**", ".. _a:\n", ":a:`", "|", "a\n=\n", ".. a::\n  ", "- x\n", "a_ ", "\\"],
    "a.adoc": ["[[", "<<a", "*", "link:a[", "----\n", "== a\n", "{a", "+++", "((", "_a_b", "[.a]#", ":a: b\n"],
    "a.tex": ["{", "\\section{", "$", "\\begin{a}", "\\cite{a,", '\\"', "\\[", "%", "\\section{a}\n", "\\verb|", "\\a[{"],
    "a.eml": ["a: b\n", " x\n", "--b\n", "=?utf-8?q?a?= ", "=\n", "Content-Type: multipart/mixed; boundary=b\n\n--b\n"],
    "a.ipynb": ['{"cells":[', '{"cells":[{"source":[', "[", '"', '{"a":'],
    "a.xml": ["<rss>", "<item>", "<item><title>", "<rss><link>a", "<![CDATA["],
}


@pytest.mark.parametrize(
    ("path", "piece"), [pytest.param(path, piece, id=f"{path} {piece!r}") for path, pieces in LINES.items() for piece in pieces]
)
def test_repeated_pieces_take_linear_work(path, piece):
    """Quadratic work on 20,000 of them would take minutes."""
    head = {"a.eml": "Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n", "a.xml": "<rss>"}.get(path, "")
    for source in (piece * 20_000, head + piece * 20_000):
        assert not [problem for problem in read(source, path).problems if problem.code.startswith("processor-")]
