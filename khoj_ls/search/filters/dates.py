"""Which entries have a date in some days.

The dates of an entry are its own (in its text, its planning, its properties), those in its heading and the headings above it,
and those of its note: front matter or keywords, and the file's name. Only where a note has none of them anywhere it is taken
to be of the day on which its file was last changed.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache

import msgspec

from khoj_ls.core.types import EntryDate
from khoj_ls.query.match import days_within
from khoj_ls.query.types import DateFilter
from khoj_ls.search.filters.layout import Layout
from khoj_ls.search.filters.rows import NO_ROWS, RowSet, rows_of

_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_./]?)(\d\d)\2(\d\d)(?=\d{6}(?!\d)|(?!\d))")
"""2024-05-01, 2024_05_01, 2024.05.01, 20240501, 20240501T093000, 20240501093000, and 2024/05/01 of folders."""
_IN_HEADING = re.compile(r"(?<![\w-])(\d{4})(-)(\d\d)-(\d\d)(?![\w-])")
_HEADED = (
    # As the index on dated headings has it.
    "SELECT id, file_id, heading, outline FROM entry WHERE heading GLOB '*[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' "
    "OR outline GLOB '*[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"
)
_FILES = "SELECT id, path, dates, mtime_ns, EXISTS (SELECT 1 FROM entry_day d WHERE d.file_id = file.id) FROM file"
_decoded = msgspec.json.Decoder(tuple[EntryDate, ...]).decode

Interval = tuple[str, str | None]
"""A day or instant (ISO), or the first and last of a time."""
Meant = Callable[[Iterable[Interval]], bool]
"""Whether one of some dates is asked for."""
Span = tuple[str | None, str | None]
"""The first of some days and the one after them; None is open."""

_AFTER_ALL = "~"
_OWN = (
    "SELECT entry_id FROM entry_day WHERE start >= :since AND start < :before "
    "UNION ALL SELECT entry_id FROM entry_day WHERE finish <> '' AND finish >= :since AND start < :before"
)


def dated(connection: sqlite3.Connection, layout: Layout, filters: Sequence[DateFilter]) -> RowSet:
    """The entries with one date that lies within all bounds and, where some filters are no bounds, in the days of one of those.

    Whether a filter is an excluded one is not looked at.
    """
    spans = _spans(filters)

    def meant(dates: Iterable[Interval]) -> bool:
        return any(days_within(start, last, since, before) for start, last in dates for since, before in spans)

    rows = NO_ROWS
    for since, before in spans:
        rows = rows.either(rows_of(connection, _OWN, {"since": since or "", "before": before or _AFTER_ALL}))
    under: list[int] = []
    headed: set[int] = set()
    for row, file_id, heading, outline in connection.execute(_HEADED):
        days: list[Interval] = [(day, None) for text in (heading, outline) for day in _days(_IN_HEADING, text)]
        if days:
            headed.add(file_id)
            under += [row] if meant(days) else []
    return rows.either(RowSet.of(under)).either(layout.entries_of(_notes(connection, meant, spans, headed)))


def _spans(filters: Sequence[DateFilter]) -> list[Span]:
    """What is asked for, as half-open days, none of which is empty."""
    since = max((each.since for each in filters if each.bounds and each.since), default=None)
    before = min((each.before for each in filters if each.bounds and each.before), default=None)
    days = [(each.since, each.before) for each in filters if not each.bounds] or [(None, None)]
    spans = [
        (max(filter(None, (since, first)), default=None), min(filter(None, (before, end)), default=None)) for first, end in days
    ]
    return [(first, end) for first, end in spans if not (first and end) or first < end]


def _notes(connection: sqlite3.Connection, meant: Meant, spans: Sequence[Span], headed: Container[int]) -> set[int]:
    """Notes meant by their own dates or, where neither they nor their entries have any, by the day of their file."""
    times = [(_nanoseconds(since), _nanoseconds(before)) for since, before in spans]
    files: set[int] = set()
    for file_id, path, dates, mtime, dated_inside in connection.execute(_FILES):
        found = _stored(dates) if dates and dates != "[]" else []
        if named := day_in_name(path):
            found.append((named, None))
        if found:
            if meant(found):
                files.add(file_id)
        elif (
            any((since is None or mtime >= since) and (before is None or mtime < before) for since, before in times)
            and file_id not in headed
            and not dated_inside
        ):
            files.add(file_id)
    return files


def _nanoseconds(day: str | None) -> int | None:
    """When a day begins, where this machine is."""
    return int(datetime.fromisoformat(day).timestamp()) * 1_000_000_000 if day else None


@lru_cache(maxsize=65536)
def day_in_name(path: str) -> str | None:
    """The day that a file is named after, ISO: the last in its path, as its folders may tell the year."""
    return max(enumerate(_days(_IN_NAME, path)), default=(0, None))[1]


def _days(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for found in pattern.finditer(text):
        # Not every eight digits are a day.
        with contextlib.suppress(ValueError):
            yield date(int(found[1]), int(found[3]), int(found[4])).isoformat()


def _stored(dates: str) -> list[Interval]:
    return [(each.start, each.end) for each in _decoded(dates)]
