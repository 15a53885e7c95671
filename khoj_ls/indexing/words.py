"""The word path: from a changed path to entries, words, links and anchors in the store."""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from khoj_ls.core.errors import StoreError
from khoj_ls.core.types import GIVEN_UP, ParsedFile, Problem
from khoj_ls.indexing.changes import is_unchanged, judged_alike
from khoj_ls.indexing.ignore import BINARY, IGNORE_FILES, NAMED, Decision, IgnoreRules, Scope, is_binary, too_large, unreadable
from khoj_ls.indexing.messages import Answer, Parse
from khoj_ls.indexing.overlay import Buffer, Overlays
from khoj_ls.indexing.parsers import Job
from khoj_ls.indexing.queue import Change, ChangeQueue, Depth, Lane
from khoj_ls.indexing.reading import Source, Unsettled, read_source
from khoj_ls.indexing.root import RootGone, root_identity
from khoj_ls.indexing.scan import stat_of
from khoj_ls.indexing.storing import Storing, moving, removing, replacing, touching
from khoj_ls.indexing.tools import FileTypes
from khoj_ls.indexing.types import Tally
from khoj_ls.store.database import Database
from khoj_ls.store.files import (
    FileRow,
    FileStat,
    Origin,
    content_hash,
    file_rows,
)
from khoj_ls.store.questions import files_with_content, paths_under

log = logging.getLogger(__name__)

_TAKE = 16
_MOST_BYTES = 32_000_000
_MOST_EFFECTS = 256
_MOST_SLOW = 16
_AGAIN_SECONDS = 0.1
_RACY_SECONDS = 0.05
_LONGEST_TAKE = 0.1


@dataclass(frozen=True)
class Reading:
    """What is remembered of a file while a worker parses it."""

    change: Change
    stat: FileStat
    digest: bytes
    origin: Origin
    size: int
    slow: bool = False
    """Whether it may take long."""


