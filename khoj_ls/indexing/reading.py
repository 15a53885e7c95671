"""Reading one file so that what was read and the stat that stands for it belong together."""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass, replace
from pathlib import Path

from khoj_ls.indexing.changes import is_racy
from khoj_ls.indexing.scan import stat_of
from khoj_ls.store.files import FileStat, content_hash

# Not through a link put there since the stat, and not blocking on a pipe put there since.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


_TRIES = 3


class Unsettled(Exception):
    """The file is no longer what it was when it was looked at: look at it again in a moment."""


@dataclass(frozen=True)
class Source:
    """The content of one file."""

    stat: FileStat
    data: bytes
    digest: bytes
    racy: bool
    """It may change again without its stat showing it: it must be read once more, a little later."""

    @property
    def stored_stat(self) -> FileStat:
        """The stat to remember: of a racy file one that no file has, so that not even a crash makes us trust it."""
        return replace(self.stat, ctime_ns=0) if self.racy else self.stat


def read_source(root: Path, path: str, max_bytes: int) -> Source:
    """Read the regular file of at most `max_bytes` at `path` (relative, posix).

    A file that changes each time it is read is taken as it was last read, as racy. Raises Unsettled when it is no longer what
    its stat said a moment ago, FileNotFoundError, or OSError when it cannot be read.
    """
    now = time.time_ns()
    try:
        descriptor = os.open(root / path, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Unsettled(path) from error
        raise
    with open(descriptor, "rb") as stream:
        before = os.fstat(descriptor)
        for _ in range(_TRIES):
            if not stat.S_ISREG(before.st_mode) or before.st_size > max_bytes:
                raise Unsettled(path)
            stream.seek(0)
            # One byte more than there should be shows a file that grows, without reading all of an endless one.
            data = stream.read(before.st_size + 1)
            after = os.fstat(descriptor)
            calm = len(data) == before.st_size and _stamp(after) == _stamp(before)
            if calm:
                break
            before = after
    found = stat_of(path, after)
    return Source(found, data, content_hash(data), not calm or is_racy(found, now))


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
