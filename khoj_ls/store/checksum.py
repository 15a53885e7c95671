"""The checksum of a file beside the database: what is damaged must not reach those who believe what they read."""

from __future__ import annotations

import zlib
from pathlib import Path

_BLOCK_BYTES = 1 << 22


def checksum(path: Path) -> int:
    """CRC-32 of what a file holds, read block by block. Raises OSError."""
    value = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            value = zlib.crc32(block, value)
    return value
