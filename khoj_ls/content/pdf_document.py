"""What PDFium tells of a PDF file as a whole: its document information and its outline."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import MappingProxyType
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from khoj_ls.content.pdf_outline import OutlineItem

_LONGEST = 4_000
"""Bytes of one text; none that is meant for people is longer."""
_TOP = MappingProxyType(
    {
        pdfium_c.PDFDEST_VIEW_XYZ: 1,
        pdfium_c.PDFDEST_VIEW_FITH: 0,
        pdfium_c.PDFDEST_VIEW_FITBH: 0,
        pdfium_c.PDFDEST_VIEW_FITR: 3,
    }
)
"""Which parameter of a destination is the upper edge of what is to be shown (ISO 32000-1, 12.3.2.2)."""


def about(document: pdfium.PdfDocument, keys: Iterable[str]) -> dict[str, str]:
    """The entries of the document information dictionary; empty texts where there is none."""
    return {key: _text(partial(pdfium_c.FPDF_GetMetaText, document, key.encode() + b"\0")) for key in keys}


def outline(document: pdfium.PdfDocument, depth: int) -> Iterator[OutlineItem]:
    """Items of the outline that have a title and lead to a page of the file, those of one page behind each other."""
    found = []
    for bookmark in document.get_toc(max_depth=depth):
        title = _text(partial(pdfium_c.FPDFBookmark_GetTitle, bookmark))
        destination = bookmark.get_dest()
        page = destination.get_index() if destination else None
        if destination and title.strip() and page is not None and page < len(document):
            found.append(OutlineItem(" ".join(title.split()), bookmark.level + 1, page, _top(destination)))
    yield from sorted(found, key=lambda item: item.page)


def _top(destination: pdfium.PdfDest) -> float | None:
    view, numbers = destination.get_view()
    top = _TOP.get(view)
    return float(numbers[top]) if top is not None and top < len(numbers) else None


def _text(fill: Callable[[Any, int], int]) -> str:
    """A text that PDFium writes in UTF-16 into a buffer, and whose size in bytes it tells."""
    size = min(fill(None, 0), _LONGEST)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(_LONGEST + 2)
    fill(buffer, _LONGEST)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")
