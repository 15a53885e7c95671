"""Presentations (ODP): an entry for each slide, with its tables, notes and comments.

OpenDocument 1.3, Part 3, 10 (graphics) and 16.37 (presentations).
"""

from __future__ import annotations

from collections.abc import Iterator

from khoj_ls.content.odf_package import OdfFile, open_odf
from khoj_ls.content.odf_text import OdfWords, comment, plain
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import Piece, rendered
from khoj_ls.content.xml_tree import Node
from khoj_ls.core.places import Place
from khoj_ls.core.types import ParsedFile

_NOT_SAID = frozenset({"date-time", "footer", "header", "page-number", "page"})
"""What is the same on each slide."""


class OdpProcessor:
    """Reads ODP and templates (OTP)."""

    name = "odp"
    extensions: tuple[str, ...] = (".odp", ".otp")
    priority = 0
    binary = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where nothing can be read."""
        file = open_odf(data)
        slides = list(_slides(file))
        if not any(title or piece.text for title, piece in slides):
            raise Refused("no-text", "the presentation holds no text: at most pictures, which are not read")
        about = file.about
        title = about.title or next((title for title, _ in slides if title), None)
        pieces = [piece for _, piece in slides]
        return rendered(self.name, title, pieces, tags=about.tags, properties=about.properties, dates=about.dates)


def _slides(file: OdfFile) -> Iterator[tuple[str, Piece]]:
    """Each slide with its title."""
    for number, page in enumerate(file.records(("page",)), 1):
        titles = (frame for frame in page.below("frame", "custom-shape") if frame.get("class") == "title")
        title_frame = next(titles, None)
        title = plain(title_frame) if title_frame else ""
        lines = [*_lines(page, title_frame)]
        notes = page.find("notes")
        spoken = [plain(frame) for frame in notes.below("frame") if frame.get("class") == "notes"] if notes else []
        lines += [f"Notes: {each}" for each in spoken if each]
        lines += [comment(node) for node in page.nodes() if node.name == "annotation"]
        is_hidden = file.says(page.get("style-name"), "drawing-page-properties", "visibility") == "hidden"
        heading = (title or f"Slide {number}") + (" (hidden slide)" if is_hidden else "")
        yield title, Piece("\n\n".join(each for each in lines if each), Place("slide", number, number), heading, 1)


def _lines(node: Node, left_out: Node | None) -> Iterator[str]:
    """The texts of the shapes in `node`, in order; a table in a line for each row."""
    for child in node.nodes():
        if child is left_out or child.name in ("notes", "annotation", "forms") or child.get("class") in _NOT_SAID:
            continue
        if child.name == "table":
            yield "\n".join(_row(row) for row in child.below("table-row"))
        elif child.name in ("p", "h"):
            words = OdfWords()
            words.read(child)
            yield "\n\n".join([words.text, *words.notes, *(plain(box) for box in words.boxes)]).strip()
        elif child.name == "list":
            yield "\n".join(_items(child, 0))
        elif child.name == "desc":
            told = " ".join(child.text().split())
            yield f"[{told}]" if " " in told else ""
        elif child.name not in ("title", "image", "object"):
            yield from _lines(child, left_out)


def _row(row: Node) -> str:
    return " | ".join(plain(cell) for cell in row.nodes() if cell.name == "table-cell")


def _items(node: Node, depth: int) -> Iterator[str]:
    for item in node.nodes():
        for child in item.nodes():
            if child.name == "list":
                yield from _items(child, depth + 1)
            elif said := plain(child):
                yield f"{'  ' * min(depth, 8)}- {said}"
