"""EPUB books: chapters as their contents name them, and what is refused."""

from __future__ import annotations

import io
import zipfile

import pytest
from told_entries import read, told

CONTAINER = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
PACKAGE = """<?xml version="1.0"?><!DOCTYPE package [<!ENTITY a "boom">]>
<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>
<dc:title>Moby &amp; Dick</dc:title><dc:creator>Herman Melville</dc:creator><dc:date>1851-10-18</dc:date>
<dc:language>en</dc:language></metadata>
<manifest><item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="text/one.xhtml" media-type="application/xhtml+xml"/>
<item id="rest" href="text/one%20rest.xhtml" media-type="application/xhtml+xml"/>
<item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/>
<item id="toc" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
<item id="picture" href="a.png" media-type="image/png"/></manifest>
<spine toc="ncx"><itemref idref="cover"/><itemref idref="toc"/><itemref idref="one"/><itemref idref="rest"/>
<itemref idref="two"/><itemref idref="picture"/><itemref idref="nobody"/></spine></package>"""
NAV = """<html><body><nav><h1>Contents</h1><ol><li><a href="text/one.xhtml">1. Loomings</a></li>
<li><a href="text/two.xhtml#x">The Carpet-Bag</a><ol><li><a href="text/two.xhtml#y">Later</a></li></ol></li></ol></nav>
<nav><ol><li><a href="cover.xhtml">Cover page</a></li></ol></nav></body></html>"""
NCX = """<ncx><navMap><navPoint><navLabel><text>Loomings of old</text></navLabel><content src="text/one.xhtml"/>
<navPoint><navLabel><text>Bag</text></navLabel><content src="text/two.xhtml"/></navPoint></navPoint></navMap></ncx>"""
BOOK = {
    "META-INF/container.xml": CONTAINER,
    "OPS/book.opf": PACKAGE,
    "OPS/nav.xhtml": NAV,
    "OPS/toc.ncx": NCX,
    "OPS/cover.xhtml": "<html><head><title>Cover</title></head><body><p>A whale</p></body></html>",
    "OPS/text/one.xhtml": "<body><h2>Loomings</h2><p>Call me <i>Ishmael</i>.</p><p>Years ago</p><h3>Water</h3><p>gazers</p>",
    "OPS/text/one rest.xhtml": "<body><p>There now is your insular city</p></body>",
    "OPS/text/two.xhtml": "<body><header><p>CHAPTER 2</p></header><p>I stuffed a shirt<br/>or two</p></body>",
}


def packed(**changes: str | bytes | None) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**BOOK, **changes}.items():
            if content is not None:
                archive.writestr(name, content)
    return data.getvalue()


def test_chapters_have_the_names_of_the_contents():
    parsed = read(packed(), "a.epub")
    assert told(parsed) == [
        "1-1 [Cover] : A whale",
        "2-5 # 1. Loomings [1. Loomings, chapter 1] : Call me Ishmael. / Years ago",
        "6-7 ## Water [1. Loomings, chapter 1] : gazers",
        "8-8 [1. Loomings, chapter 1] : There now is your insular city",
        "9-14 # The Carpet-Bag [The Carpet-Bag, chapter 2] : CHAPTER 2 / I stuffed a shirt / or two",
    ]
    assert (parsed.title, parsed.properties) == ("Moby & Dick", (("creator", "Herman Melville"), ("language", "en")))
    assert [(date.kind, date.start) for date in parsed.dates] == [("created", "1851-10-18")]
    assert parsed.problems == ()


def test_the_contents_of_epub_2_nest():
    parsed = read(packed(**{"OPS/book.opf": PACKAGE.replace(' properties="nav"', "")}), "a.epub")
    assert [entry.heading for entry in parsed.entries if entry.heading][-2:] == ["Water", "Bag"]
    assert [entry.level for entry in parsed.entries if entry.heading == "Bag"] == [2]


def test_without_contents_headings_name_the_chapters():
    parsed = read(packed(**{"OPS/nav.xhtml": "<nav></nav>"}), "a.epub")
    assert [(entry.place.first, entry.place.name) for entry in parsed.entries] == [
        (1, "Cover"), (2, "Loomings"), (2, "Loomings"), (3, ""), (4, ""),
    ]  # fmt: skip


def test_missing_parts_are_said():
    parsed = read(packed(**{"OPS/text/two.xhtml": None}), "a.epub")
    assert [(problem.severity, problem.code) for problem in parsed.problems] == [("warning", "damaged-parts")]
    assert "1 of 4 parts" in parsed.problems[0].message and "Ishmael" in parsed.entries[1].text


def encryption(algorithm: str, name: str) -> str:
    return (
        f'<encryption><EncryptedData><EncryptionMethod Algorithm="{algorithm}"/><CipherReference URI="{name}"/></EncryptedData>'
    )


AES = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        (
            {"META-INF/encryption.xml": encryption(AES, "OPS/text/one.xhtml"), "META-INF/rights.xml": "<r/>"},
            "encrypted",
            "DRM: Adobe ADEPT",
        ),
        ({"META-INF/encryption.xml": encryption("http://www.idpf.org/2008/embedding", "OPS/text/one.xhtml")}, None, ""),
        ({"META-INF/encryption.xml": encryption(AES, "OPS/fonts/a.otf")}, None, ""),
        ({"META-INF/container.xml": None}, "damaged", "container"),
        ({"META-INF/container.xml": "<container/>"}, "damaged", "no package"),
        ({"OPS/book.opf": None}, "damaged", "OPS/book.opf"),
        ({"OPS/book.opf": "<package/>"}, "no-text", "no text"),
        ({"OPS/text/one.xhtml": bytes(70_000_000)}, "too-large", "60 MB"),
        ({"OPS/book.opf": PACKAGE.replace('href="', 'href="../../../etc/')}, "no-text", "no text"),
    ],
    ids=["drm", "font", "encrypted font", "no container", "no root", "no package", "empty", "bomb", "climbs out"],
)
def test_what_cannot_be_read_is_refused(changes, code, said):
    problems = [problem for problem in read(packed(**changes), "a.epub").problems if problem.severity == "error"]
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert not problems or said in problems[0].message
