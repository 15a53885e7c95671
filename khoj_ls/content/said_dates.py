"""Dates as documents write them in their metadata: ISO 8601 (HTML, EPUB, Atom) and RFC 5322 (e-mail, RSS)."""

from __future__ import annotations

import re
from datetime import date, datetime
from email.utils import parsedate_tz

_ISO = re.compile(r"\s*(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:[T ](\d\d):(\d\d))?")
_LONGEST = 100


def said_date(text: str) -> str | None:
    """`text` as an ISO day or instant, in the time zone it is written in; None when it is no date.

    A year or a month alone is its first day.
    """
    text = text[:_LONGEST]
    if (found := _ISO.match(text)) and not text[found.end() : found.end() + 1].isdigit():
        year, month, day, hour, minute = (int(each) if each else None for each in found.groups())
        return _written(year or 0, month or 1, day or 1, hour, minute)
    try:
        parts = parsedate_tz(text)
    except (ValueError, IndexError, TypeError, OverflowError):  # its parser is not safe against every text
        return None
    return _written(*parts[:5]) if parts else None


def _written(year: int, month: int, day: int, hour: int | None, minute: int | None) -> str | None:
    try:
        if hour is None or minute is None:
            return date(year, month, day).isoformat()
        return datetime(year, month, day, hour, minute).isoformat(timespec="minutes")
    except (ValueError, OverflowError):
        return None
