"""The chunks of notes and what whole notes are judged by, remembered as long as they stay as they are.

Searches meet the same notes over and over: what is typed on finds much of what was found before. An edit changes one note: of
the others it costs a look whether they were cut again since.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from khoj_ls.store.chunks import ActiveModel, cuts, files_of_embeddings
from khoj_ls.store.database import Database, get_meta
from khoj_ls.store.note_chunks import HeldChunk, HeldChunks, NoteChunks, note_chunks

_MOST_BYTES = 40_000_000
_FILLED_BYTES = 30_000_000
"""So much is read ahead at most."""
_FILLED_AT_ONCE = 50
"""Notes: two milliseconds of reading, in which no search is answered."""


class _Read(NamedTuple):
    """A note as it was read."""

    note: NoteChunks
    cut: int | None
    """The revision of the index in which it was cut; None where it was not yet, or not every chunk had its vector."""
    true_in: str
    """A revision of which it is known to be true."""


class ChunkCache:
    """What was read of the notes. Thread-safe. Lives as long as its vault is open."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._known: tuple[ActiveModel, _Known] | None = None

    def of(self, connection: sqlite3.Connection, model: ActiveModel) -> ChunkReader:
        """The chunks of `model`, in the state that `connection` reads."""
        with self._lock:
            if self._known is None or self._known[0] != model or self._known[1].bytes > _MOST_BYTES:
                self._known = (model, _Known())
            return ChunkReader(connection, model, get_meta(connection, "revision"), self._known[1])

    def fill(self, database: Database, model: ActiveModel, over: Callable[[], bool]) -> None:
        """Read ahead what searches will ask for, until that is all, enough, or `over`: some 6 ms for a thousand chunks.

        Raises StoreError.
        """
        with database.read() as connection:
            files = [
                row[0] for row in connection.execute("SELECT id FROM file WHERE status = 'indexed' ORDER BY mtime_ns DESC")
            ]
        for start in range(0, len(files), _FILLED_AT_ONCE):
            with database.read() as connection:
                self.of(connection, model).of_notes(files[start : start + _FILLED_AT_ONCE])
            known = self._known
            if over() or known is None or known[0] != model or known[1].bytes > _FILLED_BYTES:
                return


class _Known:
    """What was read, by readers of whichever revision."""

    def __init__(self) -> None:
        self.notes: dict[int, _Read] = {}
        self.homes: tuple[str, dict[int, tuple[int, ...]]] = ("", {})
        """The notes in which the texts of an embedding stand, in one revision: any edit may add one."""
        self.bytes = 0
        """About how many it takes: threads may count at once."""


class ChunkReader:
    """The chunks of one revision of the index, read where they are not known yet."""

    def __init__(self, connection: sqlite3.Connection, model: ActiveModel, revision: str, known: _Known) -> None:
        """`connection` reads `revision`."""
        self._connection = connection
        self._model = model
        self._revision = revision
        self._known = known

    def of_notes(self, files: Iterable[int]) -> dict[int, NoteChunks]:
        """Those of notes, by file id."""
        notes, revision = self._known.notes, self._revision
        # What is held is taken once: a reader of another revision may put its own in its place at any time.
        held = {file_id: notes.get(file_id) for file_id in files}
        doubtful = [file_id for file_id, read in held.items() if read is None or read.true_in != revision]
        if not doubtful:
            return {file_id: read.note for file_id, read in held.items() if read is not None}
        cut = cuts(self._connection, self._model, doubtful)
        new = []
        for file_id in doubtful:
            read = held[file_id]
            if read is None or read.cut is None or read.cut != cut.get(file_id):
                new.append(file_id)
            else:
                held[file_id] = notes[file_id] = _Read(read.note, read.cut, revision)
        for file_id, note in note_chunks(self._connection, self._model, new).items():
            before = held[file_id]
            held[file_id] = notes[file_id] = _Read(note, cut.get(file_id) if note.complete else None, revision)
            self._known.bytes += note.size - (before.note.size if before else 0)
        return {file_id: read.note for file_id, read in held.items() if read is not None}

    def of_entries(self, entries: Iterable[tuple[int, int]]) -> HeldChunks:
        """Those that cover entries, each given by its file id and its ordinal."""
        wanted = list(entries)
        notes = self.of_notes({file_id for file_id, _ in wanted})
        places = {(file_id, place) for file_id, ordinal in wanted for place in notes[file_id].covering(ordinal)}
        return _by_embedding((notes[file_id].embedding(place), notes[file_id], place) for file_id, place in sorted(places))

    def homes(self, embeddings: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """The notes, as file ids, that hold a text for which each of these vectors stands."""
        revision, files = self._known.homes
        if revision != self._revision:
            files = {}
            self._known.homes = (self._revision, files)
        new = [embedding for embedding in embeddings if embedding not in files]
        if new:
            held: dict[int, list[int]] = {embedding: [] for embedding in new}
            for embedding, file_id in files_of_embeddings(self._connection, self._model, new):
                held[embedding].append(file_id)
            files.update((embedding, tuple(sorted(found))) for embedding, found in held.items())
        return {embedding: files[embedding] for embedding in embeddings}

    def places_of(self, ids: Sequence[int]) -> Iterator[tuple[int, NoteChunks, int]]:
        """Where the texts stand that vectors stand for: (embedding, note, place in it), in the order of the `ids`."""
        homes = self.homes(ids)
        notes = self.of_notes({file_id for held in homes.values() for file_id in held})
        for embedding, held in homes.items():
            for file_id in held:
                note = notes[file_id]
                for place in note.places(embedding):
                    yield embedding, note, place

    def of_embeddings(self, ids: Sequence[int]) -> HeldChunks:
        """The chunks that vectors stand for, by embedding: several where equal texts stand in several places."""
        return _by_embedding(self.places_of(ids))


def _by_embedding(places: Iterable[tuple[int, NoteChunks, int]]) -> HeldChunks:
    found: HeldChunks = {}
    for embedding, note, place in places:
        if note.covers_any(place):
            found.setdefault(embedding, []).append(HeldChunk(note, place))
    return found
