"""What differs between the files on disk and the files the store knows. Pure: compares stats, reads nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from khoj_ls.core.types import GIVEN_UP
from khoj_ls.store.files import FileRow, FileStat

RACY_NS = 20_000_000
"""A file changed this short a time before it was read may change again without its time stamps moving: kernels stamp files
with the time of the last clock tick."""

REST_SECONDS = 24 * 3600.0
"""How long a file is left alone that took too much time or memory: what hangs costs a minute a day, and what was but slow on a
bad day is read on a better one."""

_COARSE_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Changes:
    """Paths that must be looked at, in the order in which they should be."""

    removed: list[str]
    """No longer there, and no new file has their size: they were not moved."""
    present: list[str]
    """New or changed, the most recently changed first."""
    vanished: list[str]
    """No longer there, but perhaps moved: the new files are looked at first, and tell by their content."""

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.removed or self.present or self.vanished)


def diff(
    found: Iterable[FileStat],
    rows: Mapping[str, FileRow],
    *,
    max_file_bytes: int,
    unknown: tuple[str, ...] = (),
    open_paths: AbstractSet[str] = frozenset(),
    everything: bool = False,
    private: AbstractSet[str] = frozenset(),
    reader: Callable[[str], str] = lambda _: "",
    now: float = 0.0,
) -> Changes:
    """Compare what a scan found with the rows of the same part of the vault.

    Rows in `unknown` folders are kept; the buffers in `open_paths` stand for their files and are left alone, unless a rule made
    them private or no longer does (`private` holds those that one makes); with `everything` unchanged files are looked at too.
    `reader` names what would read a path. `now` is `time.time()`.
    """
    present: list[FileStat] = []
    seen: set[str] = set()
    sizes: set[int] = set()
    for stat in found:
        seen.add(stat.path)
        row = rows.get(stat.path)
        if row is None:
            sizes.add(stat.size)
        elif not everything and is_unchanged(
            row, stat, max_file_bytes, private=stat.path in private, reader=reader(stat.path), now=now
        ):
            continue
        if stat.path not in open_paths or (row is not None and row.private != (stat.path in private)):
            present.append(stat)
    gone = [row for path, row in rows.items() if path not in seen and path not in open_paths and not path.startswith(unknown)]
    present.sort(key=lambda stat: -stat.mtime_ns)
    return Changes(
        removed=[row.stat.path for row in gone if row.stat.size not in sizes],
        present=[stat.path for stat in present],
        vanished=[row.stat.path for row in gone if row.stat.size in sizes],
    )


def is_unchanged(row: FileRow, stat: FileStat, max_file_bytes: int, *, private: bool, reader: str, now: float) -> bool:
    """Whether the file need not be read: its stat is the stored one, and it is judged as it was before.

    `private`: whether a rule makes it private; `reader`: what would read it; `now`: `time.time()`.
    """
    if row.stat != stat or row.origin != "disk" or not judged_alike(row, private=private, reader=reader, now=now):
        return False
    # Of a file that was not read for its size nothing is known; others hold parts that are too large.
    refused = not row.content_hash and any(problem.code == "too-large" for problem in row.problems)
    return refused == (stat.size > max_file_bytes)


def judged_alike(row: FileRow, *, private: bool, reader: str, now: float) -> bool:
    """Whether the same content would come to what is stored: rules and what reads it are the same, and it was not given up."""
    has_rested = not 0 <= now - row.indexed_at <= REST_SECONDS
    if has_rested and any(problem.code == GIVEN_UP for problem in row.problems):
        return False
    return row.private == private and row.reader in ("", reader)


def is_racy(stat: FileStat, now_ns: int) -> bool:
    """Whether the file may have changed after it was read at `now_ns` without its stat showing it."""
    latest = max(stat.ctime_ns, stat.mtime_ns if stat.mtime_ns <= now_ns else 0)
    # Whole seconds: a file system that keeps no finer time (FAT keeps every second one).
    window = _COARSE_NS if latest % _SECOND_NS == 0 else RACY_NS
    return now_ns - latest < window
