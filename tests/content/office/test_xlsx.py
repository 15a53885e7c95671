"""What the cells of an XLSX file say."""

from __future__ import annotations

import pytest
from office_files import xlsx

from khoj_ls.content import sheets
from khoj_ls.content.xlsx import XlsxProcessor
from khoj_ls.content.xlsx_sheet import column_of
from khoj_ls.core.places import spoken


def parsed(data: bytes):
    return XlsxProcessor().parse(data, "a.xlsx")


def said(rows: str, **parts: str) -> list[str]:
    return [line for entry in parsed(xlsx(rows, **parts)).entries for line in entry.text.split("\n") if line]


def row(*cells: str, number: int = 1) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="0.0&quot; kg&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="164"/><xf numFmtId="9"/></cellXfs>'
)
STRINGS = "<si><t>plain</t></si><si><r><t>rich </t></r><r><rPr/><t>text</t></r><rPh><t>spoken</t></rPh></si>"

CELLS = {
    "shared": ('<c t="s"><v>0</v></c>', "plain"),
    "rich": ('<c t="s"><v>1</v></c>', "rich text"),
    "no such text": ('<c t="s"><v>9</v></c><c><v>1</v></c>', "1"),
    "inline": ('<c t="inlineStr"><is><t>in</t></is></c>', "in"),
    "number": ("<c><v>1.50</v></c>", "1.5"),
    "date": ('<c s="1"><v>45413</v></c>', "2024-05-01"),
    "own format": ('<c s="2"><v>2.25</v></c>', "2.3 kg"),
    "share": ('<c s="3"><v>0.5</v></c>', "50%"),
    "no such style": ('<c s="99"><v>2</v></c>', "2"),
    "truth": ('<c t="b"><v>1</v></c><c t="b"><v>0</v></c>', "TRUE; FALSE"),
    "error": ('<c t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
    "day as text": ('<c t="d"><v>2024-05-01T00:00:00</v></c>', "2024-05-01"),
    "formula's value": ("<c><f>1+1</f><v>2</v></c>", "2"),
    "text of a formula": ('<c t="str"><f>A1</f><v>made</v></c>', "made"),
    "breaks": ('<c t="inlineStr"><is><t>a\nb</t></is></c>', "a b"),
    "no number": ("<c><v>1e999999</v></c>", "1e999999"),
}


@pytest.mark.parametrize(("cells", "shown"), CELLS.values(), ids=CELLS.keys())
def test_cells_say_what_they_show(cells, shown):
    assert said(row(cells), styles=STYLES, strings=STRINGS) == [shown]


def test_days_may_be_counted_from_1904():
    assert said(row('<c s="1"><v>1</v></c>'), styles=STYLES, settings='<workbookPr date1904="1"/>') == ["1904-01-02"]


def text(cell: str, words: str) -> str:
    return f'<c r="{cell}" t="inlineStr"><is><t>{words}</t></is></c>'


def test_cells_go_by_their_columns_and_rows_by_their_numbers():
    rows = row(text("B3", "Name"), text("D3", "City"), number=3) + row(text("D7", "Rome"), number=7)
    [entry] = parsed(xlsx(rows)).entries
    assert (entry.heading, entry.text, spoken(entry.place)) == ("One", "\nName; City\nCity: Rome\n", "One, rows 3 to 7")


def test_formulas_without_a_value_are_told():
    found = parsed(xlsx(row("<c><v>1</v></c>", "<c><f>1+1</f></c>", "<c><f>2</f></c>")))
    assert [(problem.code, problem.message[:15]) for problem in found.problems] == [("no-values", "2 formulas have")]


def test_a_sheet_that_is_not_there_costs_only_itself():
    both = '<sheet name="Gone" sheetId="1" r:id="worksheet2"/>'
    both += '<sheet name="Here" sheetId="2" r:id="worksheet1" state="veryHidden"/>'
    found = parsed(xlsx(row("<c><v>1</v></c>"), sheets=both))
    assert [entry.heading for entry in found.entries] == ["Here (hidden sheet)"]
    assert [problem.code for problem in found.problems] == ["damaged-part"]


def test_rows_cells_and_characters_are_bounded(monkeypatch):
    rows = "".join(row(text(f"A{at}", "x" * 40), text(f"B{at}", "y"), number=at) for at in range(1, 101))
    for limit, most, last in (("MOST_ROWS", 10, 10), ("MOST_CELLS", 10, 5), ("MOST_CHARS", 400, 30)):
        with monkeypatch.context() as patch:
            patch.setattr(sheets, limit, most)
            found = parsed(xlsx(rows))
        assert found.entries[-1].place.last == last
        assert [problem.code for problem in found.problems] == ["too-many-rows"]


@pytest.mark.parametrize(("letters", "number"), [("A", 1), ("Z", 26), ("AA", 27), ("XFD", 16384)])
def test_columns_are_numbered(letters, number):
    assert column_of(letters) == number
