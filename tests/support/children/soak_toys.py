"""A content processor that misbehaves in every way, for the test of what finds that."""

from __future__ import annotations

import os
import threading

from khoj_ls.content.refusal import Refused
from khoj_ls.content.registry import ProcessorRegistry
from khoj_ls.core.types import Entry, ParsedFile, Span


class Toy:
    name = "toy"
    extensions = (".toy",)
    priority = 0

    def __init__(self) -> None:
        self._read = 0

    def parse(self, data: bytes, path: str) -> ParsedFile:
        self._read += 1
        match path.partition(".")[0], self._read:
            case "raises", 3:
                raise KeyError("third")
            case "dies", 3:
                os._exit(7)
            case "hangs", 3:
                threading.Event().wait()
            case "misplaces", 3:
                return ParsedFile("toy", None, (Entry(Span(0, 9, 1, 1), 0, "", (), None, "x", "x"),))
            case "refuses", _:
                raise Refused("damaged", "the file is damaged")
        return ParsedFile("toy", None, ())


def toys() -> ProcessorRegistry:
    return ProcessorRegistry([Toy()])
