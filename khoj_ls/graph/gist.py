"""What a paragraph is about, in time for a key press: the stored vector of its passage, else the model's if it is awake."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from khoj_ls.core.errors import KhojError
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Vector
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.search.chunk_cache import ChunkReader
from khoj_ls.search.context import SearchContext
from khoj_ls.search.dense import nearest_texts
from khoj_ls.search.privacy import may_embed
from khoj_ls.store.chunks import chunks_of_file
from khoj_ls.store.links import file_at

PATIENCE_SECONDS = 0.02
"""How long a completion waits for the model."""
_POOL = 150
_KEPT = 32
_FRESH_SECONDS = 2.0
_MOST_LINES = 12
_LEAST_WORDS = 4
"""A paragraph of fewer words is not worth a question to the model."""


@dataclass(frozen=True)
class _Key:
    path: str
    ordinal: int
    first: int


class Gists:
    """What the paragraphs that are written in are near to, kept for some seconds. Thread-safe; looks at one thing at a time."""

    def __init__(self) -> None:
        """Know nothing."""
        self._guard = threading.Lock()
        self._known: OrderedDict[_Key, tuple[float, dict[int, float]]] = OrderedDict()
        self._busy = False

    def near(self, context: SearchContext, note: OpenNote, offset: int, *, awake: bool) -> dict[int, float]:
        """How near other notes (by id in the index) are to the paragraph at `offset`, 0..1; none where that is not known yet.

        The model is asked only when it is `awake`. Nothing is waited for long: the next key finds what this one began.
        """
        if context.model is None or context.index is None:
            return {}
        key, text = _paragraph(note, offset)
        with self._guard:
            at, found = self._known.get(key, (-_FRESH_SECONDS, {}))
            if time.monotonic() - at < _FRESH_SECONDS or self._busy:
                return found
            self._busy = True
        done = threading.Event()
        work = (context, note, offset, key, text if awake else "", done)
        threading.Thread(target=self._look, args=work, name="khoj-gist", daemon=True).start()
        # What the paragraph was near to some words ago serves as well.
        if not found:
            done.wait(PATIENCE_SECONDS)
        with self._guard:
            return self._known.get(key, (0.0, found))[1]

    def _look(self, context: SearchContext, note: OpenNote, offset: int, key: _Key, text: str, done: threading.Event) -> None:
        try:
            found = _nearest(context, note, offset, text)
            with self._guard:
                self._known[key] = (time.monotonic(), found)
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        except KhojError:
            return  # names alone answer; whoever searches hears the reason
        finally:
            with self._guard:
                self._busy = False
            done.set()


def _nearest(context: SearchContext, note: OpenNote, offset: int, text: str) -> dict[int, float]:
    """Notes near to the stored vector of the passage, or to that of `text` where there is none."""
    assert context.model is not None and context.index is not None
    with context.database.read() as connection:
        known = file_at(connection, note.path)
        vector = _stored(connection, context, known[0], note, offset) if known else None
        sendable = vector is None and _may_embed(connection, context, note, offset)
    if sendable and context.embed_query is not None and (len(text.split()) >= _LEAST_WORDS or len(text) > 24):
        vector = (context.embed_passage or context.embed_query)(text)
    if vector is None:
        return {}
    found: dict[int, float] = {}
    with context.database.read() as connection:
        reader = context.chunks.of(connection, context.model)
        nearest = dict(nearest_texts(context.index.search, reader, vector, _POOL))
        for file_id, score in _homes(connection, context, reader, nearest):
            if known is None or file_id != known[0]:
                found[file_id] = max(found.get(file_id, 0.0), score)
    return found


def _homes(
    connection: sqlite3.Connection, context: SearchContext, reader: ChunkReader, nearest: Mapping[int, float]
) -> list[tuple[int, float]]:
    """The notes, by id, that hold the nearest passages, with how near these are; without passages that plugins take out."""
    if context.plugins_leave is None:
        return [(file_id, nearest[each]) for each, files in reader.homes(list(nearest)).items() for file_id in files]
    held = reader.of_embeddings(list(nearest)).items()
    places = [(each.file_id, each.covered[0], nearest[embedding]) for embedding, all_ in held for each in all_]
    scores: dict[int, float] = {}
    for _, entry, score in places:
        scores[entry] = max(score, scores.get(entry, 0.0))
    left = context.left(connection, scores)
    return [(file_id, score) for file_id, entry, score in places if entry in left]


def _may_embed(connection: sqlite3.Connection, context: SearchContext, note: OpenNote, offset: int) -> bool:
    """Whether neither the text, which may be newer, nor the index says that what stands at `offset` stays on this machine."""
    found = note.entry_at(offset) or (note.entry_at(offset - 1) if offset else None)
    if context.remote and (note.parsed.private or found is None or found[1].private):
        return False
    return may_embed(connection, context, note.path, note.source.count(b"\n", 0, offset) + 1)


def _stored(connection: sqlite3.Connection, context: SearchContext, file_id: int, note: OpenNote, offset: int) -> Vector | None:
    """The vector of the passage around `offset`, or of the nearest one of the note that has one."""
    assert context.model is not None and context.index is not None
    line = note.source.count(b"\n", 0, offset) + 1
    chunks = chunks_of_file(connection, context.model, file_id)
    near = sorted(chunks, key=lambda chunk: max(chunk.span.line - line, line - chunk.span.end_line, 0))[:4]
    vectors = context.index.vectors([chunk.hash for chunk in near]) if near else {}
    return next((vectors[chunk.hash] for chunk in near if chunk.hash in vectors), None)


def _paragraph(note: OpenNote, offset: int) -> tuple[_Key, str]:
    """The lines around `offset` up to blank ones, under their heading; the link that is being written left out."""
    found = note.entry_at(offset) or (note.entry_at(offset - 1) if offset else None)
    if found is None:
        return _Key(note.path, 0, 0), ""
    ordinal, entry = found
    lines = text_lines(entry.raw)
    at = note.source[entry.span.start : offset].count(b"\n")
    first = last = min(at, max(0, len(lines) - 1))
    while first > 0 and at - first < _MOST_LINES and lines[first - 1].strip():
        first -= 1
    while last + 1 < len(lines) and last - at < _MOST_LINES and lines[last + 1].strip():
        last += 1
    text = " ".join(" ".join(lines[first : last + 1]).replace("[[", " ").split())
    return _Key(note.path, ordinal, first), f"{entry.heading}\n{text}" if first > 0 and entry.heading else text
