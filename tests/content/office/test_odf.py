"""What a reader of OpenDocument files sees, and what not."""

from __future__ import annotations

import pytest
from office_files import odf

from khoj_ls.content.odp import OdpProcessor
from khoj_ls.content.ods import OdsProcessor
from khoj_ls.content.odt import OdtProcessor
from khoj_ls.content.refusal import Refused
from khoj_ls.core.places import spoken


def text(body: str, styles: str = "") -> str:
    found = OdtProcessor().parse(odf(f"<office:text>{body}</office:text>", styles), "a.odt")
    return "\n".join(entry.text.strip("\n") for entry in found.entries)


NUMBERED = (
    '<text:list-style style:name="L">'
    '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix=")"/></text:list-style>'
)

SEEN = {
    "blanks": ('<text:p>a  b<text:s text:c="3"/>c<text:tab/>d<text:line-break/>e</text:p>', "a b c d\ne"),
    "spans and links": ("<text:p>a<text:span>b</text:span><text:a>c</text:a></text:p>", "abc"),
    "no deletions, no contents": (
        "<text:tracked-changes><text:p>old</text:p></text:tracked-changes><text:table-of-content><text:p>1 A</text:p>"
        "</text:table-of-content><text:section><text:p>new</text:p></text:section>",
        "new",
    ),
    "lists": (
        '<text:list><text:list-item><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p></text:list-item></text:list>'
        "</text:list-item><text:list-item><text:p>c</text:p><text:p>d</text:p></text:list-item></text:list>",
        "- a\n  - b\n- c\n\nd",
    ),
    "text boxes": (
        "<text:p>by<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame></text:p>",
        "by\n\nboxed",
    ),
    "described pictures": (
        "<text:p><draw:frame><svg:title>x</svg:title><svg:desc>A red barn</svg:desc></draw:frame></text:p>",
        "[A red barn]",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "seen"), SEEN.values(), ids=SEEN.keys())
def test_what_is_seen(body, seen):
    assert text(body) == seen


def test_numbered_lists():
    items = "".join(f"<text:list-item><text:p>{each}</text:p></text:list-item>" for each in "ab")
    assert text(f'<text:list text:style-name="L">{items}</text:list>', NUMBERED) == "1) a\n2) b"


def test_the_title_goes_by_its_style():
    styles = '<style:style style:name="P1" style:parent-style-name="Title"/>'
    styles += '<style:style style:name="X" style:parent-style-name="X"/>'
    body = '<office:text><text:p text:style-name="X">a</text:p><text:p text:style-name="P1">The title</text:p></office:text>'
    assert OdtProcessor().parse(odf(body, styles), "a.odt").title == "The title"


def sheet(rows: str, name: str = "One") -> str:
    return f'<table:table table:name="{name}">{rows}</table:table>'


def cell(words: str, attributes: str = "") -> str:
    return f"<table:table-cell {attributes}><text:p>{words}</text:p></table:table-cell>"


def row(cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{cells}</table:table-row>"


def test_repeated_rows_and_cells_are_bounded_and_counted():
    rows = (
        f"<table:table-header-rows>{row(cell('Name') + cell('City'))}</table:table-header-rows>"
        + row('<table:table-cell table:number-columns-repeated="16384"/>', 'table:number-rows-repeated="1000000"')
        + row(f"<table:table-cell/>{cell('Rome')}", 'table:number-rows-repeated="5"')
        + row(cell("x", 'table:number-columns-repeated="99999"'))
    )
    content = f"<office:spreadsheet>{sheet(rows)}{sheet('', 'Empty')}{sheet(row(cell('1')), 'Two')}</office:spreadsheet>"
    found = OdsProcessor().parse(odf(content), "a.ods").entries
    assert [(entry.heading, spoken(entry.place)) for entry in found] == [
        ("One", "One, rows 1 to 1000007"),
        ("Two", "Two, row 1"),
    ]
    assert found[0].text.startswith("\nName; City\nCity: Rome\nName: x; City: x; x; x")
    assert found[0].text.count("x") == 100


def test_a_cell_without_text_says_its_value():
    rows = row('<table:table-cell office:value="2.5"/><table:table-cell office:date-value="2024-05-01"/>')
    [entry] = OdsProcessor().parse(odf(f"<office:spreadsheet>{sheet(rows)}</office:spreadsheet>"), "a.ods").entries
    assert entry.text == "\n2.5; 2024-05-01\n"


def test_comments_on_cells():
    note = "<office:annotation><dc:creator>Ada</dc:creator><text:p>sure?</text:p></office:annotation>"
    rows = row(f"<table:table-cell>{note}<text:p>7</text:p></table:table-cell>")
    [entry] = OdsProcessor().parse(odf(f"<office:spreadsheet>{sheet(rows)}</office:spreadsheet>"), "a.ods").entries
    assert entry.text == "\n7\nComment by Ada: sure?\n"


def test_slides():
    styles = '<style:style style:name="dp"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>'
    frames = (
        '<draw:frame presentation:class="title"><draw:text-box><text:p>Top</text:p></draw:text-box></draw:frame>'
        "<draw:g><draw:frame><draw:text-box><text:list><text:list-item><text:p>one</text:p></text:list-item></text:list>"
        "</draw:text-box></draw:frame></draw:g>"
        '<draw:frame presentation:class="page-number"><draw:text-box><text:p>9</text:p></draw:text-box></draw:frame>'
        f"<draw:frame>{sheet(row(cell('a') + cell('b')))}</draw:frame>"
    )
    content = f'<office:presentation><draw:page draw:style-name="dp">{frames}</draw:page></office:presentation>'
    [entry] = OdpProcessor().parse(odf(content, styles), "a.odp").entries
    assert (entry.heading, entry.text, entry.place.page) == ("Top (hidden slide)", "\n- one\n\na | b\n", 1)


def test_encrypted_files_are_refused():
    manifest = '<m:manifest xmlns:m="urn:m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    with pytest.raises(Refused) as caught:
        OdtProcessor().parse(odf("", **{"META-INF/manifest.xml": manifest}), "a.odt")
    assert caught.value.code == "encrypted"
