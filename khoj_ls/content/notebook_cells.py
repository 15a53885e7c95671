"""The cells of a Jupyter notebook (nbformat 3 and 4), each string with where it stands in the JSON.

Only what is shown is looked into; the rest (pictures, data of plots, metadata of tools) is passed over at the speed of the JSON
library. Nothing here nests deeper than the format does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(strict=False)
_TEXTS = ("text/markdown", "text/plain")
"""Of several forms of one output the first of these is read."""


class BrokenJson(Exception):
    """JSON that ends or goes wrong at a character of the source."""

    def __init__(self, at: int) -> None:
        """`at`: where."""
        super().__init__(f"broken at character {at}")
        self.at = at


@dataclass(frozen=True)
class Said:
    """A string: what it says and where its quotes stand, characters [start, end) of the source."""

    text: str
    start: int
    end: int


@dataclass
class Cell:
    """A cell as it stands in the file."""

    start: int
    """The character at which its `{` stands."""
    kind: str = "raw"
    """`markdown`, `code`, `raw`; `heading` in nbformat 3."""
    source: list[Said] = field(default_factory=list)
    """Its strings, which together are its text: mostly one for each line."""
    outputs: list[Said] = field(default_factory=list)
    """The strings of the outputs that are text."""
    tags: tuple[str, ...] = ()
    level: int = 1
    """Of a heading of nbformat 3."""


@dataclass
class Notebook:
    """What was read; `broken` is where reading ended before the end of the file."""

    cells: list[Cell] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    broken: int | None = None


def read_notebook(source: str) -> Notebook:
    """The notebook in `source`; of a damaged one what stands before the damage. Never raises; takes linear time."""
    notebook = Notebook()
    reader = _Reader(source, notebook)
    try:
        reader.notebook(reader.skip(0))
    except BrokenJson as error:
        notebook.broken = error.at
    return notebook


class _Reader:
    """Reads values that begin at a character and says where they end."""

    def __init__(self, source: str, notebook: Notebook) -> None:
        self._source = source
        self._notebook = notebook

    def skip(self, at: int) -> int:
        """Behind the blanks at `at`."""
        found = _BLANK.match(self._source, at)
        return found.end() if found else at

    def notebook(self, at: int) -> int:
        """The object of a whole notebook, or of a worksheet of nbformat 3, which nests no others of its kind."""
        return self._object(at, {"cells": self._cells, "worksheets": self._worksheets, "metadata": self._metadata})

    def _worksheets(self, at: int) -> int:
        return self._array(at, lambda each: self._object(each, {"cells": self._cells}))

    def _metadata(self, at: int) -> int:
        value, end = self._value(at)
        if isinstance(value, dict):
            self._notebook.metadata = value
        return end

    def _cells(self, at: int) -> int:
        return self._array(at, self._cell)

    def _cell(self, at: int) -> int:
        cell = Cell(at)
        forms: dict[str, list[Said]] = {}

        def kind(at: int) -> int:
            value, end = self._value(at)
            cell.kind = str(value)[:20]
            return end

        def level(at: int) -> int:
            value, end = self._value(at)
            cell.level = value if isinstance(value, int) and 1 <= value <= 6 else 1
            return end

        def metadata(at: int) -> int:
            value, end = self._value(at)
            tags = value.get("tags") if isinstance(value, dict) else None
            cell.tags = tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
            return end

        def source(at: int) -> int:
            return self._strings(at, cell.source)

        def output(at: int) -> int:
            forms.clear()
            data = {name: lambda at, name=name: self._strings(at, forms.setdefault(name, [])) for name in _TEXTS}
            texts = {name: lambda at: self._strings(at, cell.outputs) for name in ("text", "evalue")}
            end = self._object(at, {**texts, "data": lambda at: self._object(at, data)})
            cell.outputs += next((forms[name] for name in _TEXTS if forms.get(name)), [])
            return end

        members: dict[str, Callable[[int], int]] = {
            "cell_type": kind, "level": level, "metadata": metadata, "source": source, "input": source,
            "outputs": lambda at: self._array(at, output),
        }  # fmt: skip
        try:
            return self._object(at, members)
        finally:
            self._notebook.cells.append(cell)  # also one that is broken off

    def _object(self, at: int, members: Mapping[str, Callable[[int], int]]) -> int:
        """An object, those of its members that have a reader by it; anything else in its place is passed over."""
        if self._source[at : at + 1] != "{":
            return self._value(at)[1]
        at = self.skip(at + 1)
        while self._source[at : at + 1] == '"':
            name, at = self._value(at)
            at = self.skip(at)
            if self._source[at : at + 1] != ":":
                raise BrokenJson(at)
            read = members.get(name)
            at = self.skip(at + 1)
            at = self._next(read(at) if read else self._value(at)[1], "}")
        if self._source[at : at + 1] != "}":
            raise BrokenJson(at)
        return at + 1

    def _array(self, at: int, read: Callable[[int], int]) -> int:
        if self._source[at : at + 1] != "[":
            return self._value(at)[1]
        at = self.skip(at + 1)
        while at < len(self._source) and self._source[at] != "]":
            at = self._next(read(at), "]")
        if at >= len(self._source):
            raise BrokenJson(at)
        return at + 1

    def _next(self, at: int, closing: str) -> int:
        """Where the next member begins, or the closing sign stands."""
        at = self.skip(at)
        sign = self._source[at : at + 1]
        if sign not in (",", closing) or not sign:
            raise BrokenJson(at)
        return self.skip(at + 1) if sign == "," else at

    def _strings(self, at: int, into: list[Said]) -> int:
        """A string, or a list of strings."""

        def one(at: int) -> int:
            value, end = self._value(at)
            if isinstance(value, str):
                into.append(Said(value, at, end))
            return end

        return self._array(at, one) if self._source[at : at + 1] == "[" else one(at)

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self._source, at)
        except RecursionError as error:  # lists in lists in lists
            raise BrokenJson(at) from error
        except ValueError as error:
            raise BrokenJson(getattr(error, "pos", at)) from error
