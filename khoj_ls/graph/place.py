"""A place in a note as suggestions look at it: the paragraph around a caret, and the words there that may name another note."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Entry
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.search.stopwords import content_words

_MOST_LINES = 24
"""Lines of a paragraph that are read, around the caret: a list of hundred items is not about one thing."""
_LONGEST_PHRASE = 6
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Phrase:
    """Words in a row that may be the name of a note."""

    terms: tuple[str, ...]
    """Lower case, in order."""
    start: int
    end: int
    """Bytes of the text."""


@dataclass(frozen=True)
class Paragraph:
    """Where a link may be put."""

    ordinal: int
    entry: Entry
    first: int
    last: int
    """Lines of the file, 1-based, inclusive."""
    text: str
    """Its readable form."""
    phrases: tuple[Phrase, ...]
    """The selected phrase alone, or all that hold the caret, the longest first."""


def paragraph_at(note: OpenNote, offset: int, selection: tuple[int, int] | None) -> Paragraph | None:
    """What stands at a byte `offset`, or is selected (start, end); None in a text without entries."""
    found = note.entry_at(offset) or (note.entry_at(max(0, offset - 1)))
    if found is None:
        return None
    ordinal, entry = found
    raw = text_lines(entry.raw)
    at = _line_of(entry, note.source, offset)
    first, last = _around(raw, at)
    shown = text_lines(entry.text)[first : last + 1]
    heading = [entry.heading] if first == 0 and entry.level > 0 else []
    text = "\n".join([*heading, *(line.strip() for line in shown if line.strip())])
    phrases = (_selected(note.source, *selection),) if selection and selection[0] < selection[1] else ()
    return Paragraph(
        ordinal,
        entry,
        entry.span.line + first,
        entry.span.line + last,
        text,
        phrases if phrases else tuple(_phrases(note.source, offset)),
    )


def terms_of(text: str) -> tuple[str, ...]:
    """The words of a name, lower case: `dendron.topic.noteTraits` has four."""
    apart = text if text.islower() else _HUMP.sub(" ", text)
    return tuple(_WORD.findall(apart.lower()))


def _line_of(entry: Entry, source: bytes, offset: int) -> int:
    """0-based line of the entry that holds `offset`."""
    before = source[entry.span.start : max(entry.span.start, offset)].decode(errors="replace")
    return max(0, len(text_lines(before + "x")) - 1)


def _around(lines: list[str], at: int) -> tuple[int, int]:
    """First and last of the lines around line `at` with no blank one between; the line above where it is blank itself."""
    at = min(at, len(lines) - 1)
    first = last = at
    while first > 0 and lines[first - 1].strip() and at - first < _MOST_LINES // 2:
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].strip() and last - at < _MOST_LINES // 2:
        last += 1
    return first, last


def _selected(source: bytes, start: int, end: int) -> Phrase:
    return Phrase(terms_of(source[start:end].decode(errors="replace")), start, end)


def _phrases(source: bytes, offset: int) -> list[Phrase]:
    """Runs of words of the line that hold or touch the caret, the longest first; none begins or ends with a function word."""
    line_start = source.rfind(b"\n", 0, offset) + 1
    line_end = source.find(b"\n", offset)
    line = source[line_start : line_end if line_end >= 0 else len(source)].decode(errors="replace")
    caret = len(source[line_start:offset].decode(errors="replace"))
    found = list(_WORD.finditer(line))
    touched = [i for i, word in enumerate(found) if word.start() <= caret <= word.end()]
    if not touched:
        # Between words: those on both sides of it, if nothing but blanks and punctuation is between.
        touched = [i for i, (a, b) in enumerate(pairwise(found)) if a.end() <= caret <= b.start()]
        if not touched:
            return []
    content = set(content_words(word[0].lower() for word in found))
    phrases: dict[tuple[int, int], Phrase] = {}
    for hit in touched:
        for start in range(max(0, hit - _LONGEST_PHRASE + 1), hit + 1):
            for end in range(hit, min(len(found), start + _LONGEST_PHRASE)):
                run = [word[0].lower() for word in found[start : end + 1]]
                if run[0] in content and run[-1] in content:
                    first = line_start + len(line[: found[start].start()].encode())
                    last = line_start + len(line[: found[end].end()].encode())
                    phrases[start, end] = Phrase(tuple(run), first, last)
    return sorted(phrases.values(), key=lambda phrase: (-len(phrase.terms), phrase.start))
