"""Words that were broken at the ends of lines, put together again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from khoj_ls.content.pdf_lines import Line

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_TAIL = re.compile(r"[^\W\d_]+$")
_HEAD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+")
_HYPHENS = ("-", "\u00ad", "\u2010")


def vocabulary(lines: Iterable[Line]) -> frozenset[str]:
    """The whole words of a document, in lower case; those with a hyphen inside as they are, and in their parts."""
    words: set[str] = set()
    after_break = False
    for line in lines:
        text = line.text.casefold()
        is_broken = line.broken or text.endswith(_HYPHENS)
        if after_break:
            text = _HEAD.sub("", text, count=1)
        if is_broken:
            text = _TAIL.sub("", text.rstrip("".join(_HYPHENS)))
        for word in _WORD.findall(text):
            words.add(word)
            words.update(word.split("-"))
        after_break = is_broken
    return frozenset(words)


def mended(lines: Sequence[Line], words: frozenset[str]) -> list[str]:
    """The texts of `lines`, which follow each other, with the rest of a broken word moved up to its beginning."""
    texts = [line.text for line in lines]
    for at in range(len(lines) - 1):
        broken, soft = lines[at].broken, texts[at].endswith(_HYPHENS)
        if not broken and not soft:
            continue
        begun = texts[at].rstrip("".join(_HYPHENS)) if soft else texts[at]
        tail, rest = _TAIL.search(begun), _HEAD.search(texts[at + 1])
        if not begun or not rest or (not broken and not (tail and texts[at + 1][0].islower())):
            continue
        texts[at] = begun + _joint(tail[0] if tail else "", rest[0], words) + rest[0]
        texts[at + 1] = texts[at + 1][rest.end() :].lstrip()
    return texts


def _joint(tail: str, rest: str, words: frozenset[str]) -> str:
    """What stands between the parts of a word: a hyphen if it has one also within a line.

    The document's other words decide: one that is written elsewhere is meant here too; two that are both words by themselves
    are a compound.
    """
    letters = _LETTERS.match(rest)
    if not tail or not letters or not letters[0][0].islower():
        return "-"
    first, second = tail.casefold(), letters[0].casefold()
    if first + second in words:
        return ""
    is_compound = f"{first}-{second}" in words or (len(first) > 2 and len(second) > 2 and first in words and second in words)
    return "-" if is_compound else ""
