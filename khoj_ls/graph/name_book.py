"""Names as one may begin to write them: notes, tags, ids and citation keys of a vault, found by how much of a name is there.

Reading all names of ten thousand notes costs some hundredths of a second, too much for every key that is pressed. A `Shelf`
keeps them; they are never resolved from here, only proposed.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from khoj_ls.links.text import fold, name_key, split_suffix
from khoj_ls.store.database import get_meta
from khoj_ls.store.links import string_list

Section = Literal["notes", "tags", "ids", "citations", "blocks"]

_FRESH_SECONDS = 1.0
"""Names older than this are read again, once notes are known to have changed."""
_OLD_SECONDS = 15.0
"""Older ones are read again once anything was written: where another process writes the index nobody tells of changes."""
_MOST_FOUND = 200
_NEAR = 55.0
"""Likeness in percent from which a name with slips of the hand is taken for what was meant."""


@dataclass(frozen=True)
class Named:
    """Something that a link may lead to, with all that it is called."""

    path: str
    """The note it is or stands in; empty for tags."""
    file_id: int
    names: tuple[str, ...]
    """What it is called, the best to read first."""
    title: str
    """What a reader calls it."""
    id: str = ""
    line: int = 0
    weight: float = 0.0
    """How much is to be said for it when nothing is written yet: newer, or used more often."""


@dataclass(frozen=True)
class Match:
    """How well a name fits what was written."""

    item: Named
    name: str
    """The name that fits."""
    score: float
    """0..1."""


class NameList:
    """Things with names, found by what is written of a name."""

    def __init__(self, items: Iterable[Named]) -> None:
        """Take all `items`."""
        self.items = tuple(items)
        pairs = [(fold(name.replace("\n", " ")), name, at) for at, item in enumerate(self.items) for name in item.names]
        self._folded = [pair[0] for pair in pairs]
        self._names = [pair[1] for pair in pairs]
        self._owners = [pair[2] for pair in pairs]
        self._text = "\n".join(self._folded)
        starts = [0]
        for folded in self._folded:
            starts.append(starts[-1] + len(folded) + 1)
        self._starts = starts

    @cached_property
    def by_path(self) -> Mapping[str, Named]:
        """The last of each note, by its path."""
        return {item.path: item for item in self.items}

    @cached_property
    def by_file(self) -> Mapping[int, Named]:
        """The last of each note, by its id in the index."""
        return {item.file_id: item for item in self.items}

    @cached_property
    def _same_name(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for item in self.items:
            found[name_key(item.path)].append(item.path)
        return found

    def others(self, path: str) -> list[str]:
        """The paths of other notes with the file name of `path`."""
        return [other for other in self._same_name.get(name_key(path), ()) if other != path]

    def match(self, written: str) -> list[Match]:
        """What is called like `written`, best first; everything, by weight, where nothing is written."""
        query = fold(written)
        if not query:
            found = sorted(self.items, key=lambda item: -item.weight)[:_MOST_FOUND]
            return [Match(item, item.names[0], 0.0) for item in found if item.names]
        scores: dict[int, tuple[float, int]] = {}
        for number in self._holding(query):
            self._note(scores, number, _score(self._folded[number], query))
        if len(scores) < _MOST_FOUND // 4:
            self._add_loose(scores, query)
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1][0], -self.items[pair[0]].weight, self.items[pair[0]].title))
        return [Match(self.items[at], self._names[number], score) for at, (score, number) in ranked[:_MOST_FOUND]]

    def near(self, name: str, limit: int, least: float = _NEAR) -> list[Match]:
        """What is called most like `name`, slips of the hand and other word order allowed; alike by `least` percent."""
        from rapidfuzz import fuzz, process

        query = re.sub(r"[-_./]+", " ", fold(name))
        plain = [re.sub(r"[-_./]+", " ", folded) for folded in self._folded]
        found: dict[int, tuple[float, int]] = {}
        for scorer, share in ((fuzz.ratio, 1.0), (fuzz.token_sort_ratio, 0.95)):
            for _, score, number in process.extract(query, plain, scorer=scorer, limit=4 * limit, score_cutoff=least):
                self._note(found, number, share * score / 100)
        ranked = sorted(found.items(), key=lambda pair: (-pair[1][0], self.items[pair[0]].path))
        return [Match(self.items[at], self._names[number], score) for at, (score, number) in ranked[:limit]]

    def _note(self, scores: dict[int, tuple[float, int]], number: int, score: float) -> None:
        owner = self._owners[number]
        if score > scores.get(owner, (0.0, 0))[0]:
            scores[owner] = (score, number)

    def _holding(self, query: str) -> Iterable[int]:
        """Numbers of the names that hold `query`, or all its words at the beginnings of words."""
        found = {self._number(match.start()) for match in re.finditer(re.escape(query), self._text)}
        parts = query.split()
        if len(parts) > 1:
            rarest = max(parts, key=len)
            for match in re.finditer(r"(?<![^\W_])" + re.escape(rarest), self._text):
                number = self._number(match.start())
                if all(re.search(r"(?<![^\W_])" + re.escape(part), self._folded[number]) for part in parts):
                    found.add(number)
        return found

    def _add_loose(self, scores: dict[int, tuple[float, int]], query: str) -> None:
        """Names that hold the characters in their order, and those that are nearly what is written."""
        from rapidfuzz import fuzz, process

        plain = [character for character in query if not character.isspace()]
        if 2 <= len(plain) <= 24:
            pattern = "(?m)^" + "".join(f"[^{re.escape(each)}\n]*{re.escape(each)}" for each in plain)
            for found in re.finditer(pattern, self._text):
                self._note(scores, self._number(found.start()), 0.3 * len(plain) / max(len(plain), found.end() - found.start()))
        if len(query) > 2:
            for _, score, number in process.extract(query, self._folded, scorer=fuzz.ratio, limit=30, score_cutoff=_NEAR):
                self._note(scores, number, 0.5 * score / 100)

    def _number(self, offset: int) -> int:
        return bisect_right(self._starts, offset) - 1


def _score(name: str, query: str) -> float:
    """How much `query`, which `name` holds in some way, says about it: whole, beginning, beginning of a word, inside."""
    if name == query:
        return 1.0
    share = len(query) / max(1, len(name))
    if name.startswith(query):
        return 0.85 + 0.1 * share
    if re.search(r"(?<![^\W_])" + re.escape(query), name):
        return 0.7 + 0.1 * share
    return (0.5 if query in name else 0.6) + 0.1 * share


class Shelf:
    """The names of one vault, kept between questions. Thread-safe."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._guard = threading.Lock()
        self._kept: dict[Section, tuple[str, float, NameList]] = {}
        self._rows: dict[Section, object] = {}
        self._changed = 0.0

    def names(self, connection: sqlite3.Connection, section: Section) -> NameList:
        """The names of a section, perhaps as they were some seconds ago: see `stale`."""
        with self._guard:
            known = self._kept.get(section)
            return known[2] if known else self._read(connection, section)

    def changed(self) -> None:
        """Take note that notes are other than they were."""
        self._changed = time.monotonic()

    def stale(self, connection: sqlite3.Connection) -> list[Section]:
        """The sections that something may have changed in since they were read."""
        revision, now = get_meta(connection, "revision"), time.monotonic()
        found: list[Section] = []
        for section, (seen, at, _) in list(self._kept.items()):
            fresh = _FRESH_SECONDS if self._changed >= at else _OLD_SECONDS
            if seen != revision and now - at > fresh:
                found.append(section)
        return found

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Read what is stale again."""
        for section in self.stale(connection):
            with self._guard:
                self._read(connection, section)

    def _read(self, connection: sqlite3.Connection, section: Section) -> NameList:
        revision, at = get_meta(connection, "revision"), time.monotonic()
        known = self._kept.get(section)
        rows = (
            sorted(connection.execute("SELECT id, path, title, aliases FROM file").fetchall()) if section == "notes" else None
        )
        # Most edits change no name: then what was made of the names stays.
        found = known[2] if known and rows and rows == self._rows.get(section) else NameList(_READERS[section](connection))
        self._rows[section] = rows
        self._kept[section] = (revision, at, found)
        return found


def _notes(connection: sqlite3.Connection) -> Iterable[Named]:
    rows = connection.execute(
        "SELECT id, path, title, aliases FROM file WHERE status = 'indexed' ORDER BY mtime_ns DESC, path"
    ).fetchall()
    # Only Org links by the id of a note.
    ids = dict(
        connection.execute(
            "SELECT a.file_id, a.name FROM anchor a JOIN file f ON f.id = a.file_id "
            "WHERE a.kind = 'id' AND a.entry = 0 AND a.line = 1 AND f.type = 'org'"
        ).fetchall()
    )
    for number, (file_id, path, title, aliases) in enumerate(rows):
        base = split_suffix(path)[0].rpartition("/")[2]
        names = dict.fromkeys(name for name in (title, *string_list(aliases), base) if name)
        weight = 1.0 - number / max(1, len(rows))
        yield Named(path, file_id, tuple(names), title or base, ids.get(file_id, ""), 1, weight)


def _tags(connection: sqlite3.Connection) -> Iterable[Named]:
    counts: Counter[str] = Counter()
    for name, count in connection.execute("SELECT target, count(*) FROM link WHERE kind = 'tag' GROUP BY target"):
        counts[name] += count
    for sql in (
        "SELECT tags FROM file WHERE tags IS NOT NULL AND tags <> '[]'",
        "SELECT e.tags FROM entry e JOIN file f ON f.id = e.file_id "
        "WHERE f.type = 'org' AND e.tags IS NOT NULL AND e.tags <> '[]'",
    ):
        for (tags,) in connection.execute(sql):
            counts.update(string_list(tags))
    most = max(counts.values(), default=1)
    for name, count in counts.items():
        yield Named("", 0, (name,), name, weight=count / most)


def _ids(connection: sqlite3.Connection) -> Iterable[Named]:
    """Notes and headings that have an id."""
    rows = connection.execute(
        "SELECT a.name, a.file_id, f.path, f.title, e.heading, e.level, a.line FROM anchor a "
        "JOIN file f ON f.id = a.file_id JOIN entry e ON e.file_id = a.file_id AND e.ordinal = a.entry WHERE a.kind = 'id'"
    )
    for name, file_id, path, title, heading, level, line in rows.fetchall():
        shown = heading if level and heading else title or split_suffix(path)[0].rpartition("/")[2]
        yield Named(path, file_id, (shown, name), shown, name, line)


def _blocks(connection: sqlite3.Connection) -> Iterable[Named]:
    """Logseq's blocks that have an id, by their first line."""
    rows = connection.execute(
        "SELECT a.name, a.file_id, f.path, substr(CAST(e.raw AS BLOB), a.start_byte - e.start_byte + 1, 240), a.line "
        "FROM anchor a JOIN file f ON f.id = a.file_id "
        "JOIN entry e ON e.file_id = a.file_id AND e.ordinal = a.entry WHERE a.kind = 'id' AND length(a.name) = 36"
    )
    for name, file_id, path, raw, line in rows.fetchall():
        text = first_words(bytes(raw).decode(errors="ignore"))
        yield Named(path, file_id, (text or name,), text or name, name, line)


