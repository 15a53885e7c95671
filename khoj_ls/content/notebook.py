"""Jupyter notebooks as entries: cells, and the sections of Markdown cells, in lines of the JSON file."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

from khoj_ls.content.fields import with_fields
from khoj_ls.content.markdown import MarkdownProcessor
from khoj_ls.content.notebook_cells import Cell, Notebook, Said, read_notebook
from khoj_ls.content.outlined import Head, outlined
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import clean
from khoj_ls.core.places import Place
from khoj_ls.core.text import LineIndex, decode_source, text_lines
from khoj_ls.core.types import Anchor, Link, ParsedFile, Problem, Span

MOST_LINES = 1_500_000
"""Nobody wrote so many: they are outputs, and each takes memory whether it is read or not."""
MOST_OUTPUT_LINES = 20
MOST_OUTPUT_CHARS = 2_000
"""Of the outputs of one cell: what was found matters less than what was asked."""
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LINKS = frozenset({"markdown", "url"})
"""Kinds that Jupyter knows."""


class NotebookProcessor:
    """Reads .ipynb files. A cell is an entry, and so is each section of a Markdown cell; outputs are trimmed."""

    name = "notebook"
    extensions: tuple[str, ...] = (".ipynb",)
    priority = 0

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where it is no notebook."""
        text, problems = decode_source(data)
        if text.count("\n") > MOST_LINES:
            raise Refused("too-large", f"the notebook has more than {MOST_LINES:,} lines: clear its outputs, or split it")
        notebook = read_notebook(text)
        index = LineIndex(text)
        if notebook.broken is not None and text.strip():
            line = index.line_of_char(notebook.broken)
            if not notebook.cells:
                raise Refused("damaged", f"the file is damaged or no notebook: its JSON breaks in line {line}")
            what = f"the notebook is damaged: its JSON breaks in line {line}, and what stands behind is left out"
            problems = (*problems, Problem("warning", "damaged-parts", what, line))
        if not notebook.cells:
            return ParsedFile(self.name, None, (), problems=problems)
        return _Compiler(text, index, notebook).compiled(self.name, problems)


