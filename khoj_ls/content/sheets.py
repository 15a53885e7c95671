"""The sheets of a workbook as pieces of text: groups of rows under the name of their sheet. XLSX and ODS alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from khoj_ls.content.rendering import Piece
from khoj_ls.content.tables import Groups, header_at, row_text
from khoj_ls.core.places import Place
from khoj_ls.core.types import Problem

MOST_CELLS = 1_000_000
MOST_ROWS = 200_000
MOST_CHARS = 30_000_000
"""Of all sheets together, with the names of columns: a text that is stored once may stand in each cell."""
_FIRST = 30
"""Rows in which names of columns are looked for."""


@dataclass(frozen=True)
class Cells:
    """A row that is not empty."""

    number: int
    """From 1, as the program counts."""
    cells: Mapping[int, str]
    """What is shown, by columns from 1; empty cells are left out."""
    without_value: int = 0
    """Formulas whose value is not in the file."""
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A sheet while it is read."""

    name: str
    rows: Iterable[Cells]
    is_hidden: bool = False
    comments: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """By rows, where the rows do not have them."""
    boxes: tuple[str, ...] = ()
    """Texts that belong to no cell."""


class SheetPieces:
    """Makes pieces of sheets, and knows afterwards what was left out."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.has_text = False
        self._rows = self._cells = self._chars = self._without_value = 0
        self._cut = ""
        """Where reading ended."""

    def pieces(self, sheets: Iterable[Sheet]) -> Iterator[Piece]:
        """A heading for each sheet that is not empty, with its first rows, and further groups of rows below it."""
        for sheet in sheets:
            yield from self._sheet(sheet)
            if self._cut:
                return

    def problems(self) -> list[Problem]:
        """What was left out."""
        found = []
        if self._cut:
            what = (
                f"rows from {self._cut} on are not read: the workbook has more than {MOST_ROWS:,} rows or {MOST_CELLS:,} cells"
            )
            found.append(Problem("warning", "too-many-rows", f"{what}; split it"))
        if self._without_value:
            many = self._without_value
            have = f"{many:,} formulas have" if many > 1 else "a formula has"
            what = f"{have} no value in the file: open it in a spreadsheet program and save it"
            found.append(Problem("warning", "no-values", what))
        return found

    def _sheet(self, sheet: Sheet) -> Iterator[Piece]:
        heading = sheet.name + (" (hidden sheet)" if sheet.is_hidden else "")
        level = 1
        lines: list[str] = []
        numbers: list[int] = []
        groups = Groups()
        for number, said in self._said(sheet):
            if groups.starts(len(said)) and numbers:
                yield Piece("\n".join(lines), Place("rows", min(numbers), max(numbers), sheet.name), heading, level)
                heading, level, lines, numbers = "", 0, [], []
            numbers.append(number)
            lines.append(said)
            self._chars += len(said)
        if numbers:
            yield Piece("\n".join(lines), Place("rows", min(numbers), max(numbers), sheet.name), heading, level)
            heading, level = "", 0
        if sheet.boxes:
            self.has_text = True
            yield Piece("\n\n".join(sheet.boxes), Place("part", 1, 1, sheet.name), heading, level)

    def _said(self, sheet: Sheet) -> Iterator[tuple[int, str]]:
        """Each row with what it says, comments included."""
        rows = self._counted(sheet)
        first = list(islice(rows, _FIRST))
        header = header_at([list(row.cells.values()) for row in first])
        names: dict[int, str] = {}
        left = dict(sheet.comments)
        for at, row in enumerate(chain(first, rows)):
            columns = sorted(row.cells)
            said = row_text(
                [names.get(column, "") for column in columns], [" ".join(row.cells[column].split()) for column in columns]
            )
            if at == header:
                names = {column: " ".join(row.cells[column].split()) for column in columns}
            comments = [*row.comments, *left.pop(row.number, [])]
            if said or comments:
                self.has_text = True
                yield row.number, "\n".join([*([said] if said else []), *comments])
        for number in sorted(left) if not self._cut else ():
            self.has_text = True
            yield number, "\n".join(left[number])

    def _counted(self, sheet: Sheet) -> Iterator[Cells]:
        for row in sheet.rows:
            self._rows += 1
            self._cells += len(row.cells)
            self._without_value += row.without_value
            if self._rows > MOST_ROWS or self._cells > MOST_CELLS or self._chars > MOST_CHARS:
                self._cut = f"{row.number:,} of {sheet.name}"
                return
            yield row
