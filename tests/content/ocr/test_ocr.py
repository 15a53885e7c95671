"""Which recogniser is used, what it reads on scanned pages and pictures, and what is said of what was not read."""

from __future__ import annotations

import io
import os
import struct
import zlib

import pytest
from made_pdf import Page, Pdf, column, made_pdf
from PIL import Image, ImageDraw, ImageFont
from told_entries import told

from khoj_ls.content import image as image_module
from khoj_ls.content import ocr as ocr_module
from khoj_ls.content import pdf as pdf_module
from khoj_ls.content.image import ImageProcessor, image_processors
from khoj_ls.content.ocr import NotRecognised, Ocr, installed_ocr
from khoj_ls.content.pdf import PdfProcessor
from khoj_ls.content.pdf_lines import Line
from khoj_ls.content.registry import ProcessorRegistry, parse_file
from khoj_ls.core.types import EntryDate


class Toy(Ocr):
    """Reads the size of a picture and the colour of its first pixel."""

    def __init__(self):
        super().__init__("rapidocr")

    def blocks(self, pixels):
        height, width, _ = pixels.shape
        return [[Line(f"{width}x{height} {tuple(map(int, pixels[0, 0]))}", 0, 0, 9, 9)]]


def read(data, path, ocr):
    return parse_file(ProcessorRegistry([PdfProcessor(ocr), *image_processors(ocr)]), data, path)


def drawn(*lines):
    picture = Image.new("RGB", (900, 80 * len(lines) + 40), "white")
    for at, text in enumerate(lines):
        ImageDraw.Draw(picture).text((30, 20 + 80 * at), text, fill="black", font=ImageFont.load_default(size=44))
    return picture


def saved(picture, kind, **options):
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


class Blind(Ocr):
    """Recognises nothing."""

    def blocks(self, pixels):
        raise NotRecognised("the toy is blind")


def test_scanned_pages_are_read():
    pages = [drawn("The ferry leaves at nine", "from the northern pier."), drawn("Bring your own lantern.")]
    data = saved(pages[0], "PDF", save_all=True, append_images=pages[1:], resolution=250)
    got_on = []
    parsed = read(data, "a.pdf", Ocr("rapidocr", lambda: got_on.append("a page")))
    assert told(parsed) == [
        "1-2 [page 1] : The ferry leaves at nine / from the northern pier.",
        "3-3 [page 2] : Bring your own lantern.",
    ]
    assert (parsed.problems, got_on) == ((), ["a page", "a page"])


def test_a_scanned_page_among_others():
    data = made_pdf(Pdf([Page(column("Text.")), Page(picture=True)]))
    assert told(read(data, "a.pdf", Toy())) == ["1-1 [page 1] : Text.", "2-2 [page 2] : 1700x2200 (128, 128, 128)"]


@pytest.mark.parametrize(
    ("ocr", "told_of"),
    [
        (None, "2 of 3 pages hold only pictures and are left out: pip install 'khoj-ls[ocr]' to read them"),
        (Blind("rapidocr"), "2 of 3 pages hold only pictures and are left out: the toy is blind"),
        (Toy(), "1 of 3 pages holds only pictures and is left out: of one file 1 such pages are read, split it"),
    ],
    ids=["no recogniser", "it fails", "too many"],
)
def test_pages_that_are_not_read_are_told(monkeypatch, ocr, told_of):
    monkeypatch.setattr(pdf_module, "MOST_PICTURES", 1)
    file = read(made_pdf(Pdf([Page(column("Text.")), Page(picture=True), Page(picture=True)])), "a.pdf", ocr)
    assert [each.message for each in file.problems] == [told_of]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP"])
def test_pictures_are_read(kind):
    parsed = read(saved(Image.new("RGB", (60, 40), "white"), kind), f"a.{kind.lower()}", Toy())
    assert told(parsed) == ["1-1 [picture] : 60x40 (255, 255, 255)"]
    assert parsed.private


