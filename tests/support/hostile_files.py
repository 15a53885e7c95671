"""Files made to hurt, one of each sort, at any size: what tests read small, `make hostile` reads large."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from made_pdf import Page, Pdf, column, made_pdf
from office_files import S, W, odf, packed, relationships, xlsx

Build = Callable[[float], bytes]
"""Makes the file, 1.0 for its full size."""

PLANTED = "A wombat repairs the sundial"
SECRET = "The otter knows the combination of the safe"
"""Stands in no file made to hurt, but in this one, which they refer to."""
OTHER = Path(__file__).resolve().as_posix()
CLIMBING = "../" * 30 + OTHER.lstrip("/")
LAUGHS = (
    "<!DOCTYPE x [" + '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{at} "{f"&a{at - 1};" * 10}">' for at in range(1, 12)) + "]>"
)
"""A billion laughs; `&a11;` says them."""
OUTSIDE = f'<!DOCTYPE x [<!ENTITY a11 SYSTEM "{Path(__file__).resolve().as_uri()}">]>'


def _times(scale: float, full: int) -> int:
    return max(10, int(full * scale))


def _book(**parts: str | bytes) -> bytes:
    container = '<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>'
    package = (
        '<package><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="n" href="n.ncx" media-type="application/x-dtbncx+xml"/></manifest>'
        '<spine toc="n"><itemref idref="a"/></spine></package>'
    )
    members = {"META-INF/container.xml": container, "book.opf": package, "a.xhtml": f"<p>{PLANTED}</p>", "n.ncx": "<ncx/>"}
    return packed({**members, **{name.replace("_", "."): content for name, content in parts.items()}})


def _document(xml: str | bytes) -> bytes:
    return packed({"_rels/.rels": relationships(officeDocument="word/document.xml"), "word/document.xml": xml})


def _pdf(pages: int, trailer: str = "") -> bytes:
    return made_pdf(Pdf([Page(column(f"Page {number} of a long book", PLANTED)) for number in range(pages)], trailer=trailer))


def _notebook(outputs: str) -> bytes:
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": [f"# {PLANTED}"], "outputs": "OUT"}
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1).replace('"OUT"', outputs).encode()


def _multiparts(depth: int) -> bytes:
    lines = ["Subject: nested"]
    for at in range(depth):
        lines += [f"Content-Type: multipart/mixed; boundary=b{at}", "", f"--b{at}"]
    return "\n".join([*lines, "Content-Type: text/plain", "", PLANTED, ""]).encode()


def _encrypted_pdf() -> bytes:
    words = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{'00' * 32}> /U <{'00' * 32}> /P -4 >> /ID [<00><00>]"
    return _pdf(2, words)


FILES: MappingProxyType[str, tuple[str, Build]] = MappingProxyType(
    {
        "10,000 pages": ("a.pdf", lambda scale: _pdf(_times(scale, 10_000))),
        "a PDF that ends in the middle": ("a.pdf", lambda scale: _pdf(_times(scale, 2_000))[: _times(scale, 300_000)]),
        "an encrypted PDF": ("a.pdf", lambda scale: _encrypted_pdf()),
        "groups in groups": ("a.rtf", lambda scale: b"{\\rtf1 " + b"{\\b " * _times(scale, 1_000_000) + PLANTED.encode()),
        "closed groups": (
            "a.rtf",
            lambda scale: b"{\\rtf1 " + b"{" * (n := _times(scale, 1_000_000)) + b"}" * n + PLANTED.encode() + b"}",
        ),
        "a giant \\bin": ("a.rtf", lambda scale: b"{\\rtf1 " + b"\\bin2147483647 x" * _times(scale, 100_000) + b"}"),
        "a \\bin beyond all numbers": ("a.rtf", lambda scale: b"{\\rtf1 \\bin" + b"9" * _times(scale, 1_000_000) + b" x}"),
        "environments in environments": (
            "a.tex",
            lambda scale: f"\\section{{{PLANTED}}}\n".encode() + b"\\begin{a}" * _times(scale, 100_000),
        ),
        "macros that double": (
            "a.tex",
            lambda scale: (
                "".join(f"\\newcommand{{\\a{'b' * at}}}{{\\a{'b' * (at - 1)}\\a{'b' * (at - 1)}}}\n" for at in range(1, 60))
                + f"\\def\\x{{\\x\\x}}\\x\n{PLANTED} \\a{'b' * 59}\n" * _times(scale, 100)
            ).encode(),
        ),
        "macros in macros": ("a.tex", lambda scale: b"\\emph{" * _times(scale, 100_000) + PLANTED.encode()),
        "a \\input": ("a.tex", lambda scale: f"\\input{{{OTHER}}}\n\\include{{../secret}}\n{PLANTED}\n".encode()),
        "100,000 header lines": (
            "a.eml",
            lambda scale: b"X-A: b\n" * _times(scale, 100_000) + f"Subject: x\n\n{PLANTED}\n".encode(),
        ),
        "a header of 10 MB": (
            "a.eml",
            lambda scale: b"Subject: " + b"word " * _times(scale, 2_000_000) + f"\n\n{PLANTED}\n".encode(),
        ),
        "a folded header of 10 MB": (
            "a.eml",
            lambda scale: b"Subject: x\n" + b" =?utf-8?b?w6Q=?=\n" * _times(scale, 500_000) + f"\n{PLANTED}\n".encode(),
        ),
        "1,000 multiparts in each other": ("a.eml", lambda scale: _multiparts(_times(scale, 1_000))),
        "charsets that are none": (
            "a.eml",
            lambda scale: (
                f'Subject: =?x-no-such?q?hm?= =?{"x" * 1000}?b?aGk=?=\nContent-Type: text/plain; charset="no\\such/../é"\n'
                f"Content-Transfer-Encoding: base64\n\n{base64.encodebytes(PLANTED.encode()).decode()}"
            ).encode(),
        ),
        "a codec that is no charset": (
            "a.eml",
            lambda scale: f"Subject: x\nContent-Type: text/plain; charset=zlib_codec\n\n{PLANTED}\n".encode(),
        ),
        "a million rows": ("a.csv", lambda scale: f"{PLANTED},b\n".encode() + b"1,2\n" * _times(scale, 1_000_000)),
        "a row of a million cells": ("a.csv", lambda scale: f"{PLANTED}\n".encode() + b"1," * _times(scale, 1_000_000)),
        "a cell without an end": ("a.csv", lambda scale: f'{PLANTED}\n"'.encode() + b"words\n" * _times(scale, 1_000_000)),
        "50 MB of outputs": (
            "a.ipynb",
            lambda scale: _notebook(
                json.dumps([{"output_type": "stream", "name": "stdout", "text": "x" * _times(scale, 50_000_000)}])
            ),
        ),
        "outputs in many lines": (
            "a.ipynb",
            lambda scale: _notebook(
                json.dumps(
                    [{"output_type": "stream", "name": "stdout", "text": ["line\n"] * _times(scale, 5_000_000)}], indent=0
                )
            ),
        ),
        "outputs in outputs": ("a.ipynb", lambda scale: _notebook("[" * (n := _times(scale, 1_000_000)) + "]" * n)),
        "a bomb of a document": ("a.docx", lambda scale: _document(b"<a>" + bytes(_times(scale, 1_000_000_000)))),
        "a bomb of a workbook": ("a.xlsx", lambda scale: xlsx(" " * _times(scale, 1_000_000_000))),
        "a bomb of rows": ("a.xlsx", lambda scale: xlsx("<row><c><v>1</v></c></row>" * _times(scale, 5_000_000))),
        "a bomb of an ODT": ("a.odt", lambda scale: packed({"content.xml": b"<a>" + bytes(_times(scale, 1_000_000_000))})),
        "a bomb of repeated cells": (
            "a.ods",
            lambda scale: odf(
                '<office:spreadsheet><table:table table:name="x"><table:table-row table:number-rows-repeated="1048576">'
                '<table:table-cell table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell>'
                "</table:table-row></table:table></office:spreadsheet>"
            ),
        ),
        "a bomb of a book": ("a.epub", lambda scale: _book(a_xhtml=bytes(_times(scale, 1_000_000_000)))),
        "a book of many chapters": (
            "a.epub",
            lambda scale: _book(
                book_opf="<package><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/></manifest><spine>"
                + "<itemref idref='a'/>" * _times(scale, 1_000_000)
                + "</spine></package>"
            ),
        ),
        "names that climb, in a document": (
            "a.docx",
            lambda scale: packed({"_rels/.rels": relationships(officeDocument=CLIMBING), "../../x": "x"}),
        ),
        "names that climb, in a workbook": (
            "a.xlsx",
            lambda scale: packed(
                {
                    "_rels/.rels": relationships(officeDocument="xl/workbook.xml"),
                    "xl/workbook.xml": f'<workbook xmlns="{S}"><sheets><sheet name="a" r:id="worksheet1" '
                    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"/></sheets></workbook>',
                    "xl/_rels/workbook.xml.rels": relationships(worksheet1=CLIMBING),
                }
            ),
        ),
        "names that climb, in a book": (
            "a.epub",
            lambda scale: packed({"META-INF/container.xml": f'<container><rootfile full-path="{CLIMBING}"/></container>'}),
        ),
        "laughs in a document": (
            "a.docx",
            lambda scale: _document(f'{LAUGHS}<w:document xmlns:w="{W}"><w:body><w:p>&a11;</w:p></w:body></w:document>'),
        ),
        "laughs in an ODT": ("a.odt", lambda scale: packed({"content.xml": f"{LAUGHS}<a>&a11;</a>"})),
        "laughs in a package": (
            "a.epub",
            lambda scale: _book(book_opf=f"{LAUGHS}<package><metadata><title>&a11;</title></metadata></package>"),
        ),
        "laughs in contents": (
            "a.epub",
            lambda scale: _book(
                n_ncx=f"{LAUGHS}<ncx><navPoint><navLabel><text>&a11;</text></navLabel><content src='a.xhtml'/></navPoint></ncx>"
            ),
        ),
        "laughs in a chapter": ("a.epub", lambda scale: _book(a_xhtml=f"{LAUGHS}<p>{PLANTED} &a11;</p>")),
        "laughs in a page": ("a.xhtml", lambda scale: f"{LAUGHS}<html><p>{PLANTED} &a11;</p></html>".encode()),
        "laughs in a feed": (
            "a.rss",
            lambda scale: f"{LAUGHS}<rss><channel><item><title>{PLANTED} &a11;</title></item></channel></rss>".encode(),
        ),
        "an entity of another file": ("a.odt", lambda scale: packed({"content.xml": f"{OUTSIDE}<a>&a11;</a>"})),
        "an entity of another file in a page": (
            "a.xhtml",
            lambda scale: f"{OUTSIDE}<html><p>{PLANTED} &a11;</p></html>".encode(),
        ),
        "lists in lists": ("a.json", lambda scale: b"[" * (n := _times(scale, 1_000_000)) + b"]" * n),
        "objects in objects": ("a.json", lambda scale: b'{"a":' * _times(scale, 1_000_000) + b"1"),
        "aliases of aliases": (
            "a.yaml",
            lambda scale: (
                f"a0: &a0 [{PLANTED}]\n" + "".join(f"a{at}: &a{at} [{f'*a{at - 1},' * 9}]\n" for at in range(1, 200))
            ).encode(),
        ),
        "YAML lists in lists": ("a.yaml", lambda scale: f"{PLANTED}: ".encode() + b"[" * _times(scale, 1_000_000)),
        "YAML at every depth": (
            "a.yaml",
            lambda scale: "".join(f"{' ' * at}a:\n" for at in range(int(4_000 * max(scale, 0.01)))).encode(),
        ),
        "TOML lists in lists": ("a.toml", lambda scale: f'a = "{PLANTED}"\nb = '.encode() + b"[" * _times(scale, 1_000_000)),
        "TOML tables in tables": ("a.toml", lambda scale: b"[" + b"a." * _times(scale, 1_000_000) + b"a]\nb = 1\n"),
        "TOML dotted keys": ("a.toml", lambda scale: b"a." * _times(scale, 1_000_000) + b"a = 1\n"),
        "an include in AsciiDoc": (
            "a.adoc",
            lambda scale: f"= Title\n\ninclude::{OTHER}[]\n\ninclude::../secret.adoc[]\n\n{PLANTED}\n".encode(),
        ),
        "an include in RST": (
            "a.rst",
            lambda scale: (
                f".. include:: {OTHER}\n\n.. csv-table::\n   :file: {OTHER}\n\n.. raw:: html\n   :url: "
                f"http://127.0.0.1:9/\n\n{PLANTED}\n".encode()
            ),
        ),
        "brackets in Python": ("a.py", lambda scale: b"a = " + b"(" * _times(scale, 1_000_000)),
        "brackets in JavaScript": ("a.js", lambda scale: b"[" * (n := _times(scale, 1_000_000)) + b"]" * n),
        "braces in C": ("a.c", lambda scale: b"int main() " + b"{" * (n := _times(scale, 1_000_000)) + b"}" * n),
        "braces in Go": ("a.go", lambda scale: b"package a\nfunc f() " + b"{" * _times(scale, 1_000_000)),
        "types in Rust": ("a.rs", lambda scale: b"fn f() -> " + b"Vec<" * _times(scale, 1_000_000)),
        **{
            f"lines of {what}": (file, lambda scale, line=line: line * _times(scale, 1_000_000))
            for what, file, line in (
                ("brackets in Python", "a.py", b"(\n"),
                ("brackets in JavaScript", "a.js", b"[\n"),
                ("functions in JavaScript", "a.js", b"function f() {\n"),
                ("braces in C", "a.c", b"{\n"),
                ("braces in Go", "a.go", b"func f() {\n"),
                ("modules in Rust", "a.rs", b"mod a {\n"),
                ("classes in Java", "a.java", b"class A {\n"),
                ("brackets in a shell", "a.sh", b"( (\n"),
                ("tags in TSX", "a.tsx", b"<a>\n"),
            )
        },
        "functions in functions": (
            "a.py",
            lambda scale: "".join(f"{' ' * at}def f():\n" for at in range(int(3_000 * max(scale, 0.01)))).encode(),
        ),
        "elements in elements": ("a.html", lambda scale: b"<div>" * _times(scale, 1_000_000) + PLANTED.encode()),
        "quotes in quotes": ("a.md", lambda scale: b">" * _times(scale, 1_000_000) + b" " + PLANTED.encode()),
        "lists in lists of Markdown": ("a.md", lambda scale: b"- " * _times(scale, 1_000_000) + PLANTED.encode()),
        "brackets in Markdown": ("a.md", lambda scale: b"[" * _times(scale, 1_000_000) + PLANTED.encode()),
        "stars in Org": ("a.org", lambda scale: b"*" * _times(scale, 1_000_000) + b" " + PLANTED.encode()),
        "brackets in Org": ("a.org", lambda scale: b"[[" * _times(scale, 1_000_000) + PLANTED.encode()),
    }
)
"""By what hurts: the name of a file, and what makes it."""
