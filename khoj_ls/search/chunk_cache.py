"""The chunks of notes and what whole notes are judged by, remembered while the index is as it was.

Searches meet the same notes over and over: what is typed on finds much of what was found before.
"""

from __future__ import annotations

import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from khoj_ls.store.chunks import (
    ActiveModel,
    ChunkPlace,
    EmbeddedChunk,
    EmbeddedChunks,
    chunk_places,
    chunks_of_places,
    files_of_embeddings,
)
from khoj_ls.store.database import get_meta

_MOST_KEPT = 20_000
"""Chunks; each takes some 250 bytes, and one of which all was read 600 more."""
_CHUNKS_READ = 8
"""A note's meaning is the mean of at most this many of its chunks, evenly spread, and of those at its beginning."""
_HEAD_TOKENS = 256
"""The beginning of a note says most often what it is about."""


@dataclass(frozen=True)
class NoteChunks:
    """The chunks of a note that have a vector."""

    chunks: tuple[ChunkPlace, ...]
    """In source order."""
    spread: tuple[int, ...]
    """Embeddings of some of them, evenly spread over the note."""
    head: tuple[tuple[int, int], ...]
    """Embeddings of those that the note begins with, each with how many of its tokens count."""


class ChunkCache:
    """What was read of the newest state seen. Thread-safe. Lives as long as its vault is open."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._newest: tuple[tuple[str, ActiveModel], _Known] | None = None

    def of(self, connection: sqlite3.Connection, model: ActiveModel) -> ChunkReader:
        """The chunks of `model`, in the state that `connection` reads."""
        state = (get_meta(connection, "revision"), model)
        with self._lock:
            if self._newest is None or self._newest[0] != state or self._newest[1].chunks > _MOST_KEPT:
                self._newest = (state, _Known())
            return ChunkReader(connection, model, self._newest[1])


class _Known:
    """What was read of one state. It only grows, by what any reader of that state would have read."""

    def __init__(self) -> None:
        self.notes: dict[int, NoteChunks] = {}
        self.whole: dict[int, EmbeddedChunk] = {}
        """Those of which more was asked, by their id."""
        self.files: dict[int, tuple[int, ...]] = {}
        """The notes in which the texts of an embedding stand."""
        self.chunks = 0
        """About how many: threads may count at once."""


class ChunkReader:
    """The chunks of one state of the index, read where they are not known yet."""

    def __init__(self, connection: sqlite3.Connection, model: ActiveModel, known: _Known) -> None:
        """`known` is of the state that `connection` reads."""
        self._connection = connection
        self._model = model
        self._known = known

    def of_notes(self, files: Iterable[int]) -> dict[int, NoteChunks]:
        """Those of notes, by file id."""
        wanted = list(files)
        notes = self._known.notes
        new = [file_id for file_id in wanted if file_id not in notes]
        if new:
            for file_id, chunks in chunk_places(self._connection, self._model, new).items():
                notes[file_id] = _note_chunks(chunks)
                self._known.chunks += 1 + len(chunks)
        return {file_id: notes[file_id] for file_id in wanted}

    def of_entries(self, entries: Iterable[tuple[int, int]]) -> EmbeddedChunks:
        """Those that cover entries, each given by its file id and its ordinal."""
        wanted = list(entries)
        notes = self.of_notes({file_id for file_id, _ in wanted})
        return self._whole([place for file_id, ordinal in wanted for place in _covering(notes[file_id].chunks, ordinal)])

    def homes(self, embeddings: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """The notes, as file ids, that hold a text for which each of these vectors stands."""
        files = self._known.files
        new = [embedding for embedding in embeddings if embedding not in files]
        if new:
            held: dict[int, list[int]] = {embedding: [] for embedding in new}
            for embedding, file_id in files_of_embeddings(self._connection, self._model, new):
                held[embedding].append(file_id)
            files.update((embedding, tuple(sorted(found))) for embedding, found in held.items())
        return {embedding: files[embedding] for embedding in embeddings}

    def of_embeddings(self, ids: Sequence[int]) -> EmbeddedChunks:
        """Those that vectors stand for, by embedding: several where equal texts stand in several places."""
        notes = self.of_notes(sorted({file_id for held in self.homes(ids).values() for file_id in held}))
        wanted = set(ids)
        return self._whole([place for note in notes.values() for place in note.chunks if place.embedding in wanted])

    def _whole(self, places: Iterable[ChunkPlace]) -> EmbeddedChunks:
        known, each = self._known.whole, {place.id: place for place in places}
        new = [place for place in each.values() if place.id not in known]
        if new:
            known.update((held.chunk.id, held) for held in chunks_of_places(self._connection, self._model, new))
        found: EmbeddedChunks = {}
        for place in each.values():
            if held := known.get(place.id):  # not where it covers nothing that is there
                found.setdefault(place.embedding, []).append(held)
        return found


def _covering(chunks: Sequence[ChunkPlace], ordinal: int) -> Iterator[ChunkPlace]:
    """Those of a note's chunks that cover the entry with this ordinal: neither end of what chunks cover ever goes back."""
    for place in range(bisect_left(chunks, ordinal, key=attrgetter("last")), len(chunks)):
        if chunks[place].first > ordinal:
            return
        yield chunks[place]


def _note_chunks(chunks: Sequence[ChunkPlace]) -> NoteChunks:
    spread = tuple(held.embedding for held in chunks[:: -(-len(chunks) // _CHUNKS_READ) or 1])
    head = []
    left = _HEAD_TOKENS
    for held in chunks:
        if left <= 0:
            break
        head.append((held.embedding, max(1, min(held.tokens, left))))
        left -= held.tokens
    return NoteChunks(tuple(chunks), spread, tuple(head))
