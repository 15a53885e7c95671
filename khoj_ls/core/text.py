"""Source text: decoding bytes, finding lines, and making words of any script findable."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from itertools import accumulate, pairwise
from types import MappingProxyType

from khoj_ls.core.encoding import WESTERN, source_encoding
from khoj_ls.core.types import Problem, Span

_TOLD = MappingProxyType({WESTERN: "Windows-1252 (Latin-1)", "utf-16": "UTF-16"})

# Scripts written without spaces between words (Han, kana, Thai, Lao, Khmer, Burmese, Tibetan), and Hangul, whose particles
# cling to the word: one character is one term there, and a query is a phrase of such terms.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3100-\u312f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]"
)


def decode_source(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    """Text of a note's bytes, with a warning where it is not UTF-8.

    UTF-8 and UTF-16 by their marks, and what is no UTF-8 but surely Windows-1252 (see `source_encoding`). A byte order mark is
    dropped (byte offsets count from behind it, in the UTF-8 of the text), line endings stay as they are. Invalid bytes become
    U+FFFD, NUL bytes a space, so that the text can be stored and shown. Lines are those of the file in any case.
    """
    encoding = source_encoding(data)
    problems: list[Problem] = []
    try:
        text = data.decode(encoding)
        if encoding in _TOLD:
            problems.append(Problem("warning", "encoding", f"the file is {_TOLD[encoding]}, and read so: save it as UTF-8"))
    except UnicodeDecodeError as error:
        text = data.decode(encoding, errors="replace")
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(
            Problem(
                "warning",
                "invalid-utf8",
                f"byte {error.start} is not valid {encoding.upper()}; such bytes are shown as \ufffd: save the file as UTF-8",
                line,
            )
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        problems.append(Problem("warning", "nul-bytes", "the file contains NUL bytes; they are read as spaces", line))
        text = text.replace("\0", " ")
    return text, tuple(problems)


_STEP = 256
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SHAPE = bytes(
    ord("A") if 65 <= byte <= 90 else ord("a") if 97 <= byte <= 122 or 48 <= byte <= 57 else ord(" ") for byte in range(256)
)
"""What each byte looks like: a capital, a small letter or digit, or what stands between words."""
_LONGEST_COMPOUND = 80
_LEAST_PART = 3


class LineIndex:
    """Where the lines of one text begin, in characters and in UTF-8 bytes. Lines end at LF, CR LF or CR."""

    def __init__(self, text: str) -> None:
        """Index `text`; costs one pass."""
        self.lines = text_lines(text)
        self.char_starts = [0]
        self.byte_starts = [0]
        for line in self.lines:
            self.char_starts.append(self.char_starts[-1] + len(line))
            self.byte_starts.append(self.byte_starts[-1] + (len(line) if line.isascii() else len(line.encode())))
        self._marks: dict[int, list[int]] = {}
        """Of long lines: the bytes before every so many characters. A page without line breaks is one line."""

    def __len__(self) -> int:
        """How many lines the text has; a text that ends in a line break has no empty last line."""
        return len(self.lines)

    def span_of_lines(self, line: int, end_line: int) -> Span:
        """Span of whole lines `line`..`end_line` (1-based, inclusive), line breaks included."""
        return Span(self.byte_starts[line - 1], self.byte_starts[end_line], line, end_line)

    def line_of_char(self, offset: int) -> int:
        """1-based line that holds the character at `offset`."""
        return max(1, min(bisect.bisect_right(self.char_starts, offset), len(self.lines)))

    def byte_of_char(self, offset: int) -> int:
        """Byte offset of the character at `offset`."""
        if not self.lines:
            return 0
        line = self.line_of_char(offset)
        text, at = self.lines[line - 1], offset - self.char_starts[line - 1]
        steps = min(at, len(text)) // _STEP
        return self.byte_starts[line - 1] + self._bytes_before(line, steps) + len(text[steps * _STEP : at].encode())

    def _bytes_before(self, line: int, steps: int) -> int:
        if not steps:
            return 0
        if line not in self._marks:
            text = self.lines[line - 1]
            sizes = (len(text[at : at + _STEP].encode()) for at in range(0, len(text), _STEP))
            self._marks[line] = list(accumulate(sizes, initial=0))
        return self._marks[line][steps]

    def span_of_chars(self, start: int, end: int) -> Span:
        """Span of the characters [start, end)."""
        return Span(
            self.byte_of_char(start), self.byte_of_char(end), self.line_of_char(start), self.line_of_char(max(start, end - 1))
        )


def text_lines(text: str) -> list[str]:
    """The lines of `text` with their line breaks, split at LF, CR LF and CR only (not at form feeds or U+2028)."""
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)


def compounds(text: str) -> Iterator[list[str]]:
    """The parts of each word that is written together of several ASCII words, as names in programs are: Merge, Scheduler.

    Encoded data looks alike but for its length and its short parts, and is left out.
    """
    data = text.encode(errors="surrogatepass")
    shape = data.translate(_SHAPE)
    # Not a regular expression: of most texts this looks at nothing but their shape, at the speed of memory.
    small, large = shape.find(b"aA"), shape.find(b"AAa")
    while small >= 0 or large >= 0:
        spot = min(each for each in (small, large) if each >= 0)
        start, end = shape.rfind(b" ", 0, spot) + 1, shape.find(b" ", spot)
        end = end if end >= 0 else len(shape)
        if end - start <= _LONGEST_COMPOUND:
            parts = _HUMP.split(data[start:end].decode())
            if end - start >= _LEAST_PART * len(parts):
                yield parts
        small = small if small < 0 or small >= end else shape.find(b"aA", end)
        large = large if large < 0 or large >= end else shape.find(b"AAa", end)


def apart(text: str) -> str:
    """`text` with a blank between the parts of its compound words."""
    data = text.encode(errors="surrogatepass")
    shape = data.translate(_SHAPE)
    # As in `compounds`: most texts are looked at by nothing but their shape.
    if b"aA" not in shape and b"AAa" not in shape:
        return text
    cuts = {spot + 1 for spot in _spots(shape, b"aA")}
    cuts.update(spot + 1 for spot in _spots(shape, b"AAa") if not data[spot + 2 : spot + 3].isdigit())
    places = [0, *sorted(cuts), len(data)]
    return b" ".join(data[start:end] for start, end in pairwise(places)).decode(errors="surrogatepass")


def _spots(shape: bytes, part: bytes) -> Iterator[int]:
    spot = shape.find(part)
    while spot >= 0:
        yield spot
        spot = shape.find(part, spot + 1)


def spaced(text: str) -> str:
    """`text` with a blank on both sides of every character of a script that writes no blanks between words.

    FTS5's unicode61 tokenizer then makes each such character a term, so that a phrase query finds any word inside.
    """
    return text if text.isascii() else _UNSPACED.sub(r" \g<0> ", text)
