"""What a date means."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date

import pytest

from khoj_ls.core.errors import UsageError
from khoj_ls.query.dates import days_of

TODAY = date(2024, 5, 15)  # a Wednesday

MEANT = [
    ("2024", "2024-01-01", "2025-01-01"),
    ("2024-05", "2024-05-01", "2024-06-01"),
    ("2024-12", "2024-12-01", "2025-01-01"),
    ("2024-02-29", "2024-02-29", "2024-03-01"),
    ("2024-5-1", "2024-05-01", "2024-05-02"),
    ("2024/05/01", "2024-05-01", "2024-05-02"),
    ("2024.05.01", "2024-05-01", "2024-05-02"),
    ("20240501", "2024-05-01", "2024-05-02"),
    ("2024-05-01T09:30", "2024-05-01", "2024-05-02"),
    ("2024-W18", "2024-04-29", "2024-05-06"),
    ("05/06/2024", "2024-06-05", "2024-06-06"),  # day, month, year: everywhere
    ("5.6.2024", "2024-06-05", "2024-06-06"),
    ("31-12-2024", "2024-12-31", "2025-01-01"),
    ("today", "2024-05-15", "2024-05-16"),
    ("Yesterday", "2024-05-14", "2024-05-15"),
    ("tomorrow", "2024-05-16", "2024-05-17"),
    ("this week", "2024-05-13", "2024-05-20"),
    ("last  week", "2024-05-06", "2024-05-13"),
    ("last month", "2024-04-01", "2024-05-01"),
    ("next month", "2024-06-01", "2024-07-01"),
    ("this quarter", "2024-04-01", "2024-07-01"),
    ("last year", "2023-01-01", "2024-01-01"),
    ("3 days ago", "2024-05-12", "2024-05-13"),
    ("a week ago", "2024-05-06", "2024-05-13"),
    ("2 weeks ago", "2024-04-29", "2024-05-06"),
    ("5 months ago", "2023-12-01", "2024-01-01"),
    ("2 years ago", "2022-01-01", "2023-01-01"),
    # From here on dateparser reads.
    ("1 May 2024", "2024-05-01", "2024-05-02"),
    ("May 1st, 2024", "2024-05-01", "2024-05-02"),
    ("May 2023", "2023-05-01", "2023-06-01"),
    ("june 1", "2023-06-01", "2023-06-02"),  # the latest that is not to come
    ("last friday", "2024-05-10", "2024-05-11"),
    ("wed 05/06/2024", "2024-06-05", "2024-06-06"),
    ("gestern", "2024-05-14", "2024-05-15"),
    ("il y a 3 jours", "2024-05-12", "2024-05-13"),
    ("昨天", "2024-05-14", "2024-05-15"),
]


@pytest.mark.parametrize(("text", "first", "after"), MEANT)
def test_a_date_is_as_wide_as_it_is_said(text, first, after):
    assert days_of(text, TODAY) == (first, after)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("05/13/2024", "no month 13"),
        ("2024-02-30", "day is out of range"),
        ("2023-W60", ""),
        ("10", ""),
        ("5/6/24", ""),
        ("on", ""),
        ("soon", ""),
        ("0000", ""),
        ("9999", ""),
        ("9999 years ago", ""),
        ("x" * 5000, "…"),
        ("?!", ""),
    ],
)
def test_what_is_no_date_is_said_so(text, why):
    with pytest.raises(UsageError, match=f"is no date.*{why}|{why}.* is no date"):
        days_of(text, TODAY)


def test_dates_in_numbers_and_common_words_load_no_library():
    code = (
        "import sys, datetime; from khoj_ls.query.parse import parse;"
        "parse('dt:2024-01-01 dt>=2023 dt<\"last week\" dt<=yesterday', datetime.date(2024, 5, 15));"
        "assert 'dateparser' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Anchorage"])
@pytest.mark.parametrize("language", ["en_US.UTF-8", "de_DE.UTF-8"])
def test_no_machine_reads_a_date_otherwise(zone, language):
    code = (
        "import datetime; from khoj_ls.query.dates import days_of; today = datetime.date(2024, 5, 15);"
        "asked = ('05/06/2024', 'friday', '3 weeks ago', '1 May', '10:30 yesterday', '2 de junio');"
        "print(*(days_of(text, today)[0] for text in asked))"
    )
    environment = {**os.environ, "TZ": zone, "LANG": language, "LC_ALL": language}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert answer.stdout.split() == ["2024-06-05", "2024-05-10", "2024-04-22", "2024-05-01", "2024-05-14", "2023-06-02"]