def first_words(raw: str) -> str:
    """The first line of a block that says something, without its list or heading mark."""
    for line in raw.split("\n"):
        text = re.sub(r"^(?:[-+*>#]+|\d+[.)])[ \t]+|\s\^[\w-]+$", "", line.strip()).strip()
        if text and not re.match(r"[\w-]+::\s|:[\w-]+:", text):
            return text[:120]
    return ""


def _citations(connection: sqlite3.Connection) -> Iterable[Named]:
    rows = connection.execute(
        "SELECT n.full, n.file_id, f.path, f.title, f.properties FROM name n JOIN file f ON f.id = n.file_id "
        "WHERE n.source = 'citation'"
    )
    for full, file_id, path, title, properties in rows.fetchall():
        key = _as_written(full[1:], properties)
        shown = title or split_suffix(path)[0].rpartition("/")[2]
        yield Named(path, file_id, (key, shown), key, key)


def _as_written(key: str, properties: str | None) -> str:
    """A citation key, which names hold in lower case, as the note has it."""
    for name, value in json.loads(properties or "[]"):
        if name.lower().startswith("roam_refs") and (found := re.search(re.escape(key), str(value), re.IGNORECASE)):
            return found[0]
    return key


_READERS: MappingProxyType[Section, Callable[[sqlite3.Connection], Iterable[Named]]] = MappingProxyType(
    {"notes": _notes, "tags": _tags, "ids": _ids, "citations": _citations, "blocks": _blocks}
)
