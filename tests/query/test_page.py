"""docs/query.md says what the code does."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from khoj_ls.core.errors import UsageError
from khoj_ls.query.dates import days_of
from khoj_ls.query.parse import parse
from khoj_ls.query.types import FILTERS

PAGE = (Path(__file__).parents[2] / "docs" / "query.md").read_text()


def test_the_table_of_filters_is_that_of_the_code():
    rows = [f"| `{kind.name}:` | {kind.keeps} | {kind.value} | `{kind.example}` |" for kind in FILTERS.values()]
    table = "\n".join(["| filter | keeps | value | example |", "| --- | --- | --- | --- |", *rows])
    [shown] = re.findall(r"<!-- table:[^\n]*-->\n(.*?)\n?<!-- /table -->", PAGE, re.DOTALL)
    assert shown.strip() == table


def test_every_example_is_a_query_with_filters():
    [block] = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines():
        query = parse(re.split(r" {3,}", line)[0], date(2024, 5, 15))
        assert query.filters
        assert ":" not in query.text


def test_every_date_of_the_table_is_one():
    [table] = re.findall(r"\| write \| it is \|\n.*?\n(.*?)\n\n", PAGE, re.DOTALL)
    for row in table.splitlines():
        for text in re.findall(r"`([^`]*)`", row.split("|")[1]):
            assert days_of(text.strip('"'), date(2024, 5, 15))


@pytest.mark.parametrize(
    "text", re.findall(r"`([^`]+)`", PAGE.partition("## What stays text")[2].partition("It is an error")[0])
)
def test_what_is_said_to_stay_text_does(text):
    assert parse(text).filters == ()


@pytest.mark.parametrize("text", re.findall(r"`([^`]+)`", PAGE.partition("It is an error")[2].partition("To search for")[0]))
def test_what_is_said_to_be_an_error_is_one(text):
    with pytest.raises(UsageError):
        parse(text)
