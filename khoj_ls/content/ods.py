"""Spreadsheets (ODS): rows in groups, each row said with the names of its columns, by sheets.

OpenDocument 1.3, Part 3, 9 (tables) and 19.385 (values). Cells hold what they show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from khoj_ls.content.odf_package import OdfFile, open_odf
from khoj_ls.content.odf_text import OdfWords, comment
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import rendered
from khoj_ls.content.sheets import Cells, Sheet, SheetPieces
from khoj_ls.content.xlsx_sheet import MOST_COLUMNS
from khoj_ls.content.xml_tree import Node
from khoj_ls.core.types import ParsedFile

_MOST_REPEATED = 100
"""Of one value in cells side by side; more are a fill, not data."""
_VALUES = ("string-value", "date-value", "time-value", "boolean-value", "value")


class OdsProcessor:
    """Reads ODS and templates (OTS)."""

    name = "ods"
    extensions: tuple[str, ...] = (".ods", ".ots")
    priority = 0
    binary = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where nothing can be read."""
        file = open_odf(data)
        written = SheetPieces()
        pieces = list(written.pieces(_sheets(file)))
        if not written.has_text:
            raise Refused("no-text", "the workbook holds no text: its sheets are empty")
        about = file.about
        return rendered(
            self.name, about.title, pieces, tags=about.tags, properties=about.properties, dates=about.dates,
            problems=written.problems(),
        )  # fmt: skip


def _sheets(file: OdfFile) -> Iterator[Sheet]:
    """Sheets in the order of their tabs. Each is read while its rows are taken."""
    waiting = _Ahead(file.records(("table-row", "tracked-changes", "shapes", "dde-links"), ("table",)))
    while (node := waiting.next_table()) is not None:
        is_hidden = file.says(node.get("style-name"), "table-properties", "display") == "false"
        yield Sheet(node.get("name"), _rows(waiting), is_hidden)


class _Ahead:
    """The records of the content, of which one may be looked at before it is taken."""

    def __init__(self, nodes: Iterator[Node]) -> None:
        self._nodes = nodes
        self._next = next(nodes, None)

    def next_table(self) -> Node | None:
        """The next sheet; what is left of the one before it is passed over."""
        while self._next is not None and self._next.name != "table":
            self._next = next(self._nodes, None)
        found, self._next = self._next, next(self._nodes, None)
        return found

    def next_row(self) -> Node | None:
        """The next row of this sheet; None where it has no more."""
        while self._next is not None and self._next.name != "table":
            found, self._next = self._next, next(self._nodes, None)
            if found.name == "table-row":
                return found
        return None


def _rows(waiting: _Ahead) -> Iterator[Cells]:
    number = 1
    while (row := waiting.next_row()) is not None:
        cells: dict[int, str] = {}
        told: list[str] = []
        column = 1
        for cell in row.nodes():
            repeated = _count(cell.get("number-columns-repeated"))
            if cell.name == "table-cell":
                said, notes = _said(cell)
                told += notes
                if said:
                    cells.update((at, said) for at in range(column, min(column + min(repeated, _MOST_REPEATED), MOST_COLUMNS)))
            column += repeated
        if cells or told:
            # The same row again and again is read once.
            yield Cells(number, cells, comments=tuple(told))
        number += _count(row.get("number-rows-repeated"))


def _said(cell: Node) -> tuple[str, list[str]]:
    """What a cell shows, and the comments on it."""
    lines = []
    notes = []
    for child in cell.nodes():
        if child.name == "annotation":
            notes.append(comment(child))
        elif child.name in ("p", "h"):
            words = OdfWords()
            words.read(child)
            lines.append(words.text)
            notes += words.notes
    said = " ".join(" ".join(lines).split())
    return said or next((cell.get(name) for name in _VALUES if cell.get(name)), ""), notes


def _count(repeated: str) -> int:
    return max(1, int(repeated)) if re.fullmatch("[0-9]{1,7}", repeated) else 1
