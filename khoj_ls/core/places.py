"""Where in a file an entry stands, for files whose lines are not what people see: pages, slides, rows, cells, chapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

PlaceKind = Literal["page", "slide", "rows", "cell", "chapter", "paragraph", "part", "piece"]
"""What is counted. `rows` of a sheet or table; `part`: something that has only a name; `piece` of a line: characters of it."""

_PAGED = frozenset({"page", "slide"})
_ONE = MappingProxyType({"rows": "row"})


@dataclass(frozen=True)
class Column:
    """How far into a line something stands, in each of the units that editors count in (LSP 3.17, PositionEncodingKind)."""

    utf8: int = 0
    utf16: int = 0
    utf32: int = 0

    def behind(self, text: str) -> Column:
        """The column behind `text`, which begins here."""
        chars = len(text)
        if text.isascii():
            return Column(self.utf8 + chars, self.utf16 + chars, self.utf32 + chars)
        wide = len(text.encode("utf-16-le", "surrogatepass")) // 2
        return Column(self.utf8 + len(text.encode(errors="surrogatepass")), self.utf16 + wide, self.utf32 + chars)


@dataclass(frozen=True)
class Place:
    """A piece of a file, counted as people count there."""

    kind: PlaceKind
    first: int
    """From 1, both inclusive."""
    last: int
    name: str = ""
    """What it is part of or called: a sheet, a chapter, a function."""
    lined: bool = False
    """Whether the entry's lines are lines of the file as well, as in a notebook or a CSV file. If not, the file is no text:
    they are lines of a text that was made from it, and lead nowhere."""
    columns: tuple[Column, Column] | None = None
    """Where in its line a piece of one begins and ends."""

    @property
    def page(self) -> int | None:
        """The page or slide it begins on."""
        return self.first if self.kind in _PAGED else None


def spoken(place: Place) -> str:
    """A place in words: `page 3`, `Costs, rows 2 to 21`, `column 4420`."""
    if place.kind == "piece":
        return f"column {place.first}"
    if place.kind == "part":
        return place.name
    one = _ONE.get(place.kind, place.kind)
    count = f"{one} {place.first}" if place.first == place.last else f"{one.removesuffix('s')}s {place.first} to {place.last}"
    return f"{place.name}, {count}" if place.name else count


def spanning(places: Sequence[Place | None]) -> Place | None:
    """The place of pieces that follow each other: from the first to the last, where these are counted alike, else the first."""
    first, last = (places[0], places[-1]) if places else (None, None)
    if first and last and (first.kind, first.name, first.lined) == (last.kind, last.name, last.lined):
        columns = (first.columns[0], last.columns[1]) if first.columns and last.columns else None
        return replace(first, last=max(first.last, last.last), columns=columns)
    return first


def fragment(place: Place | None, line: int) -> str:
    """What follows a file's URI to lead to a line or place of it: `#L12`; `#page=3` (RFC 8118, 3); empty for line 1.

    A file that is no text has no lines to lead to.
    """
    if place is None or place.lined:
        return f"#L{line}" if line > 1 else ""
    return f"#page={place.first}" if place.kind == "page" else ""
