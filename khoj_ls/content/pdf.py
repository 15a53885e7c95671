"""PDF files: the text of each page in reading order, cut at the headings of the outline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from khoj_ls.content import pdf_about
from khoj_ls.content.ocr import MOST_PICTURES, NotRecognised, Ocr
from khoj_ls.content.pdf_heads import without_running_heads
from khoj_ls.content.pdf_lines import Line, in_reading_order, paragraphs
from khoj_ls.content.pdf_outline import OutlineItem, Section, sections
from khoj_ls.content.pdf_words import ends_broken, mended, vocabulary
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import Piece, rendered
from khoj_ls.core.places import Place
from khoj_ls.core.protocols import Needs
from khoj_ls.core.types import ParsedFile, Problem

if TYPE_CHECKING:
    import pypdfium2 as pdfium

MOST_PAGES = 10_000
MOST_CHARACTERS = 10_000_000
"""Of all pages together: more than any book has."""
_MOST_OUTLINE = 5_000
_OUTLINE_DEPTH = 10


@dataclass
class _Read:
    """What was read of a file."""

    pages: list[list[list[Line]]] = field(default_factory=list)
    """Lines of each page in reading order, by paragraph."""
    pictures: list[int] = field(default_factory=list)
    """Pages, from 1, that hold pictures and no text, and were not read."""
    remedy: str = ""
    """What can be done about the first of these."""
    recognised: int = 0
    """Pages whose pictures were read."""
    broken: list[int] = field(default_factory=list)
    """Pages that cannot be read."""
    total: int = 0
    """How many pages the file has."""


class PdfProcessor:
    """Reads PDF files: a page, or a section of the outline on a page, is an entry. Pages that are pictures are read by OCR."""

    name = "pdf"
    extensions: tuple[str, ...] = (".pdf",)
    priority = 0
    binary = True
    slow = True
    needs = Needs(("pypdfium2",), "khoj-ls[pdf]")

    def __init__(self, ocr: Ocr | None = None) -> None:
        """Read pages that are pictures with `ocr`; without one they are reported."""
        self._ocr = ocr
        self.version = 1 + (ocr.version if ocr else 0)

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where a file is encrypted, damaged or without any text."""
        import pypdfium2 as pdfium

        try:
            document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            raise _refused(error) from error
        try:
            return self._parsed(document)
        finally:
            document.close()

    def _parsed(self, document: pdfium.PdfDocument) -> ParsedFile:
        from khoj_ls.content.pdf_document import about, outline

        read = _read(document, self._ocr)
        pages = [[line for paragraph in page for line in paragraph] for page in read.pages]
        said = about(document, pdf_about.KEYS)
        items = list(islice(outline(document, _OUTLINE_DEPTH), _MOST_OUTLINE))
        pieces = list(_pieces(read.pages, pages, items))
        if not any(pages):
            raise _without_text(read)
        return rendered(
            self.name,
            pdf_about.title(said, pages[0]),
            pieces,
            tags=pdf_about.keywords(said),
            properties=pdf_about.properties(said),
            dates=pdf_about.dates(said),
            problems=_problems(read),
        )


def _refused(error: pdfium.PdfiumError) -> Refused:
    import pypdfium2.raw as pdfium_c

    if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
        return Refused("encrypted", "the file is encrypted: save it without a password")
    if error.err_code == pdfium_c.FPDF_ERR_SECURITY:
        return Refused("encrypted", "the file is encrypted in a way that cannot be read: save it without a password")
    return Refused("damaged", "the file is damaged, or no PDF file: it cannot be opened")


def _read(document: pdfium.PdfDocument, ocr: Ocr | None) -> _Read:
    import pypdfium2 as pdfium

    read = _Read(total=len(document))
    left = MOST_CHARACTERS
    for number in range(1, min(read.total, MOST_PAGES) + 1):
        if left <= 0:
            break
        blocks: list[list[Line]] = []
        try:
            page = document[number - 1]
            try:
                blocks = _blocks(page, number, read, ocr)
            finally:
                page.close()
        except pdfium.PdfiumError:
            read.broken.append(number)
        left -= sum(len(line.text) for block in blocks for line in block)
        read.pages.append([paragraph for block in blocks for paragraph in paragraphs(block)])
    return read


