"""Word documents (DOCX): sections under headings, with lists, tables row by row, footnotes and comments.

ECMA-376, Part 1, 17 (WordprocessingML).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from khoj_ls.content.docx_styles import Numbering, Style, number, outline_level, read_styles, value
from khoj_ls.content.docx_text import Words, direct, paragraphs
from khoj_ls.content.flowing import Block, pieces_of
from khoj_ls.content.office_package import Package, open_package
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import rendered
from khoj_ls.content.xml_tree import Node
from khoj_ls.core.types import ParsedFile, Problem

MOST_BLOCKS = 200_000
"""Paragraphs and rows: some thousand pages."""
_TITLE = "title"


class DocxProcessor:
    """Reads DOCX, and with it templates (DOTX) and documents with macros (DOCM), which are never run."""

    name = "docx"
    extensions: tuple[str, ...] = (".docx", ".docm", ".dotx", ".dotm")
    priority = 0
    binary = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where nothing can be read."""
        document = _Document(open_package(data, "document"))
        pieces = list(pieces_of(document.blocks()))
        if not pieces:
            raise Refused("no-text", "the document holds no text: at most pictures, which are not read")
        about = document.package.about
        return rendered(
            self.name,
            about.title or document.title,
            pieces,
            tags=about.tags,
            properties=about.properties,
            dates=about.dates,
            problems=document.problems,
        )


class _Document:
    """One document while it is read."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.problems: list[Problem] = []
        self.title: str | None = None
        self._styles: dict[str, Style] = read_styles(self._records("styles", "style"))
        self._numbering = Numbering(self._records("numbering", "abstractNum", "num"))
        self._notes = {
            (kind, node.get("id")): node
            for kind in ("footnote", "endnote", "comment")
            for node in self._records(f"{kind}s", kind)
            if not node.get("type")  # lines between notes and text
        }
        self._numbers: dict[tuple[str, str], str] = {}
        self._many = 0

    def _records(self, kind: str, *names: str) -> Iterator[Node]:
        """Records of a part that the document can do without; where it is damaged, that is told."""
        part = self.package.target(self.package.main, kind)
        if part is None:
            return
        try:
            yield from self.package.records(part, *names)
        except Refused as refusal:
            if refusal.code != "damaged":
                raise
            self.problems.append(Problem("warning", "damaged-part", f"{kind} of the document are left out: {refusal}"))

    def blocks(self) -> Iterator[Block]:
        """The document in reading order, as far as the limit goes."""
        # What stands around the records is the body; sections and content controls are looked through.
        for node in self.package.records(self.package.main, "p", "tbl"):
            yield from self._block(node)
            if self._many >= MOST_BLOCKS:
                what = f"only the first {MOST_BLOCKS:,} paragraphs are read: split the document"
                self.problems.append(Problem("warning", "too-long", what))
                return

    def _block(self, node: Node) -> Iterator[Block]:
        self._many += 1
        if node.name == "tbl":
            for row in direct(node, "tr"):
                if row.find("trPr", "del") is None:
                    yield from self._row(row)
            return
        words = Words(self._numbers)
        words.read(node)
        style = self._styles.get(value(node.find("pPr", "pStyle")), Style())
        if style.name.startswith("toc ") or style.name == "table of figures":
            return  # says again what the headings say
        text = words.text
        set_level = outline_level(node)
        level = style.level if set_level is None else set_level
        if text:
            if style.name == _TITLE and not self.title:
                self.title = " ".join(text.split())
            label = self._label(node, style)
            text = label + text
            yield Block(text, level, bool(label) and not level, self._told(words))
        elif words.notes:
            yield Block("", notes=self._told(words))
        yield from self._boxes(words)

    def _row(self, row: Node) -> Iterator[Block]:
        cells: list[str] = []
        notes: list[str] = []
        boxes: list[Words] = []
        self._many += 1
        for cell in direct(row, "tc"):
            said = []
            for node in _flat(cell):
                words = Words(self._numbers)
                words.read(node)
                said.append(self._label(node, self._styles.get(value(node.find("pPr", "pStyle")), Style())) + words.text)
                notes += self._told(words)
                boxes.append(words)
            cells.append(" ".join(" ".join(each.split()) for each in said if each.strip()))
        text = " | ".join(cells)
        if any(cells):
            yield Block(text, close=True, notes=tuple(notes))
        for words in boxes:
            yield from self._boxes(words)

    def _boxes(self, words: Words) -> Iterator[Block]:
        for box in words.boxes:
            for node in paragraphs(box):
                yield from self._block(node)

    def _label(self, node: Node, style: Style) -> str:
        listed = node.find("pPr", "numPr")
        if listed is None:
            return self._numbering.label(style.list_id, style.list_level) if style.list_id else ""
        depth = number(listed.find("ilvl")) if listed.find("ilvl") else style.list_level
        label = self._numbering.label(value(listed.find("numId")) or style.list_id, depth)
        return "  " * min(depth, 8) + label if label else ""

    def _told(self, words: Words) -> tuple[str, ...]:
        """The notes that a paragraph refers to, each in a line."""
        return tuple(line for kind, note in words.notes if (line := self._note(kind, note)))

    def _note(self, kind: str, note: str) -> str:
        node = self._notes.pop((kind, note), None)  # referred to again, it is not told again
        if node is None:
            return ""
        text = self._plain(paragraphs(node))
        if not text:
            return ""
        if kind == "comment":
            author = node.get("author")
            return f"Comment by {author}: {text}" if author else f"Comment: {text}"
        return f"[{self._numbers.get((kind, note), note)}] {text}"

    def _plain(self, nodes: Iterable[Node]) -> str:
        said = []
        for node in nodes:
            words = Words(self._numbers)
            words.read(node)
            said.append(words.text)
        return " ".join(" ".join(said).split())


def _flat(cell: Node) -> Iterator[Node]:
    """The paragraphs of a cell, those of tables within it as well."""
    for node in paragraphs(cell):
        if node.name == "p":
            yield node
        else:
            for inner in node.below("tc"):
                yield from (each for each in paragraphs(inner) if each.name == "p")
