"""Tables in text: what each line of the file says, where entries begin, and what is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.content.csv_table import MOST_ROWS, CsvProcessor
from khoj_ls.content.legacy_encoding import legacy_encoding
from khoj_ls.content.registry import places_fault
from khoj_ls.content.tables import header_at
from khoj_ls.core.places import spoken


def parsed(text: str | bytes, path: str = "a.csv"):
    return CsvProcessor().parse(text if isinstance(text, bytes) else text.encode(), path)


def shown(text: str | bytes, path: str = "a.csv") -> list[str]:
    return "\n".join(entry.text for entry in parsed(text, path).entries).split("\n")


CASES = {
    "names": ("Name,City\nAda,London\nAlan,\n", ["Name; City", "Name: Ada; City: London", "Name: Alan"]),
    "semicolons and decimal commas": (
        "Item;Price\nTea;1,50\nPot;12,00\n", ["Item; Price", "Item: Tea; Price: 1,50", "Item: Pot; Price: 12,00"],
    ),
    "bars": ("a|b\n1|2\n", ["a; b", "a: 1; b: 2"]),
    "tabs": ("a, b\tc\nx, y\tz\n", ["a, b; c", "a, b: x, y; c: z"]),
    "told": ("sep=;\na,b;c\n1,2;3\n", ["a,b; c", "a,b: 1,2; c: 3"]),
    "no names": ("1,2\n3,4\n", ["1; 2", "3; 4"]),
    "years are names": ("Country,2023,2024\nPeru,1,2\n", ["Country; 2023; 2024", "Country: Peru; 2023: 1; 2024: 2"]),
    "a title above": (
        "Costs of the year,\n\nItem,Sum\nRent,10\nHeat,5\n", ["Costs of the year", "", "Item; Sum", "Item: Rent; Sum: 10",
                                                                "Item: Heat; Sum: 5"],
    ),
    "line breaks in quotes": (
        'Who,Said\r\nAda,"one\r\ntwo, ""three"""\r\nBob,no\r\n',
        ["Who; Said", "Who: Ada; Said: one", 'two, "three"', "Who: Bob; Said: no"],
    ),
    "blank cells in lines": ('a,b,c\n1,"\n\n",2\n', ["a; b; c", "a: 1; b:", "", "; c: 2"]),
    "more cells than names": ("a,b\n1,2,3\n", ["a; b", "a: 1; b: 2; 3"]),
    "one column": ("Ada\nAlan\n", ["Ada", "Alan"]),
    "old Macintosh line ends": ("a,b\r1,2\r", ["a; b", "a: 1; b: 2"]),
    "a quote never closed": ('a,b\n1,"2\n3,4\n', ["a; b", 'a: 1; b: "2', "a: 3; b: 4"]),
    "inches": ('a,b\n1,5" disk\n', ["a; b", 'a: 1; b: 5" disk']),
    "nothing": ("", [""]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), CASES.values(), ids=CASES.keys())
def test_what_each_line_says(text, said):
    assert shown(text) == said


def test_the_suffix_decides_where_the_file_leaves_it_open():
    assert [shown("a\tb,c\n1\t2,3\n", path)[1] for path in ("a.tsv", "a.csv")] == ["a: 1; b,c: 2,3"] * 2
    assert shown("only one\n", "a.tsv") == ["only one"]


def test_entries_are_groups_of_rows_in_the_lines_of_the_file():
    text = "Name,Note\n" + "".join(f'N{at},"a\nb"\n' for at in range(1, 41))
    found = [(spoken(entry.place), entry.span.line, entry.span.end_line) for entry in parsed(text).entries]
    assert found == [("rows 1 to 20", 1, 39), ("rows 21 to 40", 40, 79), ("row 41", 80, 81)]
    assert parsed(text).entries[1].text.startswith("Name: N20; Note: a\nb\nName: N21")
    assert parsed(text).entries[1].place.lined


def test_wide_rows_make_small_groups():
    text = "Name,Note\n" + f"Ada,{'word ' * 100}\n" * 4
    assert [spoken(entry.place) for entry in parsed(text).entries] == ["rows 1 to 2", "row 3", "row 4", "row 5"]


def test_a_quote_that_is_never_closed_is_told_and_costs_its_line_only():
    lines = ["a,b", '1,"x', *["2,y"] * 2000, '3,"z']
    found = parsed("\n".join(lines) + "\n")
    assert [(problem.code, problem.line) for problem in found.problems] == [("open-quote", 2)]
    assert sum(entry.text.count("a: 2; b: y") for entry in found.entries) == 2000


def test_rows_are_bounded():
    found = parsed("a,b\n" + "1,2\n" * 1_000_000)
    assert [(problem.code, problem.line) for problem in found.problems] == [("too-many-rows", MOST_ROWS + 1)]
    assert (found.entries[-1].span.end_line, found.entries[-1].place.last) == (MOST_ROWS, MOST_ROWS)


ENCODED = {
    "cp932": "名前,年齢,住所\n佐藤太郎,30,東京\n髙橋淳,35,名古屋\n",
    "euc_jp": "商品,メモ\nりんご,とてもおいしいです\n",
    "gb18030": "姓名,城市\n张伟,北京市的人\n王芳,上海\n",
    "big5": "姓名,備註\n陳大文,這是一個在台灣的人\n",
    "cp949": "이름,도시\n김철수,서울\n이영희,부산\n",
    "cp1251": "Имя,Город\nАнна,Москва\n",
    "koi8_r": "Имя,Город\nАнна,Москва\n",
    "cp866": "Имя,Город\nАнна,Москва\n",
}


@pytest.mark.parametrize(("encoding", "text"), ENCODED.items())
def test_old_encodings_are_told_apart(encoding, text):
    data = text.encode(encoding)
    assert legacy_encoding(data) == encoding
    found = parsed(data)
    assert "".join(entry.raw for entry in found.entries) == text
    assert [problem.code for problem in found.problems] == ["encoding"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("Name,Stadt\nJürgen,Köln\n".encode("cp1252"), "encoding"),
        ("Name,City\n名前,x\n".encode("utf-16"), "encoding"),
        (b"a,b\n\xff\xfe\xfd\x81\x8d,2\n", "invalid-utf8"),
    ],
)
def test_other_encodings_are_those_of_notes(data, code):
    assert [problem.code for problem in parsed(data).problems] == [code]


@pytest.mark.parametrize(
    ("rows", "at"),
    [
        ([["Name", "City"], ["Ada", "London"]], 0),
        ([["Report"], [], ["Name", "City"], ["Ada", "London"]], 2),
        ([["2024-05-01", "10"], ["2024-05-02", "11"]], None),
        ([["Name", "Name"], ["a", "b"]], None),
        ([["10 kg", "5 €"], ["1", "2"]], None),
        ([["a" * 300, "b"], ["1", "2"]], None),
        ([["only"], ["one"]], None),
        ([], None),
    ],
)
def test_which_row_names_the_columns(rows, at):
    assert header_at(rows) == at


@given(
    st.lists(st.sampled_from(['"', ",", ";", "\n", "\r", "a", "1", "sep=;\n", "\x00", "\u2028", " "]), max_size=60).map("".join)
)
def test_any_text_is_a_table_of_its_lines(text):
    found = parsed(text)
    assert places_fault(found.entries) is None
    assert all(entry.text.count("\n") <= entry.span.end_line - entry.span.line for entry in found.entries)
