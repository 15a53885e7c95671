"""Postings in a file beside the database: of most of it only what a question asks for is read.

A cache: what is torn, foreign or of another version is left, and read from the database anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from khoj_ls.core.errors import StoreError
from khoj_ls.store import fts
from khoj_ls.store.checksum import checksum
from khoj_ls.store.postings import Postings, WordTable, hit_type, read_postings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VERSION = 1
_ALIGNED = 64
_ARRAYS = tuple(field.name for field in fields(Postings) if field.name != "hits")


class _OnDisk:
    """Hits in a file, read slice by slice. Mapped into memory they would count as the process's own. Thread-safe."""

    def __init__(self, path: Path, kind: np.dtype[Any], start: int) -> None:
        """Hold the file open: another may take its place under its name. Raises OSError."""
        self._kind = kind
        self._start = start
        self._lock = threading.Lock()
        self._stream = path.open("rb", buffering=0)
        weakref.finalize(self, self._stream.close)

    def __getitem__(self, where: slice, /) -> NDArray[Any]:
        """Some of them. Raises OSError, and StoreError where the file was cut off."""
        import numpy as np

        found = np.empty(max(0, where.stop - where.start), self._kind)
        left = memoryview(found).cast("B") if len(found) else memoryview(b"")
        with self._lock:
            self._stream.seek(self._start + where.start * self._kind.itemsize)
            while len(left):
                if not (read := self._stream.readinto(left)):
                    raise StoreError(f"{self._stream.name} was cut off: delete it and start khoj-ls again, it is made anew")
                left = left[read:]
        return found


class _Writer:
    """Arrays one behind the other in a stream, and where each of them is."""

    def __init__(self, stream: BinaryIO) -> None:
        """Begin with none."""
        self._stream = stream
        self.checksum = 0
        self.places: dict[str, tuple[str, int, int]] = {}
        """Type, length and first byte."""

    def begin(self, name: str, kind: str = "", count: int = 0) -> None:
        """What is written next is an array of this name."""
        self._put(bytes(-self._stream.tell() % _ALIGNED))
        self.places[name] = kind, count, self._stream.tell()

    def write(self, array: NDArray[Any]) -> None:
        """The array, or a piece of it."""
        self._put(array.tobytes())

    def _put(self, piece: bytes) -> None:
        self.checksum = zlib.crc32(piece, self.checksum)
        self._stream.write(piece)


def save_postings(
    path: Path,
    connection: sqlite3.Connection,
    tables: Sequence[WordTable],
    more: Mapping[str, NDArray[Any]],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write the postings of word indexes, in the state that `connection` reads, and `more` arrays, all or nothing.

    Calls `check` as `read_postings` does. Raises OSError.
    """
    with _replacing(path) as stream:
        writer = _Writer(stream)
        for table in tables:
            writer.begin(f"{table.name}.hits")
            postings = read_postings(connection, table, check, writer.write)
            for name in _ARRAYS:
                _write(writer, f"{table.name}.{name}", getattr(postings, name))
        for name, array in more.items():
            _write(writer, name, array)
    with _replacing(_state_path(path)) as stream:
        state = {"made_by": _made_by(tables), "checksum": writer.checksum, "arrays": writer.places}
        stream.write(json.dumps(state).encode())


def _write(writer: _Writer, name: str, array: NDArray[Any]) -> None:
    writer.begin(name, array.dtype.str, len(array))
    writer.write(array)


def load_postings(path: Path, tables: Sequence[WordTable]) -> tuple[dict[WordTable, Postings], dict[str, NDArray[Any]]] | None:
    """What was saved of these tables, and the other arrays; None where there is none that is whole and of today's making."""
    try:
        state = json.loads(_state_path(path).read_text())
        if state["made_by"] != _made_by(tables) or state["checksum"] != checksum(path):
            return None
        places = state["arrays"]
        hits = {table: _OnDisk(path, hit_type(table), places.pop(f"{table.name}.hits")[2]) for table in tables}
        found = {name: _array(path, *place) for name, place in places.items()}
        postings = {
            table: Postings(hits=hits[table], **{name: found.pop(f"{table.name}.{name}") for name in _ARRAYS})
            for table in tables
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None  # the database has everything
    return postings, found


def _array(path: Path, kind: str, count: int, start: int) -> NDArray[Any]:
    import numpy as np

    return np.fromfile(path, np.dtype(kind), count=count, offset=start)


def _made_by(tables: Sequence[WordTable]) -> str:
    return repr((_VERSION, fts.WORDS_VERSION, *tables))


def _state_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream of what takes the place of a file once all of it is written."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with scratch.open("wb") as stream:
            yield stream
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
