"""What of a passage is about its note and says nothing itself: front matter, keywords and properties of Org and Logseq."""

from __future__ import annotations

import re

from khoj_ls.content.front_matter import read_head
from khoj_ls.core.text import text_lines

_BREAK = r"[ \t]*(?:\r\n|\n|\r|\Z)"
_DRAWER = rf"[ \t]*:PROPERTIES:{_BREAK}(?:[ \t]*:[^\s:][^\r\n]*(?:\r\n|\n|\r))*[ \t]*:END:{_BREAK}"
_DRAWERS = re.compile(rf"^{_DRAWER}", re.IGNORECASE | re.MULTILINE)
_LEADING = re.compile(rf"{_DRAWER}|#\+\w+:[^\r\n]*{_BREAK}|[\w-]+::[ \t][^\r\n]*{_BREAK}|{_BREAK}", re.IGNORECASE)


def metadata(text: str, line: int) -> list[tuple[int, int]]:
    """Characters [start, end) of `text`, which begins at `line` of its note, that say nothing: whole lines, in order, apart."""
    start = _head_end(text) if line == 1 else 0
    while (found := _LEADING.match(text, start)) and found.end() > start:
        start = found.end()
    drawers = [(each.start(), each.end()) for each in _DRAWERS.finditer(text, start)]
    return [(0, start), *drawers] if start else drawers


def without_metadata(text: str, line: int) -> str:
    """`text`, which begins at `line` of its note, without its metadata."""
    kept, at = [], 0
    for start, end in metadata(text, line):
        kept.append(text[at:start])
        at = end
    return "".join([*kept, text[at:]])


def _head_end(text: str) -> int:
    """Characters that front matter takes at the start of a note."""
    if not text.startswith(("---", "+++")):
        return 0
    lines = read_head(text.replace("\r\n", "\n").replace("\r", "\n")).lines
    return sum(map(len, text_lines(text)[:lines]))