def _blocks(page: pdfium.PdfPage, number: int, read: _Read, ocr: Ocr | None) -> list[list[Line]]:
    """What a page says; where that is nothing, what its pictures say."""
    from khoj_ls.content.pdf_page import has_pictures, page_lines, page_pixels, placed

    if lines := page_lines(page):
        return in_reading_order(lines)
    if not has_pictures(page):
        return []
    if ocr is None:
        remedy = "pip install 'khoj-ls[ocr]' to read them"
    elif read.recognised == MOST_PICTURES:
        remedy = f"of one file {MOST_PICTURES} such pages are read, split it"
    else:
        try:
            blocks = ocr.blocks(page_pixels(page))
        except NotRecognised as error:
            remedy = str(error)
        else:
            read.recognised += 1
            return placed(blocks, page)
    read.pictures.append(number)
    read.remedy = read.remedy or remedy
    return []


def _pieces(
    paragraphs_of: Sequence[Sequence[Sequence[Line]]], pages: Sequence[Sequence[Line]], items: Sequence[OutlineItem]
) -> Iterator[Piece]:
    by_page: dict[int, list[OutlineItem]] = {}
    for item in items:
        by_page.setdefault(item.page, []).append(item)
    heads = without_running_heads(pages)
    begins = {id(paragraph[0]) for page in paragraphs_of for paragraph in page}
    parts = [
        (number, section)
        for number, page in enumerate(pages)
        for section in sections([line for line in page if line not in heads[number]], by_page.get(number, []))
    ]
    texts = iter(_mended(parts))
    for number, section in parts:
        place = Place("page", number + 1, number + 1)
        text = _text(section, [next(texts) for _ in section.lines], begins)
        if section.item:
            yield Piece(text, place, section.item.title, section.item.level)
        else:
            yield Piece(text, place)


def _mended(parts: Sequence[tuple[int, Section]]) -> list[str]:
    """The texts of all lines, in order: a word may go on behind the end of a page."""
    lines = [line for _, section in parts for line in section.lines]
    return mended(lines, vocabulary(lines) if any(ends_broken(line) for line in lines) else frozenset())


def _text(section: Section, texts: Sequence[str], begins: set[int]) -> str:
    """The lines of a section that say something, blank lines between its paragraphs."""
    written: list[str] = []
    for line, text in zip(section.lines, texts, strict=True):
        if id(line) in begins and written and written[-1]:
            written.append("")
        if text:
            written.append(text)
    return "\n".join(written)


def _without_text(read: _Read) -> Refused:
    if read.pictures:
        only = "only pictures, and no other has text"
        return Refused("no-text", f"{_count(read.pictures, read.total)} {only}: {read.remedy}")
    if len(read.broken) == read.total:
        return Refused("damaged", "the file is damaged: none of its pages can be read")
    return Refused("no-text", "the file holds no text")


def _problems(read: _Read) -> list[Problem]:
    problems: list[Problem] = []
    if read.pictures:
        what = f"{_count(read.pictures, read.total)} only pictures and {'is' if len(read.pictures) == 1 else 'are'} left out"
        problems.append(Problem("warning", "no-text", f"{what}: {read.remedy}"))
    if read.broken:
        damaged = (
            f"{len(read.broken):,} of {read.total:,} pages {'is' if len(read.broken) == 1 else 'are'} damaged and left out"
        )
        problems.append(Problem("warning", "damaged", damaged))
    if len(read.pages) < read.total:
        what = f"only the first {len(read.pages):,} of {read.total:,} pages are read: split the file"
        problems.append(Problem("warning", "too-large", what))
    return problems


def _count(pages: Sequence[int], total: int) -> str:
    """`3 of 12 pages hold`."""
    return f"{len(pages):,} of {total:,} pages {'holds' if len(pages) == 1 else 'hold'}"
