"""What others are compared with, when it is asked what belongs to a note, a place in it, or a text.

Of a note all is compared that it says itself: what stands in many notes word for word - templates, footers - is left out. Of a
long note every section is read so far that together they are no more than can be read while somebody waits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from khoj_ls.core.types import Vector
from khoj_ls.search.context import SearchContext
from khoj_ls.search.types import RelatedRequest
from khoj_ls.search.words import phrase, words
from khoj_ls.store.chunks import ChunkRow, chunks_of_file
from khoj_ls.store.fts import SAID, display_title

_MOST_READ = 50_000
"""Characters of a note that are read."""
_MANY = 3
"""A section whose first words stand in more entries than this is a template's."""
_FIRST_WORDS = 12
_FEWEST_WORDS = 5
_SECTIONS_LOOKED_UP = 4
"""So many sections of a note, the longest, are looked up among all entries: short ones decide nothing."""


@dataclass(frozen=True)
class Origin:
    """What others are compared with."""

    file_id: int | None
    text: str
    name: str
    """Title of the note, or heading of the place."""
    vector: Vector | None
    reason: str | None = None
    """Why there is no vector."""


class _Section(NamedTuple):
    file_id: int
    path: str
    title: str | None
    level: int
    heading: str
    line: int
    end_line: int
    said: str
    """The beginning of what it says."""
    length: int
    """Of all that it says, in characters."""


def origin_of(connection: sqlite3.Connection, context: SearchContext, request: RelatedRequest) -> Origin | None:
    """What to compare; the vector of a text that was given is not made here. None when the note is not indexed."""
    if request.path is None:
        return Origin(None, request.text or "", "", None)
    row = connection.execute("SELECT id FROM file WHERE path = ?", (request.path,)).fetchone()
    file_id: int | None = row[0] if row else None
    sections = _asked(connection, file_id, request) if file_id is not None else []
    if not sections or file_id is None:
        return Origin(file_id, request.text, "", None) if request.text else None
    whole = request.line is None
    title = display_title(sections[0].path, sections[0].title)
    name = title if whole else sections[0].heading or title
    if request.text:
        return Origin(file_id, request.text, name, None)
    own = _without_templates(connection, sections) if whole else sections
    first = request.line or 1
    last = own[-1].end_line if whole else max(first, request.end_line or first)
    text = "\n".join(_lines(section, first, last) for section in own)
    spans = [(max(first, section.line), min(last, section.end_line)) for section in own]
    vector = _mean(context, _chunks(connection, context, file_id, spans))
    return Origin(file_id, text, name, vector, None if vector else context.reason or "the note is not embedded yet")


def _asked(connection: sqlite3.Connection, file_id: int, request: RelatedRequest) -> list[_Section]:
    """The sections that are asked about, in source order: all of the note where none holds the lines."""
    (number,) = connection.execute("SELECT count(*) FROM entry WHERE file_id = ?", (file_id,)).fetchone()
    select = (
        f"SELECT f.id, f.path, f.title, e.level, e.heading, e.line, e.end_line, substr({SAID}, 1, ?), length({SAID}) "
        "FROM file f JOIN entry e ON e.file_id = f.id WHERE f.id = ? {} ORDER BY e.ordinal"
    )
    if request.line is not None:
        here = (request.line, max(request.line, request.end_line or request.line))
        where = "AND e.end_line >= ? AND e.line <= ?"
        found = [_Section(*row) for row in connection.execute(select.format(where), (_MOST_READ, file_id, *here))]
        if found:
            return found
    rows = connection.execute(select.format(""), (max(1, _MOST_READ // max(1, number)), file_id))
    return [_Section(*row) for row in rows]


def _lines(section: _Section, first: int, last: int) -> str:
    """The heading, and the lines `first`..`last` as far as they are the section's."""
    if first <= section.line and section.end_line <= last:
        return f"{section.heading}\n{section.said}"
    lines = section.said.splitlines()
    return "\n".join([section.heading, *lines[max(0, first - section.line) : max(0, last - section.line) + 1]])


def _without_templates(connection: sqlite3.Connection, sections: Sequence[_Section]) -> Sequence[_Section]:
    """The sections that say something of their own; all of them where none does."""
    if len(sections) == 1:
        return sections
    longest = sorted(range(len(sections)), key=lambda at: -sections[at].length)[:_SECTIONS_LOOKED_UP]
    templates = {at for at in longest if _is_template(connection, sections[at])}
    return [section for at, section in enumerate(sections) if at not in templates] or sections


def _is_template(connection: sqlite3.Connection, section: _Section) -> bool:
    """Whether the first words of a section's own text stand in many entries."""
    own = section.said.partition("\n")[2] if section.level > 0 else section.said
    first = words(own[:400])[:_FIRST_WORDS]
    if len(first) < _FEWEST_WORDS:
        return False
    (found,) = connection.execute(
        "SELECT count(*) FROM (SELECT rowid FROM entry_fts WHERE entry_fts MATCH ? LIMIT ?)",
        (phrase(" ".join(first)), _MANY + 1),
    ).fetchone()
    return int(found) > _MANY


def _chunks(
    connection: sqlite3.Connection, context: SearchContext, file_id: int, spans: Sequence[tuple[int, int]]
) -> list[ChunkRow]:
    """The chunks that cover some lines, given as first and last ones; those of the whole note where none does."""
    if context.model is None:
        return []
    chunks = chunks_of_file(connection, context.model, file_id)
    # Both are in source order, so that the span to look at for a chunk is the first that does not end before it.
    found, at = [], 0
    for chunk in chunks:
        while at < len(spans) and spans[at][1] < chunk.span.line:
            at += 1
        if at < len(spans) and spans[at][0] <= chunk.span.end_line:
            found.append(chunk)
    return found or chunks


def _mean(context: SearchContext, chunks: Sequence[ChunkRow]) -> Vector | None:
    """The unit vector that points where most of the chunks' do."""
    import numpy as np

    hashes = list(dict.fromkeys(chunk.hash for chunk in chunks))
    vectors = context.index.vectors(hashes) if context.index is not None and hashes else {}
    if not vectors:
        return None
    mean = np.frombuffer(b"".join(vectors.values()), np.float32).reshape(len(vectors), -1).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return (mean / length).astype(np.float32).tobytes() if length > 0 else None
