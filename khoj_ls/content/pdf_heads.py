"""Running heads and feet: what stands at the same edge of many pages, page numbers included."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from khoj_ls.content.pdf_lines import Line

_EDGE_LINES = 3
_LEAST_PAGES = 3
_SHARE = 1 / 3
"""Of the pages; even and odd pages may have heads of their own."""
_NUMBER = re.compile(r"\d{1,5}")
_MOST_NUMBERS = 4
_PAGE_WORDS = re.compile(
    r"[^\w]*(?:page|p|pg|seite|página|pagina|strana|sida|side|стр)?[^\w]*(?:(?:of|von|de|di|/)\W*\d*)?\W*", re.I
)


def without_running_heads(pages: Sequence[Sequence[Line]]) -> list[frozenset[Line]]:
    """The lines of each page that only say again what other pages say at the same edge.

    A head is kept where it stands first; a line that is nothing but a page number nowhere.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for number, page in enumerate(pages):
        counts.update({key for edge, line in _edges(page) for key in _keys(edge, line.text, number)})
    least = max(_LEAST_PAGES, _SHARE * sum(1 for page in pages if page))
    running = {key for key, count in counts.items() if count >= least}
    seen: set[tuple[str, str]] = set()
    found: list[frozenset[Line]] = []
    for number, page in enumerate(pages):
        dropped = _dropped(page, number, running, seen)
        # A page that says nothing else is read as it is.
        found.append(dropped if len(dropped) < len(set(page)) else frozenset())
    return found


def _dropped(
    page: Sequence[Line], number: int, running: AbstractSet[tuple[str, str]], seen: set[tuple[str, str]]
) -> frozenset[Line]:
    """From each edge inwards, up to the first line that is of this page alone; `seen` are heads of pages before."""
    dropped: set[Line] = set()
    text_begins: set[str] = set()
    for edge, line in _edges(page):
        keys = running & set(_keys(edge, line.text, number))
        if not keys:
            text_begins.add(edge)
        if edge in text_begins:
            continue
        if keys & seen or any(_is_number(key[1]) for key in keys):
            dropped.add(line)
        seen |= keys
    return frozenset(dropped)


def _edges(page: Sequence[Line]) -> Iterator[tuple[str, Line]]:
    """The outermost lines, from the edges inwards."""
    by_height = sorted(page, key=lambda line: -line.top)
    yield from (("top", line) for line in by_height[:_EDGE_LINES])
    yield from (("bottom", line) for line in by_height[: -_EDGE_LINES - 1 : -1])


def _keys(edge: str, text: str, page: int) -> Iterator[tuple[str, str]]:
    """What the line says, as it stands and with each number told as its distance from the page it stands on."""
    words = " ".join(text.casefold().split())
    if not words:
        return
    yield edge, words
    for at, match in enumerate(_NUMBER.finditer(words)):
        if at == _MOST_NUMBERS:
            return
        yield edge, f"{words[: match.start()]}\0{int(match[0]) - page}\0{words[match.end() :]}"


def _is_number(key: str) -> bool:
    """Whether a key is of a page number and nothing that is worth reading."""
    before, mark, rest = key.partition("\0")
    return bool(mark) and _PAGE_WORDS.fullmatch(before + " " + rest.partition("\0")[2]) is not None
