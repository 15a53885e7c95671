"""The rows of one sheet of an XLSX file, each cell as it is shown. ECMA-376, Part 1, 18.3 (worksheets).

Read event by event: a sheet may have a million rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from khoj_ls.content.number_format import shown_number
from khoj_ls.content.xml_tree import read_events

MOST_COLUMNS = 16_384
_MOST_ROWS = 1_048_576
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_LONGEST_CELL = 32_767


@dataclass
class SheetRow:
    """A row that has something in it."""

    number: int
    """From 1, as the program counts."""
    cells: dict[int, str] = field(default_factory=dict)
    """What is shown, by columns from 1; empty cells are left out."""
    without_value: int = 0
    """Formulas whose value is not in the file."""


@dataclass(frozen=True)
class Look:
    """What cells need to be shown."""

    strings: Sequence[str]
    formats: Sequence[str]
    """Format codes by the style of a cell."""
    is_1904: bool = False


def read_rows(data: bytes, part: str, look: Look) -> Iterator[SheetRow]:
    """The rows in `data` that are not empty, in order. Raises Refused where it is damaged."""
    reader = _Reader(look)
    for _ in read_events(data, part, reader.start, reader.end, reader.text):
        yield from reader.done
        reader.done.clear()


def column_of(letters: str) -> int:
    """The number of a column from 1: `AA` is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


class _Reader:
    """Gathers cells from the events of a sheet."""

    def __init__(self, look: Look) -> None:
        self.done: list[SheetRow] = []
        self._look = look
        self._row = SheetRow(0)
        self._column = 0
        self._kind = self._style = ""
        self._taken: list[str] | None = None
        self._value = ""
        self._has_formula = self._has_value = self._is_spoken = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            told = attributes.get("r", "")
            number = int(told) if re.fullmatch("[0-9]{1,7}", told) else self._row.number + 1
            self._row = SheetRow(max(number, self._row.number + 1))
            self._column = 0
        elif name == "c":
            place = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = column_of(place[1]) if place else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._value = ""
            self._has_formula = self._has_value = False
        elif name in ("v", "t") and not self._is_spoken:
            self._taken = []
        elif name == "f":
            self._has_formula = True
        elif name == "rPh":  # how a name is pronounced
            self._is_spoken = True

    def text(self, said: str) -> None:
        if self._taken is not None:
            self._taken.append(said)

    def end(self, name: str) -> None:
        if name in ("v", "t") and self._taken is not None:
            self._value += "".join(self._taken)
            self._has_value = self._has_value or bool(self._value)
            self._taken = None
        elif name == "rPh":
            self._is_spoken = False
        elif name == "c":
            self._end_cell()
        elif name == "row" and (self._row.cells or self._row.without_value) and self._row.number <= _MOST_ROWS:
            self.done.append(self._row)

    def _end_cell(self) -> None:
        if self._has_formula and not self._has_value and self._kind != "str":
            self._row.without_value += 1
        if self._has_value and self._column <= MOST_COLUMNS and (shown := self._shown().strip()):
            self._row.cells[self._column] = shown[:_LONGEST_CELL]

    def _shown(self) -> str:
        value, look = self._value, self._look
        if self._kind == "s":
            at = int(value) if re.fullmatch(r"\s*[0-9]{1,9}\s*", value) else -1
            return look.strings[at] if 0 <= at < len(look.strings) else ""
        if self._kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        if self._kind == "d":
            return value.replace("T", " ").removesuffix("Z").removesuffix(" 00:00:00")
        if self._kind != "n" or not _NUMBER.fullmatch(value.strip()):
            return value
        style = int(self._style) if re.fullmatch("[0-9]{1,6}", self._style) else 0
        code = look.formats[style] if style < len(look.formats) else "General"
        return shown_number(float(value), code, is_1904=look.is_1904)
