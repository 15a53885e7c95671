"""The parts of an e-mail (RFC 5322, MIME: RFC 2045 to 2049), each decoded line with the line of the file it began in."""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from quopri import decodestring

from khoj_ls.content.charsets import decode_as, known

MOST_PARTS = 500
MOST_DEPTH = 12
_MOST_HEADER_BYTES = 100_000
_HEADER = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.S)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True)
class Header:
    """A header, unfolded and decoded."""

    name: str
    """In lower case."""
    value: str
    line: int
    """Of the file, from 0."""


@dataclass
class Part:
    """A part of a message: its headers and, where it holds no others, its text."""

    first: int
    """Its first line, from 0."""
    headers: list[Header] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    body: tuple[int, int] = (0, 0)
    """Its lines behind the headers, [first, end)."""

    def header(self, name: str) -> str:
        """The value of its first header of that name; empty when it has none."""
        return next((header.value for header in self.headers if header.name == name), "")

    @property
    def type(self) -> str:
        """Its content type, as in `text/plain`."""
        return self._message().get_content_type()

    @property
    def file_name(self) -> str:
        """What it is called, as an attachment is; empty when it has no name."""
        try:
            return " ".join(decoded(self._message().get_filename() or "").split())
        except (LookupError, ValueError, TypeError):  # parameters in pieces and encodings that do not fit (RFC 2231)
            return ""

    @property
    def is_attachment(self) -> bool:
        """Whether it says so."""
        return self.header("content-disposition").strip().lower().startswith("attachment")

    def parameter(self, name: str) -> str:
        """A parameter of its content type; empty when it has none."""
        try:
            value = self._message().get_param(name)
        except (LookupError, ValueError, TypeError):
            return ""
        value = value[2] if isinstance(value, tuple) else value
        return value if isinstance(value, str) else ""

    def _message(self) -> Message:
        message = Message()
        for name in ("content-type", "content-disposition"):
            if value := self.header(name)[:2_000]:
                message[name] = value
        return message


@dataclass(frozen=True)
class Line:
    """A decoded line of a text."""

    line: int
    """Of the file, from 0: where it begins."""
    text: str


def read_parts(lines: Sequence[bytes]) -> Part:
    """The message in `lines`, with its parts."""
    return _PartReader(lines).part(0, len(lines), 0)


def decoded(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) decoded."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (MessageError, ValueError, binascii.Error, IndexError):
        return value
    return "".join(decode_as(piece, charset) if isinstance(piece, bytes) else piece for piece, charset in pieces)


class _PartReader:
    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._count = 0

    def part(self, first: int, end: int, depth: int) -> Part:
        """The part in lines [first, end)."""
        self._count += 1
        part = Part(first)
        at = self._headers(part, first, end)
        part.body = (at, end)
        if depth >= MOST_DEPTH or self._count >= MOST_PARTS:
            return part
        if part.type == "message/rfc822" and part.header("content-transfer-encoding").strip().lower() in _PLAIN:
            part.parts.append(self.part(at, end, depth + 1))
        elif part.type.startswith("multipart/") and (boundary := part.parameter("boundary")):
            for begin, stop in self._between(at, end, b"--" + boundary.encode(errors="replace")):
                if self._count >= MOST_PARTS:
                    break
                part.parts.append(self.part(begin, stop, depth + 1))
        return part

    def _headers(self, part: Part, first: int, end: int) -> int:
        at, size = first, 0
        folded: list[tuple[int, bytes]] = []
        while at < end and (line := self._lines[at]).strip() and size < _MOST_HEADER_BYTES:
            size += len(line)
            if line[:1] in b" \t" and folded:
                folded[-1] = (folded[-1][0], folded[-1][1] + b" " + line.strip())
            elif not (at == first and line.startswith(b"From ")):  # the line before a message in an mbox file
                folded.append((at, line.strip()))
            at += 1
        for where, line in folded:
            if found := _HEADER.fullmatch(line):
                value = decoded(decode_as(found[2].strip(), None))
                part.headers.append(Header(found[1].decode("ascii").lower(), value, where))
        if not part.headers:  # no headers: all of it is text
            return first
        return min(end, at + 1)

    def _between(self, at: int, end: int, mark: bytes) -> Iterator[tuple[int, int]]:
        """Ranges of lines between boundaries."""
        begin: int | None = None
        for line in range(at, end):
            if not self._lines[line].startswith(mark):
                continue
            rest = self._lines[line][len(mark) :].strip()
            if rest in (b"", b"--"):
                if begin is not None:
                    yield begin, line
                begin = line + 1
                if rest:
                    return
        if begin is not None:
            yield begin, end


_PLAIN = frozenset({"", "7bit", "8bit", "binary"})


def text_of(part: Part, lines: Sequence[bytes]) -> list[Line]:
    """The text of a part in its own lines."""
    charset = part.parameter("charset") or None
    encoding = part.header("content-transfer-encoding").strip().lower()
    own = range(*part.body)
    if encoding == "base64":
        return _of_base64(own, lines, charset)
    found: list[tuple[int, bytes]] = []
    soft = False
    for at in own:
        line = lines[at].rstrip(b"\r\n")
        goes_on = soft
        if encoding == "quoted-printable":
            stripped = line.rstrip(b" \t")
            soft = stripped.endswith(b"=")
            line = decodestring(stripped.removesuffix(b"="))
        if goes_on:
            found[-1] = (found[-1][0], found[-1][1] + line)
        else:
            found.append((at, line))
    return [Line(at, decode_as(line, charset)) for at, line in found]


def _of_base64(own: range, lines: Sequence[bytes], charset: str | None) -> list[Line]:
    """Lines of text that was encoded in lines of others: each stands where its first byte does."""
    starts, where, data, rest = [0], [own.start], bytearray(), b""
    for at in own:
        rest += _NOT_BASE64.sub(b"", lines[at])
        whole = len(rest) // 4 * 4
        starts.append(len(data))
        where.append(at)
        data += binascii.a2b_base64(rest[:whole])
        rest = rest[whole:]
    if len(rest) > 1:
        data += binascii.a2b_base64(rest + b"=" * (-len(rest) % 4))
    found, byte = [], 0
    encoding = (known(charset) if charset else None) or "utf-8"
    for text in decode_as(bytes(data), charset).splitlines(keepends=True):
        found.append(Line(where[bisect_right(starts, byte) - 1], text.rstrip("\r\n")))
        byte += len(text.encode(encoding, errors="replace"))
    return found
