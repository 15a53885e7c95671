"""Small PDF files, written by hand: lines at places, an outline, document information (ISO 32000-1)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 612, 792
_FLATE = "/Filter /FlateDecode"


@dataclass
class Page:
    """A page: texts at places, in the order in which they are drawn."""

    lines: Sequence[tuple[float, float, str] | tuple[float, float, str, float]] = ()
    """x, y (of the base line), text, and the size of its letters (10 if none)."""
    picture: bool = False
    """Whether a grey picture covers it."""
    rotate: int = 0


@dataclass
class Pdf:
    """A file."""

    pages: Sequence[Page]
    info: Mapping[str, str] = field(default_factory=dict)
    outline: Sequence[tuple[int, str, int, float | None]] = ()
    """Level from 1, title, page from 0, height on it."""
    trailer: str = ""


def column(*texts: str, x: float = 72, top: float = 720, pitch: float = 12) -> list[tuple[float, float, str]]:
    """Lines under each other."""
    return [(x, top - at * pitch, text) for at, text in enumerate(texts)]


def made_pdf(pdf: Pdf, *, compress: bool = True) -> bytes:
    """The bytes of `pdf`."""
    objects: list[bytes] = []

    def add(body: str | bytes) -> int:
        objects.append(body.encode("latin-1") if isinstance(body, str) else body)
        return len(objects)

    catalog, tree = add(""), add("")
    font = add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    grey = zlib.compress(bytes([128]) * 64)
    picture = add(
        _stream(grey, f"{_FLATE} /Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8")
    )
    pages = []
    for page in pdf.pages:
        content = add(_stream(zlib.compress(_content(page)), _FLATE) if compress else _stream(_content(page)))
        pages.append(
            add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Rotate {page.rotate} "
                f"/Contents {content} 0 R "
                f"/Resources << /Font << /F {font} 0 R >> /XObject << /I {picture} 0 R >> >> >>"
            )
        )
    objects[tree - 1] = f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(f'{page} 0 R' for page in pages)}] >>".encode()
    info = add("<< " + " ".join(f"/{key} {_string(value)}" for key, value in pdf.info.items()) + " >>")
    outlines = _outline(pdf.outline, pages, objects)
    objects[catalog - 1] = f"<< /Type /Catalog /Pages {tree} 0 R /Outlines {outlines} 0 R >>".encode()
    return _file(objects, f"/Root {catalog} 0 R /Info {info} 0 R {pdf.trailer}")


def _stream(data: bytes, entries: str = "") -> bytes:
    head = f"<< /Length {len(data)} {entries} >>\nstream\n".encode()
    return head + data + b"\nendstream"


def _content(page: Page) -> bytes:
    drawn = [f"q {WIDTH} 0 0 {HEIGHT} 0 0 cm /I Do Q".encode()] if page.picture else []
    for x, y, text, *size in page.lines:
        shown = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        drawn.append(f"BT /F {size[0] if size else 10} Tf 1 0 0 1 {x} {y} Tm (".encode() + shown + b") Tj ET")
    return b"\n".join(drawn)


def _string(text: str) -> str:
    marked = b"\xfe\xff" + text.encode("utf-16-be")
    return f"<{marked.hex()}>"


def _outline(items: Sequence[tuple[int, str, int, float | None]], pages: Sequence[int], objects: list[bytes]) -> int:
    """Adds the outline's objects; its root's number. `First`, `Next` and `Parent` say the same as the levels."""
    root = len(objects) + 1
    numbers = [root + 1 + at for at in range(len(items))]
    parents = [
        next((numbers[before] for before in range(at - 1, -1, -1) if items[before][0] < level), root)
        for at, (level, *_) in enumerate(items)
    ]

    def children(of: int) -> list[int]:
        return [number for number, parent in zip(numbers, parents, strict=True) if parent == of]

    def ends(of: int) -> str:
        own = children(of)
        return f"/First {own[0]} 0 R /Last {own[-1]} 0 R /Count {len(own)}" if own else ""

    objects.append(f"<< /Type /Outlines {ends(root)} >>".encode())
    for number, parent, (_, title, page, top) in zip(numbers, parents, items, strict=True):
        behind = [each for each in children(parent) if each > number]
        follows = f"/Next {behind[0]} 0 R" if behind else ""
        view = "/Fit" if top is None else f"/XYZ 0 {top} null"
        there = f"/Dest [{pages[page]} 0 R {view}]"
        objects.append(f"<< /Title {_string(title)} /Parent {parent} 0 R {there} {follows} {ends(number)} >>".encode())
    return root


def _file(objects: Sequence[bytes], trailer: str) -> bytes:
    data = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    begin = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    data += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    data += f"trailer\n<< /Size {len(objects) + 1} {trailer} >>\nstartxref\n{begin}\n%%EOF\n".encode()
    return bytes(data)
