"""Reading a query: what to look for, what must occur exactly, what must not occur.

`"..."` or `+"..."` must occur, `-"..."` must not. A quote counts only where one can open: a sentence pasted with an inch mark,
an apostrophe, or the second half of a quotation stays plain words. Nothing else is an operator.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from khoj_ls.search.words import is_unspaced

MAX_QUERY_CHARS = 20_000
"""What is read of a query; whole notes are pasted, whole books need not be searched for."""

_PHRASE = re.compile(r'(?<![^\s(\[{])([+-]?)(?:"([^"]*)"|“([^”“]*)”|„([^“”„]*)[“”])(?![^\W_])')
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Query:
    """A query as it was read."""

    text: str
    """What is looked for: the query without quote marks and without what must not occur. This is embedded."""
    required: tuple[str, ...] = ()
    """Phrases that must occur."""
    excluded: tuple[str, ...] = ()
    """Phrases that must not occur."""

    @property
    def exact(self) -> bool:
        """Whether every hit has to be checked against its text."""
        return bool(self.required or self.excluded)


def parse(text: str) -> Query:
    """Read a query. Every text is one."""
    required: list[str] = []
    excluded: list[str] = []

    def take(match: re.Match[str]) -> str:
        phrase = " ".join((match[2] or match[3] or match[4] or "").split())
        if phrase:
            (excluded if match[1] == "-" else required).append(phrase)
        return " " if match[1] == "-" else f" {phrase} "

    readable = _CONTROL.sub(" ", text[:MAX_QUERY_CHARS])
    return Query(" ".join(_PHRASE.sub(take, readable).split()), tuple(required), tuple(excluded))


def occurs(phrase: str, text: str) -> bool:
    """Whether `phrase` stands in `text` as typed: case and the width of blanks aside, whole words, accents as they are."""
    return _pattern(phrase).search(unicodedata.normalize("NFC", text).casefold()) is not None


def _pattern(phrase: str) -> re.Pattern[str]:
    folded = unicodedata.normalize("NFC", phrase).casefold()
    before = r"(?<!\w)" if _bounded(folded[0]) else ""
    after = r"(?!\w)" if _bounded(folded[-1]) else ""
    return re.compile(before + r"\s+".join(map(re.escape, folded.split())) + after)


def _bounded(char: str) -> bool:
    return char.isalnum() and not is_unspaced(char)
