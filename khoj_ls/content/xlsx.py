"""Workbooks (XLSX): rows in groups, each row said with the names of its columns, by sheets.

ECMA-376, Part 1, 18 (SpreadsheetML).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from khoj_ls.content.number_format import built_in_code
from khoj_ls.content.office_package import Package, open_package
from khoj_ls.content.pptx_shapes import text_lines_of
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import rendered
from khoj_ls.content.sheets import Cells, Sheet, SheetPieces
from khoj_ls.content.xlsx_sheet import Look, column_of, read_rows
from khoj_ls.content.xml_tree import Node
from khoj_ls.core.types import ParsedFile, Problem

_SHEETS = frozenset({"worksheet"})
_MOST_STRINGS = 2_000_000
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


class XlsxProcessor:
    """Reads XLSX, and with it templates (XLTX) and workbooks with macros (XLSM), which are never run."""

    name = "xlsx"
    extensions: tuple[str, ...] = (".xlsx", ".xlsm", ".xltx", ".xltm")
    priority = 0
    binary = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where nothing can be read."""
        package = open_package(data, "workbook")
        if package.main.endswith(".bin"):
            raise Refused("legacy-format", "the workbook is in Excel's binary format: save it as .xlsx")
        book = _Book(package)
        written = SheetPieces()
        pieces = list(written.pieces(book.sheets()))
        if not written.has_text:
            raise Refused("no-text", "the workbook holds no text: its sheets are empty")
        about = package.about
        return rendered(
            self.name, about.title, pieces, tags=about.tags, properties=about.properties, dates=about.dates,
            problems=[*book.problems, *written.problems()],
        )  # fmt: skip


class _Book:
    """One workbook while it is read."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self.problems: list[Problem] = []
        settings = next(package.records(package.main, "workbookPr"), None)
        self._look = Look(
            strings=self._strings(),
            formats=self._formats(),
            is_1904=settings is not None and settings.get("date1904") in ("1", "true"),
        )

    def sheets(self) -> Iterator[Sheet]:
        """Sheets in the order of their tabs."""
        package = self._package
        relations = {each.id: each for each in package.relations(package.main)}
        for node in package.records(package.main, "sheet"):
            relation = relations.get(node.get("r:id"))
            if relation is None or relation.kind not in _SHEETS:
                continue  # a sheet that is a chart shows what others hold
            part = relation.target
            if part not in package.archive:
                what = f"the sheet {node.get('name')} is damaged and left out: it has no {part}"
                self.problems.append(Problem("warning", "damaged-part", what))
                continue
            is_hidden = node.get("state") in ("hidden", "veryHidden")
            yield Sheet(node.get("name"), self._rows(part), is_hidden, self._comments(part), tuple(self._boxes(part)))

    def _rows(self, part: str) -> Iterator[Cells]:
        for row in read_rows(self._package.archive.read(part), part, self._look):
            yield Cells(row.number, row.cells, row.without_value)

    def _strings(self) -> list[str]:
        part = self._package.target(self._package.main, "sharedStrings")
        strings = []
        for node in self._package.records(part, "si") if part else ():
            strings.append(_string(node))
            if len(strings) >= _MOST_STRINGS:
                what = f"only the first {_MOST_STRINGS:,} texts of the workbook are read: split it"
                self.problems.append(Problem("warning", "too-long", what))
                break
        return strings

    def _formats(self) -> list[str]:
        part = self._package.target(self._package.main, "styles")
        codes: dict[int, str] = {}
        formats = []
        for node in self._package.records(part, "numFmts", "cellXfs") if part else ():
            for each in node.nodes():
                number = each.get("numFmtId")
                known = int(number) if re.fullmatch("[0-9]{1,9}", number) else 0
                if each.name == "numFmt":
                    codes[known] = each.get("formatCode")
                elif each.name == "xf":
                    formats.append(codes.get(known) or built_in_code(known))
        return formats

    def _comments(self, part: str) -> dict[int, list[str]]:
        """Comments by rows. A thread is also written as a comment, which is left out."""
        package = self._package
        targets = [(each.kind, each.target) for each in package.relations(part) if each.target in package.archive]
        kind = "threadedComment" if any(each == "threadedComment" for each, _ in targets) else "comments"
        by_row: dict[int, list[str]] = {}
        for each, target in targets:
            for node in package.records(target, "comment", "threadedComment") if each == kind else ():
                place = _REFERENCE.fullmatch(node.get("ref"))
                said = " ".join((_string(node.find("text") or node)).split())
                if place and said and column_of(place[1]):
                    by_row.setdefault(int(place[2]), []).append(f"Comment on {node.get('ref')}: {said}")
        return by_row

    def _boxes(self, part: str) -> Iterator[str]:
        """Texts that lie over the cells."""
        package = self._package
        for relation in package.relations(part):
            if relation.kind == "drawing" and relation.target in package.archive:
                for node in package.records(relation.target, "txBody"):
                    if said := "\n".join(text_lines_of(node)):
                        yield said


def _string(node: Node) -> str:
    """The words of a text, without those that say how it is pronounced."""
    if node.name == "t":
        return node.text()
    if not any(child.name != "rPh" for child in node.nodes()):
        return node.text()
    return "".join(_string(child) for child in node.nodes() if child.name not in ("rPh", "rPr"))
