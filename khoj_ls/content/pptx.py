"""Presentations (PPTX): an entry for each slide, with its tables, charts, notes and comments.

ECMA-376, Part 1, 19 (PresentationML) and 21 (DrawingML).
"""

from __future__ import annotations

from collections.abc import Iterator

from khoj_ls.content.office_package import Package, open_package
from khoj_ls.content.pptx_shapes import Shape, chart_text, shapes, text_lines_of
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import Piece, rendered
from khoj_ls.content.xml_tree import Node
from khoj_ls.core.places import Place
from khoj_ls.core.types import ParsedFile, Problem

MOST_SLIDES = 5_000
_TITLES = frozenset({"title", "ctrTitle"})
_NOT_SAID = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})
"""Placeholders of numbers, dates and what is the same on each slide."""


class PptxProcessor:
    """Reads PPTX, and with it shows (PPSX), templates (POTX) and those with macros, which are never run."""

    name = "pptx"
    extensions: tuple[str, ...] = (".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm")
    priority = 0
    binary = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where nothing can be read."""
        package = open_package(data, "presentation")
        deck = _Deck(package)
        pieces = list(deck.pieces())
        if not deck.has_text:
            raise Refused("no-text", "the presentation holds no text: at most pictures, which are not read")
        about = package.about
        title = about.title or deck.title
        return rendered(
            self.name, title, pieces, tags=about.tags, properties=about.properties, dates=about.dates, problems=deck.problems
        )


class _Deck:
    """One presentation while it is read."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self.problems: list[Problem] = []
        self.title: str | None = None
        """That of the first slide which has one."""
        self.has_text = False
        self._authors = self._read_authors()

    def pieces(self) -> Iterator[Piece]:
        package = self._package
        targets = {each.id: each.target for each in package.relations(package.main) if each.kind == "slide"}
        names = [targets.get(node.get("r:id"), "") for node in package.records(package.main, "sldId")]
        if len(names) > MOST_SLIDES:
            what = f"only the first {MOST_SLIDES:,} of {len(names):,} slides are read: split the presentation"
            self.problems.append(Problem("warning", "too-long", what))
        damaged = []
        for number, name in enumerate(names[:MOST_SLIDES], 1):
            try:
                yield self._slide(number, name)
            except Refused as refusal:
                if refusal.code != "damaged":
                    raise
                damaged.append(number)
        if damaged:
            what = f"{len(damaged)} of {len(names)} slides are damaged and left out, the first is slide {damaged[0]}"
            self.problems.append(Problem("warning", "damaged-part", what))

    def _slide(self, number: int, part: str) -> Piece:
        title, lines, is_hidden = "", [], False
        # The tree of shapes; that the slide is hidden says the element around it.
        for root in self._package.records(part, "sld"):
            is_hidden = root.get("show") in ("0", "false")
            tree = root.find("cSld", "spTree")
            for shape in shapes(tree) if tree else ():
                if shape.placeholder in _TITLES and not title:
                    title = " ".join(" ".join(text_lines_of(shape.node)).split())
                elif shape.placeholder not in _NOT_SAID:
                    lines.append(self._said(shape, part))
        lines += self._besides(part)
        said = [each for each in lines if each]
        self.has_text = self.has_text or bool(title or said)
        self.title = self.title or title or None
        heading = (title or f"Slide {number}") + (" (hidden slide)" if is_hidden else "")
        return Piece("\n\n".join(said), Place("slide", number, number), heading, 1)

    def _said(self, shape: Shape, part: str) -> str:
        if shape.rows:
            return "\n".join(" | ".join(row) for row in shape.rows if any(row))
        if shape.relation:
            return self._graphic(shape, part)
        lines = text_lines_of(shape.node)
        return "\n".join(lines) if lines else f"[{shape.described}]" if shape.described else ""

    def _graphic(self, shape: Shape, part: str) -> str:
        """A chart or diagram, which is a part of its own."""
        targets = {each.id: each.target for each in self._package.relations(part)}
        target = targets.get(shape.relation, "")
        if target not in self._package.archive:
            return ""
        if shape.is_chart:
            return "\n".join(chart_text(self._package.records(target, "chart")))
        points = self._package.records(target, "pt")
        said = (" ".join(" ".join(text_lines_of(point)).split()) for point in points)
        return "\n".join(f"- {each}" for each in said if each)

    def _besides(self, part: str) -> Iterator[str]:
        """Notes of the speaker and comments."""
        for relation in self._package.relations(part):
            if relation.target not in self._package.archive:
                continue
            if relation.kind == "notesSlide":
                for tree in self._package.records(relation.target, "spTree"):
                    bodies = (shape for shape in shapes(tree) if shape.placeholder not in _NOT_SAID)
                    if said := "\n".join(line for shape in bodies for line in text_lines_of(shape.node)):
                        yield f"Notes: {said}"
            elif relation.kind == "comments":
                for node in self._package.records(relation.target, "cm"):
                    yield from self._comment(node)

    def _comment(self, node: Node) -> Iterator[str]:
        for each in (node, *node.below("reply")):
            text = each.find("text") or each.find("txBody")
            if text and (said := " ".join(text.text().split())):
                author = self._authors.get(each.get("authorId"), "")
                yield f"Comment by {author}: {said}" if author else f"Comment: {said}"

    def _read_authors(self) -> dict[str, str]:
        package = self._package
        parts = [each.target for each in package.relations(package.main) if each.kind in ("commentAuthors", "authors")]
        nodes = (node for part in parts if part in package.archive for node in package.records(part, "cmAuthor", "author"))
        return {node.get("id"): node.get("name") for node in nodes}
