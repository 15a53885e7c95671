"""CSV and TSV: rows in groups, each row said with the names of its columns, in the lines of the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from khoj_ls.content.csv_rows import Row, rows_of, separator_of, told_separator
from khoj_ls.content.legacy_encoding import decode_legacy
from khoj_ls.content.outlined import Head, outlined
from khoj_ls.content.tables import Groups, column_names, header_at, row_text
from khoj_ls.core.places import Place
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import ParsedFile, Problem

MOST_ROWS = 200_000
_MOST_NAMED = 30_000_000
"""Characters: names of columns are said again in each row, and may be longer than what stands below them."""
_FIRST = 30
"""Rows in which names of columns are looked for."""


class CsvProcessor:
    """Reads tables in text: an entry is a group of rows."""

    name = "csv"
    extensions: tuple[str, ...] = (".csv", ".tsv")
    priority = 0
    path_matters = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; the suffix of `path` says what separates fields where the file leaves it open."""
        text, problems = decode_legacy(data)
        lines = text_lines(text)
        told = told_separator(lines)
        separator = told or separator_of(lines, "\t" if path.lower().endswith(".tsv") else ",")
        rows = list(islice(rows_of(lines, separator, start=1 if told else 0), MOST_ROWS))
        found = [*problems, *_broken(rows)]
        read = rows[-1].line - 1 + rows[-1].lines if rows else len(lines)
        if read < len(lines):
            what = f"only the first {MOST_ROWS:,} rows are read, those from line {read + 1:,} on are not: split the file"
            found.append(Problem("warning", "too-many-rows", what, read + 1))
        header = header_at([row.cells for row in rows[:_FIRST]])
        heads, shown = _laid_out(rows, header, 1 if told else 0)
        return outlined(self.name, None, "".join(lines[:read]), heads, shown=shown, problems=found)


def _broken(rows: Iterable[Row]) -> list[Problem]:
    lines = [row.line for row in rows if row.is_broken]
    if not lines:
        return []
    more = f", and {len(lines) - 1:,} others" if len(lines) > 1 else ""
    what = f"a quote that begins in line {lines[0]}{more} is never closed: such a line is read as it stands"
    return [Problem("warning", "open-quote", what, lines[0])]


def _laid_out(rows: Sequence[Row], header: int | None, above: int) -> tuple[list[Head], list[str]]:
    """Where entries begin, and a readable line for each line of the file, `above` of which stand above the rows."""
    names = () if header is None else column_names(rows[header].cells)
    starts: list[tuple[int, int]] = []
    shown = [""] * above
    groups = Groups()
    chars = 0
    for at, row in enumerate(rows):
        is_data = header is not None and at > header and chars < _MOST_NAMED
        said = row_text(names if is_data else (), _with_plain_breaks(row.cells)).split("\n")
        # What a field holds besides line breaks is its own; a line more or less than the file has would shift all others.
        said = [*said, *[""] * row.lines][: row.lines]
        shown += said
        chars += sum(map(len, said))
        if groups.starts(sum(map(len, said))) or not starts:
            starts.append((at + 1, row.line))
    heads = []
    for (first, line), (behind, _) in zip(starts, [*starts, (len(rows) + 1, 0)][1:], strict=True):
        heads.append(Head(line, place=Place("rows", first, behind - 1, lined=True)))
    return heads, shown


def _with_plain_breaks(cells: Iterable[str]) -> list[str]:
    return [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in cells]
