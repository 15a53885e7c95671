"""Rows as text: which of them names the columns, what one says in a line, and how many go into one entry."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

ROWS_PER_ENTRY = 20
CHARS_PER_ENTRY = 900
"""A group of rows ends when it has this much text: about what one vector can hold, so that a hit names few rows."""
_TRIED = 10
"""A title, a date and a note may stand above the names of columns."""
_LONGEST_NAME = 200
_VALUE = re.compile(r"[^\W\d_]{0,3}[^\w]*\d[^A-Za-z]*[^\W\d_]{0,3}")
"""A number, a date, an amount: a digit, and at most a unit before or behind it."""
_YEAR = re.compile(r"(?:19|20)\d\d")


def header_at(rows: Sequence[Sequence[str]]) -> int | None:
    """Index of the row that names the columns, from the first rows of a table; None where none does.

    It is the first one that is about as wide as the table, and holds names that differ, not numbers or dates; years in a row
    (`Country, 2023, 2024`) are names.
    """
    filled = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    many = Counter(len(row) for row in filled if len(row) > 1)
    if not many:
        return None
    usual = many.most_common(1)[0][0]
    for at, names in enumerate(filled[:_TRIED]):
        if len(names) >= max(2, usual * 0.6):
            return at if _are_names(names) else None
    return None


def _are_names(cells: Sequence[str]) -> bool:
    if len(set(cells)) < len(cells) or any(len(cell) > _LONGEST_NAME for cell in cells):
        return False
    values = [cell for cell in cells if _VALUE.fullmatch(cell)]
    return not values or (len(values) < len(cells) and all(_YEAR.fullmatch(value) for value in values))


def column_names(row: Sequence[str]) -> tuple[str, ...]:
    """The names that a header row gives, each in one line."""
    return tuple(" ".join(cell.split()) for cell in row)


def row_text(names: Sequence[str], cells: Sequence[str]) -> str:
    """What a row says: `Name: Ada; City: London`; empty cells are left out. Line breaks within cells stay."""
    said = []
    for at, cell in enumerate(cells):
        if cell.strip() or "\n" in cell:
            name = names[at] if at < len(names) else ""
            said.append(f"{name}: {cell}" if name else cell)
    return "; ".join(said)


class Groups:
    """Decides where a group of rows ends, row by row."""

    def __init__(self) -> None:
        self._rows = self._chars = 0

    def starts(self, chars: int) -> bool:
        """Whether a row of `chars` characters begins another group than the row before it."""
        full = self._rows > 0 and (self._rows >= ROWS_PER_ENTRY or self._chars + chars > CHARS_PER_ENTRY)
        if full:
            self._rows = self._chars = 0
        self._rows += 1
        self._chars += chars
        return full
