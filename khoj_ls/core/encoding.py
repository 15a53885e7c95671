"""Which encoding a note's bytes are in: told by a byte order mark, by being valid UTF-8, or by looking like Western text.

Only what can be told is. Windows-1252 (with it Latin-1 and Latin-9 but for their rarest signs) is the one single-byte encoding
that plain rules recognise: a few accented letters among many plain ones, and typographic signs beside words, not within. Text
of other scripts in their old encodings, DOS and Macintosh text, and UTF-8 with broken places break one of these rules; they are
read as UTF-8 with every byte that is none shown as U+FFFD.
"""

from __future__ import annotations

import re

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

WESTERN = "cp1252"
"""Python's name of Windows-1252."""

_HIGH = re.compile(rb"[\x80-\xff]")
_MOST_HIGH = 0.4
"""Share of bytes that are accented letters or signs; Icelandic, which has the most, comes to about an eighth."""

# After decoding. Letters of Windows-1252, then what no Western text holds.
_LETTER = "ŠšŒœŽžŸƒªºÀ-ÖØ-öø-ÿ"
_CAPITAL = "ŠŒŽŸÀ-ÖØ-Þ"
_WITHIN_WORDS = "’´·‐–—\xad\xa0"
_NOT_WESTERN = re.compile(
    f"[{_LETTER}]{{3}}"  # three accented letters in a row
    f"|(?<![A-Za-z{_LETTER}])ÿ"  # a letter that no word begins with
    f"|[a-z][{_CAPITAL}]+[a-z]"  # capitals within a word
    f"|[A-Za-z{_LETTER}][^\\x00-\\x7f{_LETTER}{_WITHIN_WORDS}]+[A-Za-z{_LETTER}]"  # signs within a word
    "|[\x80-\x9f]"  # bytes that stand for no character
)


def source_encoding(data: bytes) -> str:
    """Python's name of the encoding that a note is read in; `utf-8` also where it is not quite that."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    try:
        data.decode()
    except UnicodeDecodeError:
        return WESTERN if _is_western(data) else "utf-8"
    return "utf-8"


def _is_western(data: bytes) -> bool:
    """Whether data that is not UTF-8 is text in Windows-1252."""
    if not data.decode("utf-8", "ignore").isascii():
        return False  # UTF-8 after all, with a broken place
    plain = len(data) - sum(map(data.count, (b" ", b"\n", b"\r", b"\t")))
    if len(_HIGH.findall(data)) > _MOST_HIGH * plain:
        return False
    try:
        return _NOT_WESTERN.search(data.decode(WESTERN)) is None
    except UnicodeDecodeError:
        return False
