"""Files of people's own questions: the forms they may have, and how what is wrong is told."""

from __future__ import annotations

import pytest

from khoj_ls.core.errors import UsageError
from khoj_ls.evaluation.questions import Answer, Question, read_questions

NOTE = """---
title: Router
---
# Router

The access point dropped clients.

## Fix

Channel 36.

### Firmware

Rolled back.

## Later
"""
WHOLE = Answer("home/router.md", None, "home/router.md")
LINE = Answer("home/router.md", (10, 10), "home/router.md:10")
FIX = Answer("home/router.md", (8, 15), "home/router.md#Fix")
OTHER = Answer("bread.org", None, "bread.org")


@pytest.fixture
def vault(tmp_path):
    folder = tmp_path / "notes"
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "router.md").write_text(NOTE)
    (folder / "bread.org").write_text("* Starter\nFeed it.\n* Baking\nForty minutes.\n")
    return folder


FORMS = {
    "JSON lines": ("q.jsonl", '{"query": "wifi", "path": "home/router.md"}\n', [("wifi", WHOLE)]),
    "a line": ("q.jsonl", '{"query": "wifi", "path": "home/router.md", "line": 10}\n', [("wifi", LINE)]),
    "a heading": ("q.jsonl", '{"query": "wifi", "path": "home/router.md", "heading": "fix"}\n', [("wifi", FIX)]),
    "nulls": ("q.jsonl", '{"query": "wifi", "path": "bread.org", "line": null, "heading": null}', [("wifi", OTHER)]),
    "more keys": ("q.jsonl", '{"query": "wifi", "path": "bread.org", "note": "?"}\n\n', [("wifi", OTHER)]),
    "CSV": ("q.csv", "query,path\nwifi,home/router.md\n", [("wifi", WHOLE)]),
    "CSV with all columns": (
        "q.csv",
        'path,Heading,line,query\nhome/router.md,## Fix,,"wifi, again"\nbread.org,,,wifi\n',
        [("wifi, again", FIX), ("wifi", OTHER)],
    ),
    "TSV": ("q.tsv", 'query\tpath\tline\n"wifi" now\thome/router.md\t10\n'.replace('"', ""), [("wifi now", LINE)]),
    "TSV by its looks": ("questions", "query\tpath\nwifi, again\tbread.org\n", [("wifi, again", OTHER)]),
    "JSON by its looks": ("questions", '{"query": "wifi", "path": "bread.org"}', [("wifi", OTHER)]),
    "CSV by its looks": ("questions.txt", "\ufeffquery,path\r\nwifi,bread.org\r\n", [("wifi", OTHER)]),
    "Org headings": (
        "q.csv",
        "query,path,heading\noven,bread.org,Baking\n",
        [("oven", Answer("bread.org", (3, 4), "bread.org#Baking"))],
    ),
    "roundabout paths": ("q.csv", "query,path\nwifi,./home/../home/router.md\n", [("wifi", WHOLE)]),
}


@pytest.mark.parametrize(("name", "text", "questions"), FORMS.values(), ids=FORMS)
def test_forms(tmp_path, vault, name, text, questions):
    (tmp_path / name).write_text(text, newline="")
    assert read_questions(tmp_path / name, vault) == [Question(query, (answer,)) for query, answer in questions]


def test_rows_of_one_query_are_several_answers(tmp_path, vault):
    (tmp_path / "q.csv").write_text(f"query,path\nwifi,home/router.md\nwifi,bread.org\nwifi,{vault}/bread.org\n")
    assert read_questions(tmp_path / "q.csv", vault) == [Question("wifi", (WHOLE, OTHER))]


HEAD = "query,path,line,heading\n"
FAULTS = {
    "missing": ("gone.csv", None, r"gone\.csv cannot be read: No such file"),
    "empty": ("q.csv", "", r"q\.csv is empty"),
    "only a header": ("q.csv", HEAD, r"q\.csv holds no question"),
    "no header": (
        "q.csv",
        "wifi,bread.org\n",
        r"q\.csv:1: the header names no query and no path; columns are query, path, line",
    ),
    "columns": ("q.csv", HEAD + "\nwifi,bread.org\n", r"q\.csv:3: 2 columns, and the header has 4"),
    "quotes": ("q.csv", HEAD + '"wifi" x,bread.org,,\n', r"q\.csv:2: this is no row of a table"),
    "not JSON": ("q.jsonl", '{"query": "a", "path": "bread.org"}\n{', r"q\.jsonl:2: this is not JSON"),
    "no query": ("q.csv", HEAD + ",bread.org,,\n", r"q\.csv:2: query is missing"),
    "odd query": ("q.jsonl", '{"query": 5, "path": "bread.org"}', r"q\.jsonl:1: query is 5, and should be a text"),
    "no path": ("q.jsonl", '{"query": "a"}', r"q\.jsonl:1: path is missing"),
    "no note": ("q.csv", HEAD + "a,bread.md,,\n", r"q\.csv:2: there is no note bread\.md in .*notes"),
    "a folder": ("q.csv", HEAD + "a,home,,\n", r"q\.csv:2: there is no note home in"),
    "outside": ("q.csv", HEAD + "a,../q.csv,,\n", r"q\.csv:2: \.\./q\.csv is not in the vault"),
    "both": ("q.csv", HEAD + "a,bread.org,1,Baking\n", r"q\.csv:2: line and heading are both given"),
    "odd line": ("q.csv", HEAD + "a,bread.org,x,\n", r"q\.csv:2: line is 'x', and should be a number from 1"),
    "line 0": ("q.jsonl", '{"query": "a", "path": "bread.org", "line": 0}', r"q\.jsonl:1: line is 0, and should be"),
    "line too high": ("q.csv", HEAD + "a,bread.org,5,\n", r"q\.csv:2: line is 5, and bread\.org has 4 lines"),
    "no heading": ("q.csv", HEAD + "a,bread.org,,Oven\n", r"q\.csv:2: there is no heading 'Oven' in bread\.org"),
}


@pytest.mark.parametrize(("name", "text", "message"), FAULTS.values(), ids=FAULTS)
def test_faults_name_the_file_and_the_line(tmp_path, vault, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        read_questions(tmp_path / name, vault)
