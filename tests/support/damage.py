"""Damages files at random: cuts, repeats, moves and overwrites parts, nests without end, claims absurd numbers.

The same random numbers give the same bytes, so that an input is told by a seed and a number.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from random import Random

LONGEST = 300_000
"""Bytes of an input at most: what is found with more is about size, and has tests of its own."""

_NUMBERS = (b"0", b"-1", b"1e999", b"99999999999999999999", b"2147483648", b"18446744073709551616", b"NaN")
_NASTY = (
    b"\0",
    b"\r",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc3\x28",
    "\u2028".encode(),
    "\u202e".encode(),
    "e\u0301\U0001f9c4".encode(),
    b'<!DOCTYPE a [<!ENTITY b "c">]>&b;',
    b"&#0;&#x110000;",
    b"\x1b[2J",
    b"../../../../etc/passwd",
    b"%n%s",
    b"---\n",
    b'"',
    b"'''",
    b"```",
)
_NESTING = (b"[", b"{", b"(", b"<", b"<<", b"<div>", b"- ", b"> ", b"* ", b"#", b"\\begin{a}", b"{\\b ", b'{"a":', b"\t", b"=")
_DIGITS = re.compile(rb"\d+")


def damaged(sample: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """`sample` with up to six damages; pieces of `others` may get into it. The members of a ZIP file are damaged, or itself."""
    if sample.startswith(b"PK\x03\x04") and random.random() < 0.7:
        data = _repacked(sample, others, random)
    else:
        data = sample
        for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
            data = _once(data, others, random)
    return data[:LONGEST]


def _once(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    start = random.randint(0, len(data))
    end = min(len(data), start + int(random.expovariate(1 / 40)))
    before, piece, rest = data[:start], data[start:end], data[end:]
    match random.randrange(11):
        case 0:
            return before + rest
        case 1:
            return before + piece * random.choice((2, 3, 50, 1000)) + rest
        case 2:
            return before + random.randbytes(random.randint(1, 8)) + rest
        case 3:
            return before + bytes([piece[0] ^ 1 << random.randrange(8)]) + piece[1:] + rest if piece else before
        case 4:
            # A piece goes elsewhere.
            left = before + rest
            there = random.randint(0, len(left))
            return left[:there] + piece + left[there:]
        case 5:
            return _other_number(data, random)
        case 6:
            other = random.choice(others) if others else data
            there = random.randint(0, len(other))
            return before + other[there : there + random.randint(1, 400)] + data[start:]
        case 7:
            return before
        case _:
            return before + _unfit(random) + data[start:]


def _unfit(random: Random) -> bytes:
    """What should not stand where it is put."""
    match random.randrange(3):
        case 0:
            return random.choice(_NASTY)
        case 1:
            return random.choice(_NESTING) * random.choice((2, 30, 400, 5000))
        case _:
            return random.choice((b"\n", b"\r\n", b"\n\n", b" ", b"\n\t"))


def _other_number(data: bytes, random: Random) -> bytes:
    found = list(_DIGITS.finditer(data))
    if not found:
        return data + random.choice(_NUMBERS)
    number = random.choice(found)
    return data[: number.start()] + random.choice(_NUMBERS) + data[number.end() :]


def _repacked(sample: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """A ZIP file again, with a member or two that are damaged, missing, or under another name."""
    with zipfile.ZipFile(io.BytesIO(sample)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    for _ in range(random.choice((1, 1, 2))):
        at = random.randrange(len(members))
        name, data = members[at]
        match random.randrange(12):
            case 0:
                members[at] = (random.choice(members)[0], data)
            case 1:
                members[at] = ("../" + name, data)
            case 2:
                members[at] = (name, random.choice(members)[1])
            case _:
                members[at] = (name, _once(data, others, random))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in dict(members).items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return packed.getvalue()