class _Compiler:
    """Makes entries of cells."""

    def __init__(self, text: str, index: LineIndex, notebook: Notebook) -> None:
        self._text = text
        self._index = index
        self._notebook = notebook
        self._shown: defaultdict[int, list[str]] = defaultdict(list)
        self._heads: list[Head] = []
        self._links: list[Link] = []
        self._anchors: list[Anchor] = []
        self._front: ParsedFile | None = None
        self._title: str | None = None
        self._said = False
        """Whether the last entry says anything yet."""
        self._found = 0
        """Behind the last link or anchor that was found in the file: two of a line may read alike."""

    def compiled(self, type_: str, problems: tuple[Problem, ...]) -> ParsedFile:
        """The parsed file."""
        for number, cell in enumerate(self._notebook.cells, start=1):
            self._cell(cell, number)
        front = self._front or ParsedFile(type_, None, ())
        lines = [" ".join(self._shown.get(line, [])) for line in range(1, len(self._index) + 1)]
        own = _said_of(self._notebook.metadata)
        parsed = outlined(
            type_,
            _text_of(self._notebook.metadata.get("title")) or front.title or self._title,
            self._text,
            self._heads,
            shown=lines,
            links=self._links,
            anchors=self._anchors,
            tags=front.tags,
            properties=(*own, *front.properties),
            dates=front.dates,
            aliases=front.aliases,
            problems=problems,
        )
        return with_fields(replace(parsed, private=front.private), ())

    def _cell(self, cell: Cell, number: int) -> None:
        line = self._index.line_of_char(cell.start)
        place = Place("cell", number, number, lined=True)
        if self._heads and line <= self._heads[-1].line:  # a notebook without line breaks: its cells are one entry
            last = self._heads[-1]
            first = last.place.first if last.place else number
            self._heads[-1] = replace(last, place=replace(place, first=first), tags=tuple(dict.fromkeys(last.tags + cell.tags)))
        else:
            self._heads.append(Head(line, place=place, tags=cell.tags))
            self._said = False
        if cell.kind == "markdown" or (cell.kind == "raw" and number == 1):
            self._markdown(cell, first=number == 1)
        elif cell.kind == "heading":
            self._heading("".join(said.text for said in cell.source), cell.level, self._lines(cell.source))
        else:
            for line, text in self._lines(cell.source):
                self._show(line, text)
        self._outputs(cell.outputs)

    def _lines(self, strings: list[Said]) -> list[tuple[int, str]]:
        """The lines of a text in several strings, each with the line of the file in which it begins."""
        found: list[tuple[int, str]] = []
        fresh = True
        for said in strings:
            at = self._index.line_of_char(said.start)
            for each in text_lines(said.text):
                if fresh:
                    found.append((at, each.rstrip("\r\n")))
                else:
                    found[-1] = (found[-1][0], found[-1][1] + each.rstrip("\r\n"))
                fresh = each.endswith(("\n", "\r"))
        return found

    def _show(self, line: int, text: str) -> None:
        if text.strip():
            self._said = True
            self._shown[line].append(clean(text).replace("\n", " ").rstrip())

    def _markdown(self, cell: Cell, *, first: bool) -> None:
        lines = self._lines(cell.source)
        source = "\n".join(text for _, text in lines).encode(errors="replace")
        parsed = MarkdownProcessor().parse(source, "cell.md")
        if first:
            self._front = parsed
        for entry in parsed.entries:
            own = lines[entry.span.line - 1 : entry.span.end_line]
            if entry.heading:
                self._heading(entry.heading, entry.level, own[:1])
            for (line, _), text in zip(own, entry.text.split("\n"), strict=False):
                self._show(line, text)
            for link in entry.links:
                if link.kind in _LINKS:
                    self._links.append(replace(link, span=self._span(lines, link.span, source)))
            for anchor in entry.anchors:
                if anchor.kind != "heading":
                    self._anchors.append(replace(anchor, span=self._span(lines, anchor.span, source)))

    def _heading(self, heading: str, level: int, lines: list[tuple[int, str]]) -> None:
        """Begin an entry at the heading; at the cell itself where it begins with it."""
        if not lines:
            return
        if level == 1:
            self._title = self._title or " ".join(heading.split())
        line, last = lines[0][0], self._heads[-1]
        if not last.heading and not self._said:
            self._heads[-1] = replace(last, heading=heading, level=level, lines=line - last.line + 1 if line > last.line else 0)
        elif line > last.line:
            self._heads.append(Head(line, heading, level, place=last.place, tags=last.tags))
            self._said = False
        else:
            self._show(line, heading)

    def _span(self, lines: list[tuple[int, str]], span: Span, source: bytes) -> Span:
        """Where in the file something of a cell stands, written as JSON writes it; else its line."""
        line = lines[min(span.line, len(lines)) - 1][0]
        start, end = max(self._found, self._index.char_starts[line - 1]), self._index.char_starts[line]
        text = source[span.start : span.end].decode(errors="replace")
        for written in (text, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]):
            at = self._text.find(written, start, end)
            if written and at >= 0:
                self._found = at + len(written)
                return self._index.span_of_chars(at, self._found)
        return self._index.span_of_lines(line, line)

    def _outputs(self, strings: list[Said]) -> None:
        left = MOST_OUTPUT_CHARS
        for line, text in self._lines(strings)[:MOST_OUTPUT_LINES]:
            if left <= 0:
                return
            shown = _TERMINAL.sub("", text[: 2 * left])[:left]
            left -= len(shown)
            self._show(line, shown)


def _said_of(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """Language and authors, as a notebook's metadata says them."""
    language = metadata.get("language_info")
    authors = metadata.get("authors")
    names = [language.get("name")] if isinstance(language, dict) else []
    people = [each.get("name") for each in authors if isinstance(each, dict)] if isinstance(authors, list) else []
    said = [("language", _text_of(name)) for name in names] + [("author", _text_of(name)) for name in people]
    return [(name, value) for name, value in said if value]


def _text_of(value: Any) -> str | None:
    return " ".join(clean(value).split()) or None if isinstance(value, str) else None
