"""What a reader of a DOCX file sees, and what not."""

from __future__ import annotations

import pytest
from office_files import docx, paragraph

from khoj_ls.content.docx import DocxProcessor
from khoj_ls.core.places import spoken


def parsed(data: bytes):
    return DocxProcessor().parse(data, "a.docx")


def text(body: str, **parts) -> str:
    return "\n".join(entry.text.strip("\n") for entry in parsed(docx(body, **parts)).entries)


def run(inner: str) -> str:
    return f"<w:p><w:r>{inner}</w:r></w:p>"


def t(words: str) -> str:
    return f"<w:t>{words}</w:t>"


SEEN = {
    "signs": (run("<w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/>"), "a b\nc-"),
    "insertions, not deletions": (
        f"<w:p><w:ins><w:r>{t('new')}</w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        f"<w:moveFrom><w:r>{t('gone')}</w:r></w:moveFrom></w:p>",
        "new",
    ),
    "fields show their result": (
        run('<w:fldChar w:fldCharType="begin"/><w:instrText>PAGEREF x</w:instrText><w:t>7</w:t>'), "7",
    ),
    "links": (f"<w:p><w:hyperlink r:id='x'><w:r>{t('the site')}</w:r></w:hyperlink></w:p>", "the site"),
    "content controls": (f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph('held')}</w:sdtContent></w:sdt>", "held"),
    "text boxes once": (
        run(
            f"{t('by')}<mc:AlternateContent><mc:Choice><w:txbxContent>{paragraph('boxed')}</w:txbxContent></mc:Choice>"
            f"<mc:Fallback><w:txbxContent>{paragraph('boxed')}</w:txbxContent></mc:Fallback></mc:AlternateContent>"
        ),
        "by\n\nboxed",
    ),
    "described pictures": (
        run('<w:drawing><wp:inline><wp:docPr id="1" name="x" descr="A red barn"/></wp:inline></w:drawing>')
        + run('<w:drawing><wp:inline><wp:docPr id="2" name="x" descr="IMG_2.jpg"/></wp:inline></w:drawing>'),
        "[A red barn]",
    ),
    "tables": (
        f"<w:tbl><w:tr><w:tc>{paragraph('a')}{paragraph('b')}</w:tc><w:tc>{paragraph('')}</w:tc><w:tc>{paragraph('c')}</w:tc></w:tr>"
        f"<w:tr><w:trPr><w:del/></w:trPr><w:tc>{paragraph('no')}</w:tc></w:tr><w:tr><w:tc><w:tbl><w:tr><w:tc>{paragraph('in')}"
        f"</w:tc></w:tr></w:tbl>{paragraph('out')}</w:tc></w:tr></w:tbl>",
        "a b |  | c\nin out",
    ),
    "equations": (
        "<w:p><m:oMath><m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f><m:r><m:t>=</m:t></m:r>"
        "<m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath></w:p>",
        "(a+b)/2=x^2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "seen"), SEEN.values(), ids=SEEN.keys())
def test_what_is_seen(body, seen):
    assert text(body) == seen


STYLES = (
    '<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="Base"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Base"><w:basedOn w:val="Mine"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="T"><w:name w:val="Title"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="TOC"><w:name w:val="toc 1"/></w:style>'
)


def test_headings_are_told_by_styles_and_outline_levels():
    body = (
        paragraph("The title", "T") + paragraph("Contents", "TOC") + paragraph("One", "H1") + paragraph("x")
        + paragraph("Two", "Mine") + paragraph("Three", inner='<w:outlineLvl w:val="2"/>')
        + paragraph("Body", "H1", '<w:outlineLvl w:val="9"/>')
    )  # fmt: skip
    found = parsed(docx(body, styles=STYLES))
    assert found.title == "The title"
    assert [(entry.level, entry.heading, entry.outline, spoken(entry.place)) for entry in found.entries] == [
        (0, "", (), "paragraph 1"),
        (1, "One", (), "paragraphs 2 to 3"),
        (2, "Two", ("One",), "paragraph 4"),
        (3, "Three", ("One", "Two"), "paragraphs 5 to 6"),
    ]


NUMBERING = (
    '<w:abstractNum w:abstractNumId="0">'
    '<w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl></w:abstractNum>'
    '<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="0"/>'
    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="9"/></w:lvlOverride></w:num>'
)


def item(words: str, number: int, depth: int = 0) -> str:
    return paragraph(words, inner=f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>')


def test_items_keep_their_numbers():
    body = item("a", 1) + item("b", 1, 1) + item("c", 1, 1) + item("d", 1) + item("e", 2) + item("f", 3) + item("g", 1, 1)
    assert text(body, numbering=NUMBERING) == "3. a\n  3.a) b\n  3.b) c\n4. d\n- e\n9. f\n  4.a) g"


def test_notes_and_comments_stand_behind_the_section_that_refers_to_them():
    body = (
        '<w:p><w:r><w:t>said</w:t><w:footnoteReference w:id="7"/><w:endnoteReference w:id="2"/><w:commentReference w:id="0"/>'
        '<w:footnoteReference w:id="9"/></w:r></w:p>' + paragraph("Next", inner='<w:outlineLvl w:val="0"/>')
    )  # fmt: skip
    notes = {
        "footnotes": '<w:footnote w:id="-1" w:type="separator"><w:p/></w:footnote>'
        f'<w:footnote w:id="7">{paragraph("by whom")}</w:footnote><w:footnote w:id="9">{paragraph("when")}</w:footnote>',
        "endnotes": f'<w:endnote w:id="2">{paragraph("at last")}</w:endnote>',
        "comments": f'<w:comment w:id="0" w:author="Ada">{paragraph("why?")}</w:comment>',
    }
    first, second = parsed(docx(body, **notes)).entries
    assert first.text == "said[1][i][2]\n\n[1] by whom\n[i] at last\nComment by Ada: why?\n[2] when\n"
    assert second.heading == "Next"


def test_a_long_section_makes_several_entries():
    body = paragraph("Head", inner='<w:outlineLvl w:val="0"/>') + paragraph("word " * 150) * 5
    found = [(entry.heading, entry.outline, spoken(entry.place)) for entry in parsed(docx(body)).entries]
    assert found == [
        ("Head", (), "paragraphs 1 to 3"),
        ("", ("Head",), "paragraphs 4 to 5"),
        ("", ("Head",), "paragraph 6"),
    ]


def test_a_damaged_part_that_is_not_the_text_costs_only_itself():
    data = docx(paragraph("still"), comments="<unclosed>")
    found = parsed(data)
    assert ([entry.text for entry in found.entries], [problem.code for problem in found.problems]) == (
        ["still\n"],
        ["damaged-part"],
    )
