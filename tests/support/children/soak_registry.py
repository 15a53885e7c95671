"""The built-in processors, with a reader of pictures that sees nothing: recognising text takes seconds, and is not ours."""

from __future__ import annotations

from khoj_ls.content.image import ImageProcessor
from khoj_ls.content.ocr import Ocr
from khoj_ls.content.pdf import PdfProcessor
from khoj_ls.content.registry import ProcessorRegistry, default_registry


class Blind(Ocr):
    def __init__(self) -> None:
        super().__init__("rapidocr")

    def blocks(self, pixels):
        return []


def registry() -> ProcessorRegistry:
    built_in = default_registry(third_party=False).processors()
    return ProcessorRegistry([*built_in, PdfProcessor(Blind()), ImageProcessor(Blind())])
