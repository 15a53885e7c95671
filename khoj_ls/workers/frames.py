"""One message = four bytes of length (little-endian) and that many bytes of MessagePack."""

from __future__ import annotations

import os
import struct
from typing import Any, BinaryIO

import msgspec

_LENGTH = struct.Struct("<I")
HEAD_BYTES = _LENGTH.size
MAX_FRAME = 1 << 30
"""Longest message in bytes; more means the two sides are out of step."""


def write_frame(stream: BinaryIO, message: Any) -> None:
    """Write one message and flush. Raises OSError (BrokenPipeError) when the other side is gone."""
    write_body(stream, msgspec.msgpack.encode(message))


def write_body(stream: BinaryIO, body: bytes) -> None:
    """Write one message that is encoded already. Raises OSError."""
    stream.write(_LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """Read one message, still encoded; None at the end of the stream. Raises ValueError on an impossible length."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME:
        raise ValueError(f"frame of {length} bytes")
    body = stream.read(length)
    return body if len(body) == length else None


def own_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent, moved away from standard input and output, where a stray print would break the frames."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    return requests, answers
