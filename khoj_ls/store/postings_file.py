"""Postings in a file beside the database: of most of it only what a question asks for is read.

A cache: what is torn, foreign or of another version is left, and read from the database anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import weakref
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from khoj_ls.core.errors import StoreError
from khoj_ls.store import fts
from khoj_ls.store.postings import Postings, WordTable, hit_type

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VERSION = 1
_ALIGNED = 64
_FIELDS = tuple(field.name for field in fields(Postings))


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


def save_postings(path: Path, held: Mapping[WordTable, Postings], more: Mapping[str, NDArray[Any]]) -> None:
    """Write postings that are in memory and `more` arrays, all or nothing. Raises OSError."""
    import numpy as np

    named = {f"{table.name}.{name}": getattr(postings, name) for table, postings in held.items() for name in _FIELDS}
    places: dict[str, tuple[str, int, int]] = {}
    checksum = 0
    with _replacing(path) as stream:
        for name, array in (named | dict(more)).items():
            start = stream.tell() + -stream.tell() % _ALIGNED
            places[name] = array.dtype.str, len(array), start
            for piece in (bytes(start - stream.tell()), np.ascontiguousarray(array).view(np.uint8).data if len(array) else b""):
                checksum = zlib.crc32(piece, checksum)
                stream.write(piece)
    with _replacing(_state_path(path)) as stream:
        stream.write(json.dumps({"made_by": _made_by(list(held)), "checksum": checksum, "arrays": places}).encode())


def load_postings(path: Path, tables: Sequence[WordTable]) -> tuple[dict[WordTable, Postings], dict[str, NDArray[Any]]] | None:
    """What was saved of these tables, and the other arrays; None where there is none that is whole and of today's making."""
    try:
        state = json.loads(_state_path(path).read_text())
        if state["made_by"] != _made_by(tables) or state["checksum"] != _checksum(path):
            return None
        places = state["arrays"]
        hits = {f"{table.name}.hits": table for table in tables}
        found: dict[str, Any] = {name: _array(path, *place) for name, place in places.items() if name not in hits}
        found |= {name: _OnDisk(path, hit_type(table), places[name][2]) for name, table in hits.items()}
        postings = {table: Postings(*(found.pop(f"{table.name}.{name}") for name in _FIELDS)) for table in tables}
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
    with scratch.open("wb") as stream:
        yield stream
    scratch.replace(path)


def _checksum(path: Path) -> int:
    value = 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            value = zlib.crc32(block, value)
    return value
