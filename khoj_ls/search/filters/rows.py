"""Sets of row ids as masks: what SQLite can test row by row, however many rows they hold.

A set of 100,000 entries handed to SQLite as a list is parsed and sorted again at every question, which takes longer than the
question. A mask of one byte a row is handed over in microseconds, and SQLite looks a row up in it in nanoseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cached_property
from itertools import compress, count

IN_MASK = "substr(?, {} + 1, 1) = x'01'"
"""SQL that holds for the rows of a set: format it with the row id, bind the set's `mask`."""


class RowSet(Set[int]):
    """A frozen set of row ids."""

    def __init__(self, mask: bytes) -> None:
        """Hold the rows at whose place in `mask` is a 1; any other byte must be 0."""
        self.mask = mask

    @classmethod
    def of(cls, ids: Iterable[int]) -> RowSet:
        """The set of `ids`."""
        listed = ids if isinstance(ids, list) else list(ids)
        mask = bytearray(max(listed, default=-1) + 1)
        for row in listed:
            mask[row] = 1
        return cls(bytes(mask))

    @classmethod
    def _from_iterable(cls, it: Iterable[int]) -> RowSet:  # type: ignore[override]  # of ints alone
        return cls.of(it)

    @cached_property
    def _size(self) -> int:
        return self.mask.count(1)

    def __len__(self) -> int:
        return self._size

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and 0 <= row < len(self.mask) and self.mask[row] == 1

    def __iter__(self) -> Iterator[int]:
        return compress(count(), self.mask)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RowSet):
            return self.mask.rstrip(b"\0") == other.mask.rstrip(b"\0")
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(self.mask.rstrip(b"\0"))

    def both(self, other: RowSet) -> RowSet:
        """Rows that are in both."""
        return _combined(int.__and__, self, other)

    def either(self, other: RowSet) -> RowSet:
        """Rows that are in one or both."""
        return _combined(int.__or__, self, other)

    def without(self, other: RowSet) -> RowSet:
        """Rows that are not in `other`."""
        return _combined(lambda own, others: own & ~others, self, other)


NO_ROWS = RowSet(b"")


def rows_of(connection: sqlite3.Connection, sql: str, parameters: tuple[object, ...] | Mapping[str, object] = ()) -> RowSet:
    """The rows whose ids a question selects."""
    return RowSet.of([row[0] for row in connection.execute(sql, parameters).fetchall()])


def _combined(operator: object, first: RowSet, second: RowSet) -> RowSet:
    size = max(len(first.mask), len(second.mask))
    # As numbers, masks of a million rows are combined in microseconds.
    value = operator(int.from_bytes(first.mask, "little"), int.from_bytes(second.mask, "little"))  # type: ignore[operator]  # of two numbers
    return RowSet(value.to_bytes(size, "little"))
