"""Dates of Org: timestamps, planning lines, and dates people write in properties and keywords."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from types import MappingProxyType

from khoj_ls.core.types import DateKind, EntryDate

_STAMP = r"[<\[](\d{4}-\d\d-\d\d)((?:[ \t][^<>\[\]\r\n]{0,80})?)[>\]]"
TIMESTAMP = re.compile(rf"{_STAMP}(?:--{_STAMP})?")
"""One timestamp or a range of two, active or inactive: groups day, rest, end day, end rest."""

_TIME = re.compile(r"(?<!\d)(\d{1,2}):(\d\d)(?:--?(\d{1,2}):(\d\d))?(?!\d)")
_PLANNED = re.compile(r"(SCHEDULED|DEADLINE|CLOSED):[ \t]*([<\[][^>\]\r\n]{1,200}[>\]](?:--[<\[][^>\]\r\n]{1,200}[>\]])?)")
_PLANNING_KINDS: MappingProxyType[str, DateKind] = MappingProxyType(
    {"SCHEDULED": "scheduled", "DEADLINE": "deadline", "CLOSED": "closed"}
)
_NAMED_KINDS: MappingProxyType[str, DateKind] = MappingProxyType(
    {
        "date": "note",
        **dict.fromkeys(("created", "createdat", "creationdate", "datecreated", "ctime", "identifier"), "created"),
        **dict.fromkeys(("updated", "updatedat", "modified", "lastmodified", "lastmod", "hugolastmod", "mtime"), "updated"),
    }
)
_ISO = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d))?")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(?:\d\d)?)?")
_WRITTEN = ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y")


def timestamp_date(match: re.Match[str], kind: DateKind) -> EntryDate | None:
    """Date of a `TIMESTAMP` match; None for a day that no calendar has (`<2024-02-31>`)."""
    day, rest, end_day, end_rest = match.groups()
    time = _TIME.search(rest)
    start = _iso(day, *time.group(1, 2)) if time else _iso(day)
    if start is None:
        return None
    if end_day:
        end_time = _TIME.search(end_rest)
        return EntryDate(kind, start, _iso(end_day, *end_time.group(1, 2)) if end_time else _iso(end_day))
    return EntryDate(kind, start, _iso(day, *time.group(3, 4)) if time and time[3] else None)


def planning_dates(line: str) -> Iterator[EntryDate]:
    """Dates of a planning line: each SCHEDULED, DEADLINE and CLOSED on it; repeaters and warnings are left aside."""
    for match in _PLANNED.finditer(line):
        stamp = TIMESTAMP.match(match[2])
        date = timestamp_date(stamp, _PLANNING_KINDS[match[1]]) if stamp else None
        if date:
            yield date


def beside_planning(line: str) -> str:
    """What a line says besides its planning; empty for a pure planning line."""
    return _PLANNED.sub("", line).strip()


def named_date(name: str, value: str) -> EntryDate | None:
    """Date that a property or keyword called `name` states, None when the name is not a date's or the value is no date.

    Read are Org timestamps, ISO days and instants, `20240501T093000` (Denote), `20240501093000` and `May 1, 2024`.
    """
    kind = _NAMED_KINDS.get(name.casefold().replace("_", "").replace("-", ""))
    if kind is None:
        return None
    value = value.strip()
    if stamp := TIMESTAMP.search(value):
        return timestamp_date(stamp, kind)
    start = _iso_in(value) or _written_day(value)
    return EntryDate(kind, start) if start else None


def _iso_in(value: str) -> str | None:
    if iso := _ISO.search(value):
        return _iso(iso[1], *iso[2].split(":")) if iso[2] else _iso(iso[1])
    if compact := _COMPACT.fullmatch(value):
        day = "-".join(compact.group(1, 2, 3))
        return _iso(day, *compact.group(4, 5)) if compact[4] else _iso(day)
    return None


def _written_day(value: str) -> str | None:
    return next((day for day in (_day_as(value, form) for form in _WRITTEN) if day), None)


def _day_as(value: str, form: str) -> str | None:
    try:
        return datetime.datetime.strptime(value, form).date().isoformat()
    except ValueError:  # not written in this form
        return None


def _iso(day: str, hour: str = "", minute: str = "") -> str | None:
    try:
        datetime.date.fromisoformat(day)
    except ValueError:
        return None
    return f"{day}T{int(hour):02}:{minute}" if hour and int(hour) < 24 and int(minute) < 60 else day
