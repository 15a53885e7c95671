"""The chunks of whole notes that have their vector, held in as little as they take: searches look at thousands of them."""

from __future__ import annotations

import json
import sqlite3
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from khoj_ls.core.types import Span
from khoj_ls.store.chunks import ActiveModel

_NUMBERS = 6
_ID, _TOKENS, _PLACE = range(3)
"""What stands where in the numbers of a chunk that are seldom asked for; from `_PLACE` on those of its span."""
_OFTEN = 3
"""So many numbers more does a chunk have, each in an array of its own: searches go through those of thousands."""
_OBJECT_BYTES = 900
"""What one note takes besides its numbers, and the vectors that stand for it."""


class WeighedVectors(NamedTuple):
    """Vectors that stand for a note together."""

    embeddings: Sequence[int]
    """Their ids, each once."""
    shares: Sequence[float]
    """How much each counts; 1 in all."""


class NoteChunks:
    """The chunks of a note that have a vector, in source order."""

    __slots__ = ("_entries", "_firsts", "_lasts", "_numbers", "about", "complete", "embeddings", "file_bytes", "file_id")

    def __init__(self, file_id: int) -> None:
        """Hold none yet."""
        self.file_id = file_id
        self.file_bytes = 0
        """Size of the note's file."""
        self.embeddings = array("q")
        """Of each chunk the id of its vector."""
        self._firsts, self._lasts = array("q"), array("q")
        """Of each chunk the ordinals of the first and the last entry that it covers: neither ever goes back."""
        self._numbers = array("q")
        self._entries = array("q")
        """Ids of the note's entries by their ordinal."""
        self.complete = True
        """Whether these are all chunks of the note."""
        self.about: WeighedVectors | None = None
        """What the whole note is about: kept by `search.notes`, which makes it once for all searches."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self.embeddings)

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return _OBJECT_BYTES + 8 * (len(self._numbers) + _OFTEN * len(self) + len(self._entries))

    def token_counts(self) -> Iterator[tuple[int, int]]:
        """Of each chunk the id of its vector and how many tokens it has."""
        yield from zip(self.embeddings, self._numbers[_TOKENS::_NUMBERS], strict=True)

    def places(self, embedding: int) -> Sequence[int]:
        """The places of those for which this vector stands: equal texts may stand in a note several times."""
        held = self.embeddings
        if held.count(embedding) == 1:  # as of most
            return [held.index(embedding)]
        return [place for place, each in enumerate(held) if each == embedding]

    def covered(self, place: int) -> Sequence[int]:
        """The ids of the entries that the chunk at `place` covers, in source order."""
        return self._entries[self._firsts[place] : self._lasts[place] + 1]

    def first(self, place: int) -> int:
        """The ordinal of the first entry that the chunk at `place` covers."""
        return self._firsts[place]

    def covers_any(self, place: int) -> bool:
        """Whether an entry that the chunk at `place` covers is there."""
        return self.first(place) < len(self._entries)

    def embedding(self, place: int) -> int:
        """The id of the vector of the chunk at `place`."""
        return self.embeddings[place]

    def id(self, place: int) -> int:
        """The id of the chunk at `place`."""
        return self._numbers[place * _NUMBERS + _ID]

    def span(self, place: int) -> Span:
        """Where in the file the chunk at `place` stands."""
        return Span(*self._numbers[place * _NUMBERS + _PLACE : (place + 1) * _NUMBERS])

    def covering(self, ordinal: int) -> range:
        """The places of those that cover the entry with this ordinal."""
        return range(bisect_left(self._lasts, ordinal), bisect_right(self._firsts, ordinal))

    def _add(self, embedding: int, first: int, last: int, numbers: Iterable[int]) -> None:
        self.embeddings.append(embedding)
        self._firsts.append(first)
        self._lasts.append(last)
        self._numbers.extend(numbers)

    def _cover(self, entry: int) -> None:
        self._entries.append(entry)


class HeldChunk(NamedTuple):
    """One chunk of a note, read out of the note's only where it is looked at: of most that are found nothing is."""

    note: NoteChunks
    place: int

    @property
    def id(self) -> int:
        """Of the chunk."""
        return self.note.id(self.place)

    @property
    def file_id(self) -> int:
        """Of its note."""
        return self.note.file_id

    @property
    def entry(self) -> int:
        """The ordinal of the first entry it covers."""
        return self.note.first(self.place)

    @property
    def covered(self) -> Sequence[int]:
        """The ids of the entries it covers, in source order; never none."""
        return self.note.covered(self.place)

    @property
    def span(self) -> Span:
        """Where in the file it stands."""
        return self.note.span(self.place)


HeldChunks = dict[int, list[HeldChunk]]
"""Chunks by the embedding that stands for them."""


def note_chunks(connection: sqlite3.Connection, model: ActiveModel, files: Iterable[int]) -> dict[int, NoteChunks]:
    """The chunks of notes, by file id; empty ones where a note has none."""
    found = {file_id: NoteChunks(file_id) for file_id in files}
    wanted = json.dumps(list(found))
    rows = connection.execute(
        "SELECT c.file_id, v.id, c.entry, c.last_entry, c.id, c.tokens, c.start_byte, c.end_byte, c.line, c.end_line "
        "FROM json_each(?) wanted CROSS JOIN chunk c ON c.file_id = wanted.value AND c.chunker_id = ? "
        "LEFT JOIN embedding v ON v.model_id = ? AND v.hash = c.hash ORDER BY c.file_id, c.ordinal",
        (wanted, model.chunker_id, model.id),
    )
    for file_id, embedding, first, last, *numbers in rows:
        if embedding is None:
            found[file_id].complete = False
        else:
            found[file_id]._add(embedding, first, last, numbers)
    for file_id, entry in _entries(connection, wanted):
        found[file_id]._cover(entry)
    sizes = connection.execute("SELECT id, size FROM file WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
    for file_id, size in sizes:
        found[file_id].file_bytes = size
    return found


def _entries(connection: sqlite3.Connection, wanted: str) -> Iterator[tuple[int, int]]:
    """(file, entry) of all entries of notes, in source order."""
    yield from connection.execute(
        "SELECT e.file_id, e.id FROM json_each(?) wanted CROSS JOIN entry e ON e.file_id = wanted.value "
        "ORDER BY e.file_id, e.ordinal",
        (wanted,),
    )
