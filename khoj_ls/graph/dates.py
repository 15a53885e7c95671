"""A day as the tools' own date formats write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from khoj_ls.links.conventions import Tool

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_Writer = Callable[[datetime], str]


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `11th`."""
    suffix = "th" if 11 <= number % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


_CLOCK: Mapping[str, _Writer] = MappingProxyType(
    {"HH": lambda at: f"{at.hour:02}", "H": lambda at: str(at.hour), "ss": lambda at: f"{at.second:02}"}
)
_MONTH: Mapping[str, _Writer] = MappingProxyType(
    {
        "MMMM": lambda at: _MONTHS[at.month - 1],
        "MMM": lambda at: _MONTHS[at.month - 1][:3],
        "MM": lambda at: f"{at.month:02}",
        "M": lambda at: str(at.month),
    }
)
_MOMENT: Mapping[str, _Writer] = MappingProxyType(
    {
        **_CLOCK, **_MONTH,
        "YYYY": lambda at: f"{at.year:04}", "gggg": lambda at: str(at.isocalendar()[0]),
        "GGGG": lambda at: str(at.isocalendar()[0]),
        "YY": lambda at: f"{at.year % 100:02}", "Q": lambda at: str((at.month + 2) // 3),
        "DDDD": lambda at: f"{at.timetuple().tm_yday:03}", "DDD": lambda at: str(at.timetuple().tm_yday),
        "DD": lambda at: f"{at.day:02}", "Do": lambda at: ordinal(at.day), "D": lambda at: str(at.day),
        "dddd": lambda at: _DAYS[at.weekday()], "ddd": lambda at: _DAYS[at.weekday()][:3],
        "dd": lambda at: _DAYS[at.weekday()][:2],
        "WW": lambda at: f"{at.isocalendar()[1]:02}", "ww": lambda at: f"{at.isocalendar()[1]:02}",
        "W": lambda at: str(at.isocalendar()[1]), "w": lambda at: str(at.isocalendar()[1]),
        "E": lambda at: str(at.isoweekday()), "mm": lambda at: f"{at.minute:02}", "m": lambda at: str(at.minute),
    }
)  # fmt: skip
"""Moment's, of Obsidian."""
_UNICODE: Mapping[str, _Writer] = MappingProxyType(
    {
        **_CLOCK, **_MONTH,
        "yyyy": lambda at: f"{at.year:04}", "yy": lambda at: f"{at.year % 100:02}", "y": lambda at: str(at.year),
        "dd": lambda at: f"{at.day:02}", "do": lambda at: ordinal(at.day), "d": lambda at: str(at.day),
        "EEEE": lambda at: _DAYS[at.weekday()], "EEE": lambda at: _DAYS[at.weekday()][:3],
        "E": lambda at: _DAYS[at.weekday()][:3],
        "cccc": lambda at: _DAYS[at.weekday()], "ccc": lambda at: _DAYS[at.weekday()][:3],
        "LLLL": lambda at: _MONTHS[at.month - 1], "LLL": lambda at: _MONTHS[at.month - 1][:3],
        "LL": lambda at: f"{at.month:02}",
        "WW": lambda at: f"{at.isocalendar()[1]:02}", "ww": lambda at: f"{at.isocalendar()[1]:02}",
        "mm": lambda at: f"{at.minute:02}", "m": lambda at: str(at.minute),
    }
)  # fmt: skip
"""Java's and Luxon's, of Logseq and Dendron."""
_DATEFORMAT: Mapping[str, _Writer] = MappingProxyType(
    {
        "isoDate": lambda at: at.date().isoformat(),
        "yyyy": lambda at: f"{at.year:04}", "yy": lambda at: f"{at.year % 100:02}",
        "mmmm": lambda at: _MONTHS[at.month - 1], "mmm": lambda at: _MONTHS[at.month - 1][:3],
        "mm": lambda at: f"{at.month:02}", "m": lambda at: str(at.month),
        "dddd": lambda at: _DAYS[at.weekday()], "ddd": lambda at: _DAYS[at.weekday()][:3],
        "dd": lambda at: f"{at.day:02}", "d": lambda at: str(at.day), "S": lambda at: ordinal(at.day)[-2:],
        "WW": lambda at: f"{at.isocalendar()[1]:02}", "W": lambda at: str(at.isocalendar()[1]),
        **_CLOCK, "MM": lambda at: f"{at.minute:02}",
    }
)  # fmt: skip
"""dateformat's, of Foam: small m are months."""


def written_day(at: datetime, form: str, tool: Tool) -> str:
    """`at` in the date format `form`, in the language of `tool`; text in quotes or brackets stays as it is."""
    tokens = {"obsidian": _MOMENT, "plain": _MOMENT, "foam": _DATEFORMAT}.get(tool, _UNICODE)
    names = sorted(tokens, key=len, reverse=True)
    literal = r"\[([^\]]*)\]" if tokens is _MOMENT else r"'([^']*)'|\"([^\"]*)\""
    pattern = re.compile(literal + "|" + "|".join(map(re.escape, names)))

    def write(found: re.Match[str]) -> str:
        quoted = next((group for group in found.groups() if group is not None), None)
        return quoted if quoted is not None else tokens[found[0]](at)

    return pattern.sub(write, form)
