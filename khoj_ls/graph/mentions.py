"""Places that name a note without linking to it: found by the word index, then looked at exactly, outside of links and code."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from khoj_ls.core.text import LineIndex
from khoj_ls.core.types import Span
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.links.text import fold, split_suffix
from khoj_ls.search.words import phrase, words
from khoj_ls.store import links as store

_SHORTEST = 3
"""A name shorter than this is met everywhere."""
_MOST_ENTRIES = 500
_CODE = re.compile(
    r"^[ \t]*(?:>[ \t]*)*(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t]*(?:>[ \t]*)*(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|^[ \t]*\#\+begin_(?P<block>src|example|export)\b.*?(?:^[ \t]*\#\+end_(?P=block)\b[^\n]*$|\Z)"
    r"|(?P<ticks>`+)(?!`)[^\n]+?(?<!`)(?P=ticks)(?!`)",
    re.M | re.S | re.I,
)
_ORG_VERBATIM = re.compile(r"(?<![^\s({'\"-])([=~])(?=\S)[^\n]*?\S\1(?![^\s)}'\".,;:!?-])")
_NO_WORD = re.compile(r"[^\n]")


@dataclass(frozen=True)
class Mention:
    """A place in another note that says the name of a note."""

    path: str
    file_id: int
    entry: int
    span: Span
    name: str
    """As it stands there."""
    text: str
    """The line, blanks at its ends taken off."""
    readable: str
    """The same without markup."""


def mentions_of(network: LinkNetwork, file_id: int, limit: int = 100) -> list[Mention]:
    """The places in other notes that name a note by title, alias or file name and are no links, by path; at most `limit`."""
    names = spoken_names(network.connection, file_id)
    if not names:
        return []
    found: list[Mention] = []
    for row in _candidates(network.connection, names, file_id):
        found += _in_entry(row, names, _linked_ranges(network.connection, row.file_id, row.ordinal))
        if len(found) >= limit:
            break
    return found[:limit]


def spoken_names(connection: sqlite3.Connection, file_id: int) -> list[str]:
    """The names of a note that a text may say, the longest first: title, aliases, and the file name where it reads as words."""
    known = connection.execute("SELECT path, title, aliases FROM file WHERE id = ?", (file_id,)).fetchone()
    if known is None:
        return []
    path, title, aliases = known
    base = split_suffix(path)[0].rpartition("/")[2]
    names = [title or "", *store.string_list(aliases)]
    if fold(base) not in ("index", "readme", "_index") and not re.search(r"\w\.\w|\d{6}", base):
        names.append(base if not re.search(r"[-_]", base) else re.sub(r"[-_]+", " ", base))
    unique = {fold(name): name for name in reversed(names) if len(name) >= _SHORTEST and words(name)}
    return sorted(unique.values(), key=lambda name: (-len(name), name))


@dataclass(frozen=True)
class _Entry:
    file_id: int
    path: str
    type: str
    ordinal: int
    start: int
    line: int
    raw: str
    text: str
    heading: str


def _candidates(connection: sqlite3.Connection, names: Sequence[str], file_id: int) -> Iterator[_Entry]:
    """Entries of other notes that hold all the words of a name side by side, in heading or text."""
    query = "{heading body}: (" + " OR ".join(phrase(name) for name in names) + ")"
    rows = connection.execute(
        "SELECT e.file_id, f.path, f.type, e.ordinal, e.start_byte, e.line, e.raw, e.text, e.heading FROM entry_fts "
        "JOIN entry e ON e.id = entry_fts.rowid JOIN file f ON f.id = e.file_id "
        "WHERE entry_fts MATCH ? AND e.file_id <> ? ORDER BY f.path, e.ordinal LIMIT ?",
        (query, file_id, _MOST_ENTRIES),
    )
    return (_Entry(*row) for row in rows.fetchall())


def _linked_ranges(connection: sqlite3.Connection, file_id: int, ordinal: int) -> list[tuple[int, int]]:
    rows = connection.execute("SELECT start_byte, end_byte FROM link WHERE file_id = ? AND entry = ?", (file_id, ordinal))
    return [(row[0], row[1]) for row in rows]


def _in_entry(entry: _Entry, names: Iterable[str], linked: Sequence[tuple[int, int]]) -> Iterator[Mention]:
    raw = without_code(entry.raw, entry.type)
    index = LineIndex(entry.raw)
    shown = entry.text.split("\n")
    taken = list(linked)
    found: list[Mention] = []
    for name in names:
        for match in _pattern(name).finditer(raw):
            line = index.line_of_char(match.start())
            # What is not worth embedding (drawers, front matter) says nothing; the heading's line is blank there too.
            if line > 1 and (line > len(shown) or not shown[line - 1].strip()):
                continue
            start, end = (entry.start + index.byte_of_char(at) for at in match.span())
            if any(first < end and start < last for first, last in taken):
                continue
            taken.append((start, end))
            span = Span(start, end, entry.line + line - 1, entry.line + index.line_of_char(match.end() - 1) - 1)
            text = index.lines[line - 1].strip()
            readable = (shown[line - 1].strip() if line <= len(shown) else "") or (entry.heading if line == 1 else "")
            found.append(Mention(entry.path, entry.file_id, entry.ordinal, span, match[0], text, readable or text))
    yield from sorted(found, key=lambda mention: mention.span.start)


def _pattern(name: str) -> re.Pattern[str]:
    """`name` as whole words, blanks perhaps a line break; in any case, unless it is one word: `home` does not mean "Home"."""
    inner = r"\s+".join(re.escape(word) for word in name.split())
    before = r"(?<!\w)" if name[0].isalnum() and name[0] < "\u2e80" else ""
    after = r"(?!\w)" if name[-1].isalnum() and name[-1] < "\u2e80" else ""
    return re.compile(before + inner + after, re.IGNORECASE if " " in name else 0)


def without_code(raw: str, type_: str) -> str:
    """`raw` with blanks in place of code, so that no place in it moves."""
    blank = _CODE.sub(lambda found: _NO_WORD.sub(" ", found[0]), raw)
    return _ORG_VERBATIM.sub(lambda found: _NO_WORD.sub(" ", found[0]), blank) if type_ == "org" else blank
