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

_COLUMNS = 9
_EMBEDDING, _ID, _FIRST, _LAST, _TOKENS, _PLACE = range(6)
"""What stands where in the numbers of a chunk; from `_PLACE` on those of its span."""
_OBJECT_BYTES = 650
"""What one note takes besides its numbers, and the vectors that stand for it."""


class WeighedVectors(NamedTuple):
    """Vectors that stand for a note together."""

    embeddings: Sequence[int]
    """Their ids, each once."""
    shares: Sequence[float]
    """How much each counts; 1 in all."""


class NoteChunks:
    """The chunks of a note that have a vector, in source order."""

    __slots__ = ("_entries", "_numbers", "about", "complete", "file_bytes", "file_id")

    def __init__(self, file_id: int) -> None:
        """Hold none yet."""
        self.file_id = file_id
        self.file_bytes = 0
        """Size of the note's file."""
        self._numbers = array("q")
        self._entries = array("q")
        """Ids of the note's entries by their ordinal."""
        self.complete = True
        """Whether these are all chunks of the note."""
        self.about: WeighedVectors | None = None
        """What the whole note is about: kept by `search.notes`, which makes it once for all searches."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._numbers) // _COLUMNS

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return _OBJECT_BYTES + 8 * (len(self._numbers) + len(self._entries))

    @property
    def embeddings(self) -> Sequence[int]:
        """Of each chunk the id of its vector."""
        return self._numbers[_EMBEDDING::_COLUMNS]

    def token_counts(self) -> Iterator[tuple[int, int]]:
        """Of each chunk the id of its vector and how many tokens it has."""
        for start in range(0, len(self._numbers), _COLUMNS):
            yield self._numbers[start + _EMBEDDING], self._numbers[start + _TOKENS]

    def places(self, embedding: int) -> Sequence[int]:
        """The places of those for which this vector stands: equal texts may stand in a note several times."""
        return [place for place, each in enumerate(self.embeddings) if each == embedding]

    def covered(self, place: int) -> Sequence[int]:
        """The ids of the entries that the chunk at `place` covers, in source order."""
        first, last = self._numbers[place * _COLUMNS + _FIRST], self._numbers[place * _COLUMNS + _LAST]
        return self._entries[first : last + 1]

    def first(self, place: int) -> int:
        """The ordinal of the first entry that the chunk at `place` covers."""
        return self._numbers[place * _COLUMNS + _FIRST]

    def covers_any(self, place: int) -> bool:
        """Whether an entry that the chunk at `place` covers is there."""
        return self.first(place) < len(self._entries)

    def embedding(self, place: int) -> int:
        """The id of the vector of the chunk at `place`."""
        return self._numbers[place * _COLUMNS + _EMBEDDING]

    def id(self, place: int) -> int:
        """The id of the chunk at `place`."""
        return self._numbers[place * _COLUMNS + _ID]

    def span(self, place: int) -> Span:
        """Where in the file the chunk at `place` stands."""
        return Span(*self._numbers[place * _COLUMNS + _PLACE : (place + 1) * _COLUMNS])

    def covering(self, ordinal: int) -> range:
        """The places of those that cover the entry with this ordinal: neither end of what chunks cover ever goes back."""
        lasts, firsts = self._numbers[_LAST::_COLUMNS], self._numbers[_FIRST::_COLUMNS]
        return range(bisect_left(lasts, ordinal), bisect_right(firsts, ordinal))

    def _add(self, numbers: Iterable[int]) -> None:
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
        "SELECT c.file_id, v.id, c.id, c.entry, c.last_entry, c.tokens, c.start_byte, c.end_byte, c.line, c.end_line "
        "FROM json_each(?) wanted CROSS JOIN chunk c ON c.file_id = wanted.value AND c.chunker_id = ? "
        "LEFT JOIN embedding v ON v.model_id = ? AND v.hash = c.hash ORDER BY c.file_id, c.ordinal",
        (wanted, model.chunker_id, model.id),
    )
    for file_id, *numbers in rows:
        if numbers[_EMBEDDING] is None:
            found[file_id].complete = False
        else:
            found[file_id]._add(numbers)
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
