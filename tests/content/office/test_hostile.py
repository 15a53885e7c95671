"""Office files made to hurt: each is refused or cut, with a reason."""

from __future__ import annotations

import pytest
from office_files import W, docx, odf, packed, paragraph, relationships, xlsx

from khoj_ls.content import docx as docx_module
from khoj_ls.content.registry import default_registry, parse_file

REGISTRY = default_registry(third_party=False)
BOMB = "<!DOCTYPE x [" + '<!ENTITY a "aaaaaaaaaa">' + "]>"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def document(xml: str | bytes) -> bytes:
    return packed({"_rels/.rels": relationships(officeDocument="word/document.xml"), "word/document.xml": xml})


REFUSED = {
    "no archive": ("a.docx", b"text", "damaged"),
    "an archive of others": ("a.docx", packed({"x": "y"}), "damaged"),
    "a workbook that is none": ("a.xlsx", docx(paragraph("x")), "no-text"),
    "no content": ("a.odt", packed({"x": "y"}), "damaged"),
    "empty": ("a.pptx", b"", "damaged"),
    "no words": ("a.docx", docx(paragraph("")), "no-text"),
    "no rows": ("a.xlsx", xlsx(""), "no-text"),
    "broken XML": ("a.docx", document(f'<w:document xmlns:w="{W}"><w:body><w:p>'), "damaged"),
    "unknown encoding": ("a.docx", document('<?xml version="1.0" encoding="EBCDIC-X"?><a/>'), "damaged"),
    "entities": ("a.docx", document(f'{BOMB}<w:document xmlns:w="{W}"><w:p>&a;</w:p></w:document>'), "xml-entities"),
    "entities in UTF-16": (
        "a.docx",
        document(f'{BOMB}<w:document xmlns:w="{W}">&a;</w:document>'.encode("utf-16")),
        "xml-entities",
    ),
    "entities elsewhere": ("a.odt", packed({"content.xml": BOMB + "<a/>"}), "xml-entities"),
    "external entity": ("a.docx", document('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'), "xml-entities"),
    "nested": ("a.docx", docx("<w:p>" * 5000 + "</w:p>" * 5000), "too-large"),
    "nested cells": ("a.xlsx", xlsx("<row>" * 5000 + "</row>" * 5000), "too-large"),
    "bomb": ("a.docx", document(b"<a>" + bytes(201_000_000)), "too-large"),
    "bomb in a sheet": ("a.xlsx", xlsx(" " * 201_000_000), "too-large"),
    "bomb in styles": ("a.odt", odf("<office:text/>", **{"styles.xml": " " * 201_000_000}), "too-large"),
    "encrypted": ("a.docx", OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    "old in new clothes": ("a.xlsx", OLE + bytes(500), "legacy-format"),
    "old": ("a.xls", OLE, "legacy-format"),
    "a part that leads out": ("a.docx", packed({"_rels/.rels": relationships(officeDocument="../../etc/passwd")}), "damaged"),
}


@pytest.mark.parametrize(("path", "data", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_is_refused(path, data, code):
    found = parse_file(REGISTRY, data, path)
    assert ([problem.code for problem in found.problems], found.entries) == ([code], ())


@pytest.mark.parametrize(("suffix", "told"), [(".doc", ".docx"), (".xlsb", ".xlsx"), (".PPT", ".pptx")])
def test_old_formats_are_named_with_what_to_do(suffix, told):
    [problem] = parse_file(REGISTRY, OLE, f"a{suffix}").problems
    assert problem.message.endswith(f"save it as {told}")


def test_the_same_text_in_each_cell_is_cut():
    strings = f"<si><t>{'x' * 30_000}</t></si>"
    rows = "".join(f'<row r="{at}"><c t="s"><v>0</v></c></row>' for at in range(1, 20_001))
    found = parse_file(REGISTRY, xlsx(rows, strings=strings), "a.xlsx")
    assert [problem.code for problem in found.problems] == ["too-many-rows"]
    assert sum(len(entry.text) for entry in found.entries) < 40_000_000


def test_paragraphs_are_bounded(monkeypatch):
    monkeypatch.setattr(docx_module, "MOST_BLOCKS", 10)
    found = parse_file(REGISTRY, docx(paragraph("x") * 50), "a.docx")
    assert ([problem.code for problem in found.problems], found.entries[-1].place.last) == (["too-long"], 10)


def test_styles_may_be_based_on_each_other():
    style = '<w:style w:styleId="A"><w:basedOn w:val="B"/></w:style><w:style w:styleId="B"><w:basedOn w:val="A"/></w:style>'
    assert parse_file(REGISTRY, docx(paragraph("x", "A"), styles=style), "a.docx").entries[0].text == "x\n"
