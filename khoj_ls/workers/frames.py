"""One message = four bytes of length (little-endian) and that many bytes of MessagePack."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

import msgspec

_LENGTH = struct.Struct("<I")
MAX_FRAME = 1 << 30
"""Longest message in bytes; more means the two sides are out of step."""


def write_frame(stream: BinaryIO, message: Any) -> None:
    """Write one message and flush. Raises OSError (BrokenPipeError) when the other side is gone."""
    body = msgspec.msgpack.encode(message)
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
