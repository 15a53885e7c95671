"""How much of its score a hit keeps as it grows old: half of what can be lost is lost after `decay` days.

The decay is exponential, as memory's is in Li & Croft 2003, "Time-based language models".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from khoj_ls.core.types import EntryDate

_DAY_SECONDS = 86_400.0


def recency_factor(age: float, bias: float, decay: float) -> float:
    """What a score is multiplied with: 1 for what is of today, and 1 - `bias` in the end. `age` and `decay` are in days."""
    return float(1.0 - bias + bias * 2.0 ** (-age / decay))


def age_of(own: Iterable[EntryDate], notes: Iterable[EntryDate], modified: float, now: float) -> float:
    """Days between today and a passage: by its `own` dates, else its note's, else when the file was `modified`.

    Of several dates the nearest to today counts: what was written long ago and is due tomorrow is of tomorrow. What lies ahead
    is as far away as what lies back, so that a plan for next week is near and one for the next decade is not. Times are seconds
    since 1970, and days are those of the local clock.
    """
    today = date.fromtimestamp(now).toordinal()
    for dates in (own, notes):
        distances = [distance for each in dates if (distance := _days(each, today)) is not None]
        if distances:
            return float(min(distances))
    # Clocks of other machines run ahead: a file cannot be changed tomorrow.
    return max(0.0, now - modified) / _DAY_SECONDS


def _days(each: EntryDate, today: int) -> int | None:
    """Days from today to the day, or to the nearest one of the span; None for what is no day of the calendar."""
    first = _ordinal(each.start)
    last = _ordinal(each.end) if each.end else None
    if first is None:
        return None
    return max(0, first - today, today - max(first, last or first))


def _ordinal(text: str) -> int | None:
    try:
        return date.fromisoformat(text[:10]).toordinal()
    except ValueError:
        return None
