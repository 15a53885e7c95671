"""Text in pictures, where a recogniser is installed: RapidOCR (`khoj-ls[ocr]`), else the system's tesseract."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Literal

from khoj_ls.content.ocr_lines import read_blocks
from khoj_ls.content.pdf_lines import Line

LONGEST_SIDE = 2200
"""Pixels: a page at 200 dots an inch. More is not read better, only more slowly."""
MOST_PICTURES = 100
"""Of one file. A number and no time, so that a file is read alike on a slow machine and on a fast one."""

_MODELS = "models"
_LEAST_SCORE = 0.6
_THREADS = 2
_NO_LANGUAGES = frozenset(("osd", "equ", "snum"))

Pixels = Any
"""A numpy array of rows, columns and three colours, a byte each."""
Tool = Literal["rapidocr", "tesseract"]


class NotRecognised(Exception):
    """The recogniser cannot read a picture; says why, as one clause."""


class Ocr:
    """Reads pictures with one recogniser, which is loaded when the first picture comes."""

    def __init__(self, tool: Tool, on_read: Callable[[], None] = lambda: None) -> None:
        """Read with `tool`; `on_read` is called after each picture, as reading many takes minutes."""
        self.version = 1 if tool == "rapidocr" else 2
        """Another one reads differently."""
        self._tool = tool
        self._on_read = on_read

    def blocks(self, pixels: Pixels) -> list[list[Line]]:
        """The lines of a picture, by block, in reading order; places in pixels, upwards from its lower edge.

        Raises NotRecognised, OSError where the recogniser cannot be run.
        """
        found = self._read(pixels)
        self._on_read()
        return found

    @cached_property
    def _read(self) -> Callable[[Pixels], list[list[Line]]]:
        return _rapidocr() if self._tool == "rapidocr" else _tesseract()


def installed_ocr(on_read: Callable[[], None] = lambda: None) -> Ocr | None:
    """What can read pictures here, calling `on_read` as `Ocr` does; None where nothing can. Costs a look at some folders."""
    if find_spec("rapidocr") and find_spec("onnxruntime"):
        return Ocr("rapidocr", on_read)
    return Ocr("tesseract", on_read) if shutil.which("tesseract") else None


def _rapidocr() -> Callable[[Pixels], list[list[Line]]]:
    from importlib.resources import as_file, files

    from rapidocr import RapidOCR

    # Paths of the models that come with the package: without them it would fetch what it does not find.
    with as_file(files("rapidocr") / _MODELS) as folder:
        models = {part: str(next(folder.glob(f"*_{part.lower()}_*.onnx"))) for part in ("Det", "Cls", "Rec")}
        engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                **{f"{part}.model_path": path for part, path in models.items()},
            }
        )

    def read(pixels: Pixels) -> list[list[Line]]:
        found = engine(pixels[:, :, ::-1])  # it takes blue first
        if found.boxes is None:
            return []
        height = len(pixels)
        seen = zip(found.boxes.tolist(), found.txts, found.scores, strict=True)
        return read_blocks([_line(box, text, height) for box, text, score in seen if score >= _LEAST_SCORE and text.strip()])

    return read


def _line(box: Sequence[Sequence[float]], text: str, height: int) -> Line:
    across, down = [corner[0] for corner in box], [corner[1] for corner in box]
    return Line(" ".join(text.split()), min(across), height - max(down), max(across), height - min(down))


def _tesseract() -> Callable[[Pixels], list[list[Line]]]:
    program = shutil.which("tesseract")
    if program is None:
        raise FileNotFoundError("tesseract is gone")
    # No time limits here and below: whoever runs this process sees to that, and ends it where a picture takes too long.
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False)
    languages = [name for name in listed.stdout.split("\n")[1:] if name.strip() and name not in _NO_LANGUAGES]

    def read(pixels: Pixels) -> list[list[Line]]:
        height, width = pixels.shape[:2]
        picture = f"P6 {width} {height} 255\n".encode() + pixels.tobytes()
        command = [program, "stdin", "stdout", "--dpi", "200", *(["-l", "+".join(languages)] if languages else [])]
        said = subprocess.run(command, input=picture, capture_output=True, check=False)
        if said.returncode:
            told = said.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise NotRecognised(f"tesseract ended with status {said.returncode}: {told[:200]}" if told else "tesseract failed")
        return _paragraphs(said.stdout.decode("utf-8", "replace"), width, height)

    return read


def _paragraphs(text: str, width: int, height: int) -> list[list[Line]]:
    """Lines of a text, spread evenly over the page: tesseract has put them in order, blank lines between paragraphs."""
    lines = [" ".join(line.split()) for line in text.replace("\f", "\n").split("\n")]
    pitch = height / max(1, len(lines))
    blocks: list[list[Line]] = [[]]
    for at, line in enumerate(lines):
        if line:
            blocks[-1].append(Line(line, 0.0, height - (at + 1) * pitch, float(width), height - at * pitch))
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]
