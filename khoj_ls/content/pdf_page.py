"""One page of a PDF file, read by PDFium: its lines with their places, and whether it holds pictures."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from khoj_ls.content.ocr import LONGEST_SIDE
from khoj_ls.content.pdf_lines import Line

MOST_CHARACTERS = 200_000
"""Of one page; a page of small print has ten thousand."""
_MOST_OBJECTS = 500
_DOTS = 200
_BREAKS = re.compile("\r\n|[\r\n\ufffe]")
_BROKEN = "\ufffe"
"""What PDFium gives for a hyphen at the end of a line and the line break behind it."""


def page_lines(page: pdfium.PdfPage) -> list[Line]:
    """The lines of a page in the order in which they are drawn, with their places on the page as it is shown."""
    textpage = page.get_textpage()
    try:
        text = _characters(textpage)
        box = _CharacterBoxes(textpage, page.get_rotation())
        return [line for start, end, broken in _cuts(text) if (line := _line(text, start, end, broken, box))]
    finally:
        textpage.close()


def has_pictures(page: pdfium.PdfPage) -> bool:
    """Whether there is a picture among the first few hundred objects of a page."""
    for at, drawn in enumerate(page.get_objects(max_depth=3)):
        if drawn.type == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            return True
        if at > _MOST_OBJECTS:
            return False
    return False


def page_pixels(page: pdfium.PdfPage) -> Any:
    """A page as it is shown, as a numpy array of rows, columns and three colours, red first."""
    return page.render(scale=_scale(page), rev_byteorder=True, prefer_bgrx=False).to_numpy()[:, :, :3]


def placed(blocks: list[list[Line]], page: pdfium.PdfPage) -> list[list[Line]]:
    """Lines whose places are in pixels of `page_pixels`, with their places on the page."""
    scale = _scale(page)

    def on_page(line: Line) -> Line:
        return Line(line.text, line.left / scale, line.bottom / scale, line.right / scale, line.top / scale)

    return [[on_page(line) for line in block] for block in blocks]


def _scale(page: pdfium.PdfPage) -> float:
    """Pixels in a point (1/72 inch): 200 dots an inch, fewer on large pages."""
    longest: float = max(page.get_size())
    return min(_DOTS / 72, LONGEST_SIDE / max(longest, 1.0))


def _characters(textpage: pdfium.PdfTextPage) -> str:
    """A character for each that PDFium counts on the page."""
    count = min(textpage.count_chars(), MOST_CHARACTERS)
    buffer = (ctypes.c_ushort * (count + 1))()
    if count and pdfium_c.FPDFText_GetText(textpage, 0, count, buffer) == count + 1:
        text = bytes(buffer)[:-2].decode("utf-16-le", "surrogatepass")
        return text if len(text) == count else "".join(map(chr, buffer[:count]))
    # Some are left out of the text, or take two places in it: they are asked for one by one.
    codes = (pdfium_c.FPDFText_GetUnicode(textpage, at) for at in range(count))
    return "".join(chr(code) if 0 < code < 0x110000 else " " for code in codes)


def _cuts(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where the lines of `text` begin and end, and whether a word is broken at their end."""
    start = 0
    for match in _BREAKS.finditer(text):
        yield start, match.start(), match[0] == _BROKEN
        start = match.end()
    yield start, len(text), False


class _CharacterBoxes:
    """Where the characters of a page stand."""

    def __init__(self, textpage: pdfium.PdfTextPage, rotation: int) -> None:
        self._textpage = textpage
        self._rotation = rotation
        self._rect = pdfium_c.FS_RECTF()

    def __call__(self, index: int) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of a character, as the page is shown; zeros where that is unknown."""
        rect = self._rect
        if not pdfium_c.FPDFText_GetLooseCharBox(self._textpage, index, rect):
            return 0.0, 0.0, 0.0, 0.0
        if not self._rotation:
            return rect.left, rect.bottom, rect.right, rect.top
        one, other = _turned(rect.left, rect.bottom, self._rotation), _turned(rect.right, rect.top, self._rotation)
        return min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1])


def _turned(x: float, y: float, rotation: int) -> tuple[float, float]:
    """A point of a page that is shown turned clockwise by `rotation` degrees."""
    return {90: (y, -x), 180: (-x, -y), 270: (-y, x)}.get(rotation, (x, y))


def _line(text: str, start: int, end: int, broken: bool, box: Any) -> Line | None:
    piece = text[start:end]
    words = piece.strip()
    if not words:
        return None
    first = start + len(piece) - len(piece.lstrip())
    one, other = box(first), box(first + len(words) - 1)  # before anything changes how many characters there are
    if not words.isascii():
        # Two halves of a surrogate pair become the character they stand for.
        words = words.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return Line(
        " ".join(words.split()),
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
        broken,
    )
