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


def ends_broken(line: Line) -> bool:
    """Whether the last word of a line may go on in the next."""
    return line.broken or line.text.endswith(_HYPHENS)


def vocabulary(lines: Iterable[Line]) -> frozenset[str]:
    """The whole words of a document, in lower case; those with a hyphen inside as they are, and in their parts.

    What stands on both sides of a broken word's gap is not among them.
    """
    whole: list[str] = []
    after_break = False
    for line in lines:
        is_broken = ends_broken(line)
        text = _HEAD.sub("", line.text, count=1) if after_break else line.text
        whole.append(_TAIL.sub("", text.rstrip("".join(_HYPHENS))) if is_broken else text)
        after_break = is_broken
    words = set(_WORD.findall("\n".join(whole).casefold()))
    words.update(part for word in tuple(words) if "-" in word for part in word.split("-"))
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
