"""Messages off a stream, whatever comes: their headers are read with care, and after nonsense the next message is found.

LSP 3.17, Base Protocol: a header of `Name: value` lines, `Content-Length` among them, an empty line, and that many bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

MOST_BYTES = 256 * 1024 * 1024
"""Longest message. Note texts of `index.max_file_bytes` are far below, also with every character escaped."""

_CHUNK = 1 << 16
_LONGEST_LINE = 8192
"""A line of a header has a hundredth of that."""
_NO_LENGTH = "there is something else than a header with a Content-Length"
_LENGTH = re.compile(rb"Content-Length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?\n\Z", re.IGNORECASE)
_OTHER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*[ \t]*:[^\r\n]*\r?\n\Z")
_CHARSET = re.compile(rb"charset[ \t]*=[ \t]*\"?([A-Za-z0-9_-]+)", re.IGNORECASE)


class ByteReader(Protocol):
    """As much of asyncio.StreamReader as is needed."""

    async def read(self, n: int = -1, /) -> bytes:
        """Up to `n` bytes; empty at the end of the stream."""
        ...


@dataclass(frozen=True)
class Garbled:
    """What came was no message; the next one is looked for behind it."""

    reason: str


@dataclass
class _Header:
    """What was read of one."""

    lines: int = 0
    wrong: str = ""
    length: int | None = None

    def take(self, line: bytes) -> None:
        """One more line, which is not empty."""
        self.lines += 1
        if found := _LENGTH.search(line):
            self.length = int(found[1])
            # A message that was longer than it said ends in the line of the next one's header.
            self.wrong = self.wrong or ("there is something else between two messages" if found.start() else "")
        elif not _OTHER.match(line):
            self.wrong = self.wrong or _NO_LENGTH
        elif (charset := _CHARSET.search(line)) and charset[1].lower() not in (b"utf-8", b"utf8"):
            self.wrong = self.wrong or "messages are read as UTF-8 only"

    def end(self, most: int) -> tuple[str, int | None]:
        """What is wrong, and the length of the message that follows; None where none does."""
        if self.length is None:
            return self.wrong or _NO_LENGTH, None
        if self.length > most:
            return f"a message has at most {most} bytes, and this one would have {self.length}", None
        return self.wrong, self.length


class Frames:
    """The messages of one connection, one after the other."""

    def __init__(self, reader: ByteReader, most_bytes: int = MOST_BYTES) -> None:
        """Read from `reader`; nothing is read before `next`."""
        self._reader = reader
        self._most = most_bytes
        self._buffer = bytearray()
        self._length: int | None = None
        """Of a message whose header was read before nonsense was told."""
        self._told = False
        """Whether the nonsense that is being passed over was told already."""

    async def next(self) -> bytes | Garbled | None:
        """The next message's bytes, or what is wrong; None at the end of the stream, in the middle of a message too.

        Nonsense without an end is told once.
        """
        if self._length is None and (wrong := await self._header()):
            self._told = True
            return Garbled(wrong)
        if self._length is None:
            return None
        length, self._length = self._length, None
        body = await self._bytes(length)
        self._told = False
        return body

    async def _header(self) -> str:
        """Read up to the empty line behind a header that tells a length. What is wrong, where that was not told yet."""
        header = _Header()
        while (line := await self._line()) is not None:
            if line not in (b"\r\n", b"\n"):
                header.take(line)
            elif header.lines:  # empty lines before a header harm nobody
                wrong, self._length = header.end(self._most)
                if wrong and not self._told:
                    return wrong
                if self._length is not None:
                    return ""
                header = _Header()
        return ""

    async def _line(self) -> bytes | None:
        """The next line, or a piece of one that is too long for any header; None at the end of the stream."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0 and len(self._buffer) <= _LONGEST_LINE:
            searched = len(self._buffer)
            if not await self._more():
                return None
        # The header of the next message may stand at the end of the piece.
        end = end if 0 <= end <= _LONGEST_LINE else _LONGEST_LINE - 64
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    async def _bytes(self, count: int) -> bytes | None:
        """Exactly so many bytes; None where the stream ends before."""
        while len(self._buffer) < count:
            if not await self._more():
                return None
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    async def _more(self) -> bool:
        data = await self._reader.read(_CHUNK)
        self._buffer += data
        return bool(data)
