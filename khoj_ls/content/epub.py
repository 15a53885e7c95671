"""EPUB books as entries: a section per heading, placed in the chapter that the book's own table of contents names."""

from __future__ import annotations

from collections.abc import Iterator

from khoj_ls.content.archive import Archive
from khoj_ls.content.charsets import decode_declared
from khoj_ls.content.epub_package import Label, Package, read_package
from khoj_ls.content.html_text import Block, page_text
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import Piece, rendered
from khoj_ls.content.said_dates import said_date
from khoj_ls.core.places import Place
from khoj_ls.core.types import EntryDate, ParsedFile, Problem

MOST_BYTES = 60_000_000
"""Of the texts of a book, unpacked: the longest novels have five millions."""
_FIELDS = ("creator", "contributor", "publisher", "language", "subject", "identifier", "description", "series", "series_index")


class EpubProcessor:
    """Reads EPUB 2 and 3. A chapter is counted as the table of contents counts; text before the first has only a name."""

    name = "epub"
    extensions: tuple[str, ...] = (".epub",)
    priority = 0
    binary = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where nothing can be read, as of a book with DRM."""
        archive = Archive(data, most_bytes=MOST_BYTES)
        package = read_package(archive)
        pieces, missing = _pieces(archive, package)
        if not any(piece.text.strip() or piece.heading for piece in pieces):
            raise Refused("no-text", "the book holds no text: its pages are pictures, or missing")
        problems = []
        if missing:
            what = (
                f"{len(missing)} of {len(package.documents)} parts of the book are missing or damaged: {', '.join(missing[:3])}"
            )
            problems.append(Problem("warning", "damaged-parts", what))
        day = next((day for text in package.fields.get("date", ()) if (day := said_date(text))), None)
        return rendered(
            self.name,
            next(iter(package.fields.get("title", ())), None),
            pieces,
            properties=[(name, value) for name in _FIELDS for value in package.fields.get(name, ())],
            dates=[EntryDate("created", day)] if day else [],
            problems=problems,
        )


def _pieces(archive: Archive, package: Package) -> tuple[list[Piece], list[str]]:
    """The sections of the book in reading order, and the names of documents that cannot be read."""
    pieces: list[Piece] = []
    missing = []
    count, name = 0, ""
    for document in package.documents:
        try:
            source = decode_declared(archive.read(document))[0]
        except Refused as refusal:
            if refusal.code != "damaged":
                raise
            missing.append(document)
            continue
        page = page_text(source, xml=True, whole=True)
        label = package.labels.get(document)
        if label is None and not package.labels:
            heading = next((block.text for block in page.blocks if block.level), page.title)
            label = Label(heading, 1) if page.blocks else None
        if label:
            count, name = count + 1, label.text
        place = Place("chapter", count, count, name) if count else Place("part", 1, 1, page.title or "Before the contents")
        pieces += _sections(page.blocks, label, place)
    return pieces, missing


def _sections(blocks: tuple[Block, ...], label: Label | None, place: Place) -> Iterator[Piece]:
    """The sections of one document. What the contents call it is its heading, unless it begins with that heading itself."""
    depth = label.depth if label else 1
    heading, level = (label.text, depth) if label else ("", 0)
    first = next((block for block in blocks if block.level), None)
    said = label is not None and first is not None and first is blocks[0] and _alike(first.text, label.text)
    below = (first.level if first else 1) - (0 if said else 1)
    lines: list[str] = []
    for at, block in enumerate(blocks):
        if not block.level:
            if lines and not block.soft and not (block.text.startswith("- ") and lines[-1].startswith("- ")):
                lines.append("")
            lines.append(block.text)
            continue
        if at == 0 and said:
            continue
        yield Piece("\n".join(lines), place, heading, level)
        heading, level, lines = block.text, max(depth, depth + block.level - below), []
    yield Piece("\n".join(lines), place, heading, level)


def _alike(heading: str, label: str) -> bool:
    """Whether one says what the other says, but for signs and what stands before or behind."""
    one, other = ("".join(sign for sign in text.casefold() if sign.isalnum()) for text in (heading, label))
    return bool(one and other) and (one in other or other in one)
