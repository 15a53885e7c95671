"""What a date in a query means: half-open days, as wide as it is said - a day, a week, a month, a quarter, a year.

ISO forms and the common English words are read here; dateparser, which knows two hundred languages, is asked for all others.
Numbers like 05/06/2024 are day, month, year, everywhere and always; one that cannot be (05/13/2024) is refused, not guessed.
Weeks begin on Monday (ISO 8601). A day without a year is the latest one that is not to come.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from khoj_ls.core.errors import UsageError

Width = Literal["day", "week", "month", "quarter", "year"]

_MOST_CHARS = 60
_ISO = re.compile(
    r"(\d{4})(?:-?W(\d{2})|[-/.](\d{1,2})(?:[-/.](\d{1,2}))?|(\d{2})(\d{2}))?(?:[T ]\d{1,2}(?::?\d{2}){0,2}Z?)?", re.IGNORECASE
)
_NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_RELATIVE = re.compile(r"(this|last|next) (week|month|quarter|year)")
_AGO = re.compile(r"(\d{1,4}|an?|one) (day|week|month|year)s? ago")
_NAMED = MappingProxyType({"today": 0, "yesterday": -1, "tomorrow": 1})
_STEPS = MappingProxyType({"this": 0, "last": -1, "next": 1})


def days_of(text: str, today: date) -> tuple[str, str]:
    """First day and the day after the last, ISO, of a date as people write it. Raises UsageError when it is none."""
    written = " ".join(text.split())
    try:
        start, width = _iso(written) or _words(written.lower(), today) or _any_language(written, today)
        start = _beginning(start, width)
        return start.isoformat(), _moved(start, width, 1).isoformat()
    except (ValueError, OverflowError) as error:
        why = f" ({error})" if str(error) else ""
        raise UsageError(
            f"dt: {_shortened(written)!r} is no date{why}: write 2024-05-01, 2024-05, 2024, or words like yesterday, "
            '"last week", "3 days ago", "1 May 2024"'
        ) from error


def _iso(text: str) -> tuple[date, Width] | None:
    """What is written in numbers alone."""
    if found := _NUMBERS.fullmatch(text):
        day, _, month, year = found.groups()
        if not 1 <= int(month) <= 12:
            raise ValueError(f"numbers are read as day, month, year, and there is no month {month}")
        return date(int(year), int(month), int(day)), "day"
    if found := _ISO.fullmatch(text):
        year, week, month, day, compact_month, compact_day = found.groups()
        if week:
            return date.fromisocalendar(int(year), int(week), 1), "week"
        month, day = month or compact_month, day or compact_day
        return date(int(year), int(month or 1), int(day or 1)), "day" if day else "month" if month else "year"
    if not any(char.isalpha() for char in text):
        raise ValueError
    return None


def _words(text: str, today: date) -> tuple[date, Width] | None:
    """The words that are typed most, without dateparser."""
    if text in _NAMED:
        return today + timedelta(days=_NAMED[text]), "day"
    if found := _RELATIVE.fullmatch(text):
        width: Width = found[2]  # type: ignore[assignment]  # the pattern lets no other word pass
        return _moved(_beginning(today, width), width, _STEPS[found[1]]), width
    if found := _AGO.fullmatch(text):
        width = found[2]  # type: ignore[assignment]  # the pattern lets no other word pass
        return _moved(_beginning(today, width), width, -(int(found[1]) if found[1].isdigit() else 1)), width
    return None


def _any_language(text: str, today: date) -> tuple[date, Width]:
    # A letter or two are read as some month or weekday in some language.
    if len(text) > _MOST_CHARS or (text.isascii() and len(text) < 3):
        raise ValueError
    from dateparser.date import DateDataParser

    settings = {
        "DATE_ORDER": "DMY",
        "PREFER_LOCALE_DATE_ORDER": False,
        "PREFER_DATES_FROM": "past",
        "PREFER_DAY_OF_MONTH": "first",
        "PREFER_MONTH_OF_YEAR": "first",
        "RELATIVE_BASE": datetime(today.year, today.month, today.day, 12),
        "RETURN_AS_TIMEZONE_AWARE": False,
    }
    found = DateDataParser(settings=settings).get_date_data(text)
    if found.date_obj is None:
        raise ValueError
    return found.date_obj.date(), found.period if found.period in ("week", "month", "quarter", "year") else "day"


def _beginning(day: date, width: Width) -> date:
    if width == "week":
        return day - timedelta(days=day.weekday())
    if width == "month":
        return day.replace(day=1)
    if width == "quarter":
        return day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)
    return day.replace(day=1, month=1) if width == "year" else day


def _moved(start: date, width: Width, count: int) -> date:
    """The beginning of the day, week, month, quarter or year that lies `count` of them after the one beginning at `start`."""
    if width in ("day", "week"):
        return start + timedelta(days=count * (7 if width == "week" else 1))
    months = start.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[width]
    return start.replace(year=start.year + months // 12, month=months % 12 + 1)


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else text[: _MOST_CHARS - 1] + "…"