class WordPath:
    """Looks at changed paths, has them parsed, and hands the outcome to `Storing`. For the writer thread only."""

    def __init__(
        self,
        database: Database,
        rules: IgnoreRules,
        types: FileTypes,
        queue: ChangeQueue,
        overlays: Overlays,
        storing: Storing,
        submit: Callable[[Job[Reading]], None],
        tally: Tally,
    ) -> None:
        """Take changes from `queue`, send what must be parsed to `submit`, put what must be written into `storing`."""
        self._database = database
        self._rules = rules
        self._types = types
        self._queue = queue
        self._overlays = overlays
        self._storing = storing
        self._submit = submit
        self._tally = tally
        self._parsing: dict[str, Reading] = {}
        self._bytes = 0
        self._slow = 0
        self.root_identity = ""
        """Identity of the vault's folder when it was last seen to hold its notes; empty while it is offline."""

    @property
    def parsing(self) -> int:
        """How many files are with the workers."""
        return len(self._parsing)

    @property
    def slow(self) -> int:
        """How many of them may take long."""
        return self._slow

    def take(self, width: int, slow_width: int) -> bool:
        """Look at changes until `width` files are being parsed, and beside them `slow_width` that may take long.

        True when there were any. Raises RootGone, StoreError.
        """
        moved = False
        begun = time.monotonic()
        if self._slow:
            self._queue.put_off([path for path, reading in self._parsing.items() if reading.slow])
        while self.parsing - self._slow < width and len(self._storing) < _MOST_EFFECTS and self._bytes < _MOST_BYTES:
            if time.monotonic() - begun > _LONGEST_TAKE:
                break
            last = max(0, slow_width - self._slow)
            changes = self._queue.take(_TAKE, self._parsing.keys() | self._storing.paths, last=last)
            if not changes:
                break
            moved = True
            self._tally.looked += len(changes)
            try:
                self._look_at(changes)
            except (StoreError, RootGone):
                for change in changes:
                    self._queue.put([change.path], change.lane, depth=change.depth)
                raise
        return moved

    def parsed(self, job: Job[Reading], answer: Answer) -> None:
        """Take in what came of a file."""
        reading = job.owner
        path = reading.change.path
        self._forget_job(path)
        self._tally.parsed += 1
        parsed = answer.parsed or self._failed(path, GIVEN_UP, answer.error or "the content processor gave no answer")
        self._replace(reading, parsed)

    def withdrawn(self, job: Job[Reading]) -> None:
        """Put a file back that no worker has begun."""
        change = job.owner.change
        self._forget_job(change.path)
        self._queue.put([change.path], change.lane, depth=max(change.depth, Depth.READ))

    def _forget_job(self, path: str) -> None:
        reading = self._parsing.pop(path, None)
        if reading and reading.slow:
            self._slow -= 1
        elif reading:
            self._bytes -= reading.size

    def _look_at(self, changes: list[Change]) -> None:
        with self._database.read() as connection:
            rows = file_rows(connection, [change.path for change in changes])
        known: dict[str, Scope | Decision] = {}
        looks = [(change, _lstat(self._rules, change.path)) for change in changes]
        # What is there comes first: it may be what the missing ones have become.
        looks.sort(key=lambda look: look[1] is None)
        for change, found in looks:
            self._look_once(change, rows.get(change.path), found, known)

    def _look_once(
        self, change: Change, row: FileRow | None, found: os.stat_result | OSError | None, known: dict[str, Scope | Decision]
    ) -> None:
        if change.path in self._storing.paths:
            # A file looked at just before was found to be this one, moved: see what is left when that is written.
            self._queue.put([change.path], change.lane, depth=change.depth)
            return
        try:
            self._look(change, row, found, known)
        except (StoreError, RootGone):
            raise
        except (Unsettled, FileNotFoundError):
            self._queue.put([change.path], change.lane, delay=_AGAIN_SECONDS, depth=change.depth)
        except Exception as error:
            log.warning("looking at %r failed", change.path, exc_info=True)
            self._storing.refused[change.path] = f"it cannot be looked at ({type(error).__name__}: {error})"

    def _look(
        self, change: Change, row: FileRow | None, found: os.stat_result | OSError | None, known: dict[str, Scope | Decision]
    ) -> None:
        path = change.path
        folder, _, name = path.rpartition("/")
        if name in IGNORE_FILES:
            self._queue.rescan(folder)
            return
        decision = self._rules.by_name(path, known)
        if decision is not None:
            if decision.code == "unsupported":
                self._folder(path, found)
            self._remove(change, row)
            return
        change = replace(change, private=self._rules.is_private(path, known))
        if isinstance(found, os.stat_result) and not stat.S_ISREG(found.st_mode):
            self._folder(path, found)
            self._no_file(change, row, found)
        elif buffer := self._overlays.get(path):
            self._buffer(change, row, buffer, found)
        elif isinstance(found, OSError):
            self._fail(change, row, FileStat(path, 0, 0, 0, 0), unreadable(found))
        elif found is None:
            self._folder(path, found)
            self._gone(change, row)
        else:
            self._disk(change, row, found)

    def _folder(self, path: str, found: os.stat_result | OSError | None) -> None:
        """Have a folder walked that came, or went with what the store knows of it."""
        if found is None:
            with self._database.read() as connection:
                if not paths_under(connection, path):
                    return
            self._check_root()
        elif isinstance(found, OSError) or not stat.S_ISDIR(found.st_mode):
            return
        self._queue.rescan(path)

    def _no_file(self, change: Change, row: FileRow | None, found: os.stat_result) -> None:
        decision = self._rules.by_stat(change.path, found)
        if decision is None or decision.code not in NAMED:
            self._remove(change, row)
        else:
            # With a stat that no file has, so that each scan looks again: where a link leads does not show in its own.
            self._fail(change, row, replace(stat_of(change.path, found), ctime_ns=0), decision)

    def _disk(self, change: Change, row: FileRow | None, found: os.stat_result) -> None:
        path = change.path
        known_stat = stat_of(path, found)
        if row and change.depth == Depth.STAT and self._is_unchanged(change, row, known_stat):
            return
        if found.st_size > self._rules.max_file_bytes:
            self._fail(change, row, known_stat, too_large(found.st_size, self._rules.max_file_bytes))
            return
        try:
            source = read_source(self._rules.root, path, self._rules.max_file_bytes)
        except FileNotFoundError:
            raise
        except OSError as error:
            # With a stat that no file has, so that each scan tries again: what forbids reading need not show in the stat.
            self._fail(change, row, replace(known_stat, ctime_ns=0), unreadable(error))
            return
        self._tally.read += 1
        self._read(change, row, source)

    def _read(self, change: Change, row: FileRow | None, source: Source) -> None:
        path = change.path
        same = row is not None and row.content_hash == source.digest and self._judged_alike(row, change)
        kept = source.stored_stat
        if same and change.depth >= Depth.READ:
            kept = source.stat  # read twice, with time in between
        elif source.racy:
            self._queue.put([path], Lane.LIVE, delay=_RACY_SECONDS, depth=Depth.READ)
        if row and same and change.depth < Depth.PARSE:
            self._touch(change, row, kept, "disk")
        elif is_binary(source.data) and not self._types.reads_binary(path):
            self._fail(change, row, kept, BINARY, source.digest)
        elif row is None and change.depth < Depth.PARSE and self._moved(change, source, kept):
            return
        else:
            self._parse(Reading(change, kept, source.digest, "disk", len(source.data)), source.data)

    def _buffer(self, change: Change, row: FileRow | None, buffer: Buffer, found: os.stat_result | OSError | None) -> None:
        path = change.path
        digest = content_hash(buffer.data)
        kept = FileStat(path, len(buffer.data), time.time_ns(), 0, 0)
        origin: Origin = "buffer"
        if isinstance(found, os.stat_result):
            kept = stat_of(path, found)
            source = self._saved(path, found, buffer, digest)
            if source:
                origin, kept = "disk", source.stored_stat
                if source.racy:
                    self._queue.put([path], Lane.LIVE, delay=_RACY_SECONDS, depth=Depth.READ)
        if len(buffer.data) > self._rules.max_file_bytes:
            self._fail(change, row, kept, too_large(len(buffer.data), self._rules.max_file_bytes))
        elif row and row.content_hash == digest and self._judged_alike(row, change) and change.depth < Depth.PARSE:
            self._touch(change, row, kept, origin)
        else:
            self._parse(Reading(change, kept, digest, origin, len(buffer.data)), buffer.data)

    def _saved(self, path: str, found: os.stat_result, buffer: Buffer, digest: bytes) -> Source | None:
        """The file on disk, if it holds what the buffer holds: then it stands for itself, and the buffer rests."""
        if found.st_size != len(buffer.data) or found.st_size > self._rules.max_file_bytes:
            return None
        try:
            source = read_source(self._rules.root, path, self._rules.max_file_bytes)
        except (OSError, Unsettled):
            return None  # the buffer is what counts
        if source.digest != digest:
            return None
        self._overlays.saved(path)
        return source

    # -- outcomes --------------------------------------------------------------------------------------------------

    def _parse(self, reading: Reading, data: bytes) -> None:
        path, lane = reading.change.path, reading.change.lane
        slow = self._types.slow(path)
        # What somebody asked for is read at once, unless it is very much.
        if slow and (lane in (Lane.LIVE, Lane.BACKLOG) or (lane is Lane.OPEN and self._slow >= _MOST_SLOW)):
            self._queue.put([path], Lane.LAST, depth=reading.change.depth)
            return
        self._parsing[path] = replace(reading, slow=slow)
        if slow:
            self._slow += 1
        else:
            self._bytes += reading.size
        job = Job(
            Parse(path, data), self._parsing[path], lane < Lane.BACKLOG, whole_limit=self._types.reads_binary(path), slow=slow
        )
        self._submit(job)

    def _replace(self, reading: Reading, parsed: ParsedFile) -> None:
        lane, private = reading.change.lane, reading.change.private
        reader = self._types.reader(reading.change.path)
        effect = replacing(
            reading.stat, reading.digest, parsed, reading.origin, lane, reading.size, private=private, reader=reader
        )
        self._storing.add(effect)

    def _touch(self, change: Change, row: FileRow, kept: FileStat, origin: Origin) -> None:
        if row.stat != kept or row.origin != origin:
            self._storing.add(touching(row.id, kept, origin, change.lane))

    def _moved(self, change: Change, source: Source, kept: FileStat) -> bool:
        """Whether the new file is one that is gone from another path; it then keeps its rows.

        Not where it came to a place that rules make private, or from one: its rows say so.
        """
        with self._database.read() as connection:
            twins = files_with_content(connection, source.digest)
            rows = file_rows(connection, [old for _, old in twins])
        for file_id, old in twins:
            if rows[old].private != change.private:
                continue
            free = old not in self._parsing and old not in self._storing.paths and self._overlays.get(old) is None
            if free and _lstat(self._rules, old) is None and self._types.same_reading(old, change.path):
                self._storing.add(moving(file_id, old, kept, change.lane))
                return True
        return False

    def _gone(self, change: Change, row: FileRow | None) -> None:
        if row:
            self._check_root()
            self._remove(change, row)

    def _remove(self, change: Change, row: FileRow | None) -> None:
        if row:
            self._storing.add(removing(row.id, change.path, change.lane))

    def _fail(self, change: Change, row: FileRow | None, kept: FileStat, decision: Decision, digest: bytes = b"") -> None:
        parsed = self._failed(change.path, decision.code, decision.reason)
        known = row and (row.stat, row.problems, row.origin, row.private)
        if known == (kept, parsed.problems, "disk", change.private):
            return
        self._replace(Reading(change, kept, digest, "disk", 0), parsed)

    def _failed(self, path: str, code: str, reason: str) -> ParsedFile:
        return ParsedFile(self._types.type_of(path), None, (), problems=(Problem("error", code, reason),))

    def _is_unchanged(self, change: Change, row: FileRow, stat: FileStat) -> bool:
        reader = self._types.reader(change.path)
        limit = self._rules.max_file_bytes
        return is_unchanged(row, stat, limit, private=change.private, reader=reader, now=time.time())

    def _judged_alike(self, row: FileRow, change: Change) -> bool:
        """Whether rules and processors would treat the same content as they did."""
        return judged_alike(row, private=change.private, reader=self._types.reader(change.path), now=time.time())

    def _check_root(self) -> None:
        """Raises RootGone before anything is removed because the whole vault is not there."""
        if root_identity(self._rules.root) != self.root_identity:
            raise RootGone(f"{self._rules.root} is another folder than it was; it is walked anew")


def _lstat(rules: IgnoreRules, path: str) -> os.stat_result | OSError | None:
    """Stat of the path itself; None when there is nothing there."""
    try:
        return (rules.root / path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return error
    except ValueError:  # a NUL in the path: no file system has that
        return None
