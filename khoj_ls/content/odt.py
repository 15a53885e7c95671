"""Text documents (ODT): sections under headings, with lists, tables row by row, footnotes and comments.

OpenDocument 1.3, Part 3, 5 (text) and 9 (tables).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from khoj_ls.content.flowing import Block, pieces_of
from khoj_ls.content.odf_package import OdfFile, open_odf
from khoj_ls.content.odf_text import OdfWords
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import rendered
from khoj_ls.content.xml_tree import Node
from khoj_ls.core.types import ParsedFile, Problem

MOST_BLOCKS = 200_000
"""Paragraphs and rows: some thousand pages."""
_INDEXES = frozenset({"table-of-content", "illustration-index", "table-index", "object-index", "tracked-changes"})
"""What says again what stands elsewhere, and what was deleted."""
_BLOCKS = frozenset({"h", "p", "list", "table", "numbered-paragraph"})


class OdtProcessor:
    """Reads ODT and templates (OTT)."""

    name = "odt"
    extensions: tuple[str, ...] = (".odt", ".ott")
    priority = 0
    binary = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where nothing can be read."""
        document = _Document(open_odf(data))
        pieces = list(pieces_of(document.blocks()))
        if not pieces:
            raise Refused("no-text", "the document holds no text: at most pictures, which are not read")
        about = document.file.about
        return rendered(
            self.name, about.title or document.title, pieces, tags=about.tags, properties=about.properties, dates=about.dates,
            problems=document.problems,
        )  # fmt: skip


class _Document:
    """One document while it is read."""

    def __init__(self, file: OdfFile) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.title: str | None = None
        self._many = 0

    def blocks(self) -> Iterator[Block]:
        """The document in reading order, as far as the limit goes."""
        for node in self.file.records(_BLOCKS | _INDEXES):
            yield from self._block(node)
            if self._many >= MOST_BLOCKS:
                what = f"only the first {MOST_BLOCKS:,} paragraphs are read: split the document"
                self.problems.append(Problem("warning", "too-long", what))
                return

    def _block(self, node: Node, label: str = "") -> Iterator[Block]:
        """What a paragraph, list or table says. `label` stands before the first paragraph."""
        if node.name == "list":
            yield from self._list(node, 0, "")
        elif node.name == "table":
            yield from self._table(node)
        elif node.name in ("p", "h"):
            yield from self._paragraph(node, label)
        elif node.name not in _INDEXES:
            for child in node.nodes():
                yield from self._block(child, label)

    def _paragraph(self, node: Node, label: str) -> Iterator[Block]:
        self._many += 1
        words = OdfWords()
        words.read(node)
        told = node.get("outline-level", "1")
        level = (int(told) if re.fullmatch("[1-9]|10", told) else 1) if node.name == "h" else 0
        if words.text:
            if not self.title and self.file.is_a(node.get("style-name"), "Title"):
                self.title = " ".join(words.text.split())
            yield Block(label + words.text, level, bool(label), tuple(words.notes))
        elif words.notes:
            yield Block("", notes=tuple(words.notes))
        for box in words.boxes:
            yield from self._table(box) if box.name == "table" else self._block(box)

    def _list(self, node: Node, depth: int, style: str) -> Iterator[Block]:
        style = node.get("style-name") or style
        kinds = self.file.styles.get(style)
        kind = next((each for each in kinds.nodes() if each.get("level") == str(depth + 1)), None) if kinds else None
        count = 0
        for item in node.nodes():
            if item.name not in ("list-item", "list-header"):
                continue
            count += item.name == "list-item"
            label = ""
            if item.name == "list-item":
                label = f"{'  ' * min(depth, 8)}{_mark(kind, count)}"
            for child in item.nodes():
                if child.name == "list":
                    yield from self._list(child, depth + 1, style)
                else:
                    yield from self._block(child, label)
                    label = ""

    def _table(self, node: Node) -> Iterator[Block]:
        for row in _rows(node):
            self._many += 1
            cells: list[str] = []
            notes: list[str] = []
            for cell in row.nodes():
                if cell.name == "table-cell":
                    said = list(self._inside(cell))
                    cells.append(" ".join(" ".join(block.text for block in said).split()))
                    notes += (note for block in said for note in block.notes)
            if any(cells):
                yield Block(" | ".join(cells), close=True, notes=tuple(notes))

    def _inside(self, cell: Node) -> Iterator[Block]:
        for child in cell.nodes():
            yield from self._block(child)


def _mark(kind: Node | None, count: int) -> str:
    if kind is not None and kind.name == "list-level-style-number" and kind.get("num-format", "1"):
        return f"{count}{kind.get('num-suffix', '.')} "
    return "- "


def _rows(node: Node) -> Iterator[Node]:
    """The rows of a table, those in groups as well; none of tables within it."""
    for child in node.nodes():
        if child.name == "table-row":
            yield child
        elif child.name in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows(child)