def test_pictures_are_read_as_they_are_seen():
    clear = Image.new("RGBA", (30, 20), (0, 0, 0, 0))
    turned, large = Image.new("RGB", (30, 20)), Image.new("L", (4400, 1100))
    exif = Image.Exif()
    exif[0x112] = 6  # EXIF 2.3, Orientation: turned to the right
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 09:30:15"
    photo = read(saved(turned, "JPEG", exif=exif), "a.jpg", Toy())
    assert told(read(saved(clear, "PNG"), "a.png", Toy())) == ["1-1 [picture] : 30x20 (255, 255, 255)"]
    assert (told(photo), photo.dates) == (["1-1 [picture] : 20x30 (0, 0, 0)"], (EntryDate("created", "2024-05-01T09:30"),))
    assert told(read(saved(large, "PNG"), "a.png", Toy())) == ["1-1 [picture] : 2200x550 (0, 0, 0)"]


def test_pages_of_a_tiff_file(monkeypatch):
    pages = [Image.new("RGB", (size, 10)) for size in (10, 20, 30)]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert [line[:17] for line in told(read(data, "a.tiff", Toy()))] == [
        "1-1 [page 1] : 10",
        "2-2 [page 2] : 20",
        "3-3 [page 3] : 30",
    ]
    monkeypatch.setattr(image_module, "MOST_PICTURES", 2)
    [problem] = read(data, "a.tiff", Toy()).problems
    assert problem.message == "only the first 2 of 3 pictures in the file are read: split it"


def png(width, height):
    """A PNG file that claims to be that large."""

    def part(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"\0" * 99)) + part(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "damaged"),
        (b"no picture", "damaged"),
        (saved(Image.effect_noise((50, 50), 50), "PNG")[:-300], "damaged"),
        (png(100_000, 100_000), "too-large"),
        (png(9_000, 9_000), "too-large"),
        (saved(Image.new("L", (9, 9)), "GIF"), "damaged"),
    ],
    ids=["empty", "text", "cut off", "bomb", "too many pixels", "another format"],
)
def test_pictures_that_cannot_be_read_are_refused(data, code):
    assert [each.code for each in read(data, "a.png", Toy()).problems] == [code]


def test_a_picture_without_words_has_no_entry():
    parsed = read(saved(Image.new("RGB", (80, 80), "white"), "PNG"), "a.png", Ocr("rapidocr"))
    assert (parsed.entries, parsed.problems) == ((), ())


@pytest.mark.parametrize(
    ("modules", "programs", "version"),
    [({"rapidocr", "onnxruntime"}, {"tesseract"}, 1), ({"onnxruntime"}, {"tesseract"}, 2), ({"onnxruntime"}, set(), None)],
)
def test_which_recogniser_is_used(monkeypatch, modules, programs, version):
    monkeypatch.setattr(ocr_module, "find_spec", lambda name: name in modules or None)
    monkeypatch.setattr(ocr_module.shutil, "which", lambda name: name if name in programs else None)
    ocr = installed_ocr()
    assert (ocr and ocr.version) == version
    # A file is read again when it would be read by another.
    assert PdfProcessor(ocr).version == 1 + (version or 0)
    assert len(image_processors(ocr)) == bool(ocr)


TESSERACT = r"""#!/bin/sh
if [ "$1" = --list-langs ]; then printf 'List of available languages:\ndeu\neng\nosd\n'; exit; fi
printf '%s\n\nread %s bytes\n\f' "$*" "$(wc -c)"
"""


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for the program")
def test_tesseract_is_run_with_its_languages(tmp_path, monkeypatch):
    program = tmp_path / "tesseract"
    program.write_text(TESSERACT)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    [line] = told(read(saved(Image.new("RGB", (20, 10)), "PNG"), "a.png", Ocr("tesseract")))
    assert line == f"1-3 [picture] : stdin stdout --dpi 200 -l deu+eng / read {len('P6 20 10 255.') + 600} bytes"


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for the program")
def test_a_picture_that_tesseract_cannot_read_is_told(tmp_path, monkeypatch):
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\nprintf 'Warning\\nToo few pixels\\n' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    [problem] = read(saved(Image.new("RGB", (20, 10)), "PNG"), "a.png", Ocr("tesseract")).problems
    assert problem.message == "the picture cannot be read: tesseract ended with status 1: Too few pixels"


def test_the_processor_says_what_it_needs():
    assert ImageProcessor(Toy()).needs.extra == "khoj-ls[ocr]"
