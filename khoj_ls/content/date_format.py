"""Dates and times of a spreadsheet, which are numbers of days, as cells show them. ECMA-376, Part 1, 18.8.30 and 18.17.4."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*].|\[(?P<elapsed>h+|m+|s+)\]|\[[^\]]*\]|(?P<half>AM/PM|A/P)'
    r"|(?P<date>y+|m+|d+|h+|s+|e+)|(?P<parts>\.0+)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LAST_DAY = 2_958_465
"""31 December 9999."""
_LEAP_DAY = 60
"""29 February 1900, which never was; the first programs counted it, and all have since."""


def is_date_code(code: str) -> bool:
    """Whether a format shows a date or time."""
    kinds = {match.lastgroup for match in _TOKEN.finditer(code) if (match.lastgroup, match[0].lower()) != ("date", "e")}
    return not re.search("General|[0#?]", _without_texts(code), re.IGNORECASE) and bool(kinds & {"date", "elapsed"})


def _without_texts(code: str) -> str:
    """A code without what it shows as it stands, without brackets, and without parts of seconds."""
    return re.sub(r'"[^"]*"?|\\.|\[[^\]]*\]|[_*].|(?<=s)\.0+', "", code, flags=re.IGNORECASE)


def shown_date(value: float, code: str, is_1904: bool) -> str | None:
    """The day and time that is `value` days after the first, in the format `code`; None where there is no such day."""
    tokens = [(match.lastgroup or "", match[match.lastgroup] if match.lastgroup else "") for match in _TOKEN.finditer(code)]
    places = max((len(text) - 1 for kind, text in tokens if kind == "parts"), default=0)
    has_elapsed = any(kind == "elapsed" for kind, _ in tokens)
    if not (-_LAST_DAY if has_elapsed else 0) <= value <= _LAST_DAY:
        return None
    seconds = round(abs(value) * 86400, min(places, 3))
    moment = _moment(seconds, is_1904)
    if moment is None:
        return None
    is_half = any(kind == "half" for kind, _ in tokens)
    said = ["-"] if value < 0 else []
    for at, (kind, text) in enumerate(tokens):
        if kind == "elapsed":
            said.append(str(int(seconds // {"h": 3600, "m": 60, "s": 1}[text[0].lower()])).rjust(len(text), "0"))
        elif kind == "half":
            said.append(("AM" if moment.hour < 12 else "PM")[: 2 if len(text) > 3 else 1])
        elif kind == "parts":
            said.append(f"{seconds % 1:.{min(places, 3)}f}"[1:])
        elif kind == "date":
            said.append(_field(text.lower(), moment, is_minute=_is_minute(tokens, at), is_half=is_half))
        else:
            said.append(text)
    return " ".join("".join(said).split())


def _moment(seconds: float, is_1904: bool) -> datetime | None:
    days = int(seconds // 86400)
    first = date(1904, 1, 1) if is_1904 else date(1899, 12, 30 if days >= _LEAP_DAY else 31)
    try:
        return datetime(first.year, first.month, first.day) + timedelta(days=days, seconds=int(seconds % 86400))
    except OverflowError:
        return None


def _is_minute(tokens: list[tuple[str, str]], at: int) -> bool:
    """Whether an `m` means minutes: behind hours, or before seconds."""
    before = next((text for kind, text in reversed(tokens[:at]) if kind in ("date", "elapsed")), "")
    behind = next((text for kind, text in tokens[at + 1 :] if kind in ("date", "elapsed")), "")
    return before[:1].lower() == "h" or behind[:1].lower() == "s"


def _field(text: str, moment: datetime, *, is_minute: bool, is_half: bool) -> str:
    sign, width = text[0], len(text)
    if sign in "ye":
        return f"{moment.year % 100:02}" if width <= 2 and sign == "y" else f"{moment.year:04}"
    if sign == "d":
        name = _DAYS[moment.weekday()]
        return str(moment.day).rjust(width, "0") if width <= 2 else name[:3] if width == 3 else name
    if sign == "m" and not is_minute:
        name = _MONTHS[moment.month - 1]
        return str(moment.month).rjust(width, "0") if width <= 2 else {3: name[:3], 5: name[0]}.get(width, name)
    hour = (moment.hour % 12 or 12) if is_half else moment.hour
    return str({"m": moment.minute, "h": hour, "s": moment.second}[sign]).rjust(min(width, 2), "0")
