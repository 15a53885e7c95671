"""Pictures, where something is installed that reads text in them: scans, photographs of pages, screenshots."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from khoj_ls.content.ocr import LONGEST_SIDE, MOST_PICTURES, NotRecognised, Ocr, Pixels
from khoj_ls.content.pdf_lines import paragraphs
from khoj_ls.content.refusal import Refused
from khoj_ls.content.rendering import Piece, rendered
from khoj_ls.core.places import Place
from khoj_ls.core.protocols import ContentProcessor, Needs
from khoj_ls.core.types import EntryDate, ParsedFile, Problem

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 60_000_000
"""Of one picture: more than cameras make. A small file may claim any number."""
_LEAST_LETTERS = 3
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
_TAKEN, _DETAILS = 0x9003, 0x8769
"""EXIF 2.3: DateTimeOriginal, and the directory in which it stands."""


class ImageProcessor:
    """Reads pictures: what is written in one is an entry; a picture without words has none."""

    name = "image"
    extensions: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
    priority = 0
    binary = True
    slow = True
    needs = Needs(("PIL", "numpy"), "khoj-ls[ocr]")

    def __init__(self, ocr: Ocr) -> None:
        """Read with `ocr`."""
        self._ocr = ocr
        self.version = ocr.version

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Raises Refused where it is damaged, too large or not recognised."""
        with _opened(data) as image:
            # In other formats more than one picture is a film.
            total = int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1
            return self._parsed(image, total)

    def _parsed(self, image: Image.Image, total: int) -> ParsedFile:
        pieces = []
        done = min(total, MOST_PICTURES)
        for at in range(done):
            try:
                blocks = self._ocr.blocks(_pixels(image, at))
            except NotRecognised as error:
                raise Refused("not-recognised", f"the picture cannot be read: {error}") from error
            text = "\n\n".join("\n".join(line.text for line in part) for block in blocks for part in paragraphs(block))
            place = Place("page", at + 1, at + 1) if total > 1 else Place("part", 1, 1, "picture")
            if sum(map(str.isalnum, text)) >= _LEAST_LETTERS:
                pieces.append(Piece(text, place))
        problems = []
        if done < total:
            what = f"only the first {done:,} of {total:,} pictures in the file are read: split it"
            problems.append(Problem("warning", "too-large", what))
        # A private note may show it, and a picture cannot say that it is private.
        return replace(rendered(self.name, None, pieces, dates=_taken(image), problems=problems), private=True)


def image_processors(ocr: Ocr | None) -> list[ContentProcessor]:
    """The processor for pictures, where they can be opened and read: nobody is told of each picture that it cannot be read."""
    return [ImageProcessor(ocr)] if ocr and find_spec("PIL") else []


@contextmanager
def _damage_told() -> Iterator[None]:
    """What Pillow raises becomes a refusal."""
    from PIL.Image import DecompressionBombError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of much that is odd, and of large pictures below our own limit
        try:
            yield
        except (Refused, MemoryError):
            raise
        except DecompressionBombError as error:
            raise Refused("too-large", "the picture claims to have more pixels than any camera makes") from error
        except Exception as error:
            raise Refused("damaged", f"the picture is damaged, or none: it cannot be opened ({error})") from error


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    from PIL import Image

    with _damage_told():
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    with image:
        yield image


def _pixels(image: Image.Image, at: int) -> Pixels:
    """Picture `at` of a file as people see it: turned, white where it is transparent, no larger than is read."""
    import numpy as np
    from PIL import Image, ImageOps

    with _damage_told():
        image.seek(at)
        if image.width * image.height > MOST_PIXELS:
            size = f"{image.width:,} by {image.height:,} pixels, more than {MOST_PIXELS // 1_000_000} million"
            raise Refused("too-large", f"the picture has {size}: make it smaller")
        shown = ImageOps.exif_transpose(image)
        shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        if shown.has_transparency_data:
            shown = shown.convert("RGBA")
            paper = Image.new("RGBA", shown.size, "white")
            shown = Image.alpha_composite(paper, shown)
        return np.asarray(shown.convert("RGB"))


def _taken(image: Image.Image) -> tuple[EntryDate, ...]:
    """When a camera took it, by its clock: `2024:05:01 09:30:00`."""
    try:
        with _damage_told():
            said = str(image.getexif().get_ifd(_DETAILS).get(_TAKEN, ""))
    except Refused:  # what stands beside the picture is damaged, not the picture
        return ()
    day, _, time = said.partition(" ")
    date = f"{day.replace(':', '-')}T{time[:5]}"
    try:
        datetime.strptime(date, "%Y-%m-%dT%H:%M")
    except ValueError:
        return ()
    return (EntryDate("created", date),)
