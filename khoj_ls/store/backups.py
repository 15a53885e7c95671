"""Copies of a database from before its schema was changed, beside it: of each file the newest few are kept.

To go back to one: end the daemon, put the copy in the place of the file (without its `-wal` and `-shm`), use the older khoj-ls.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from pathlib import Path

log = logging.getLogger(__name__)

KEPT = 2
"""How many copies of one file are kept."""


def back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path | None:
    """Copy the open database at `path`, whose schema is `version`; None where that fails, which the log tells.

    A migration is whole or not there in any case, so a copy that there is no room for keeps nobody from the new version.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    copy = path.with_name(f"{path.name}.before-upgrade-{version}-{stamp}")
    scratch = copy.with_name(f"{copy.name}.tmp")
    try:
        scratch.unlink(missing_ok=True)
        os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(sqlite3.connect(scratch)) as target:
            connection.backup(target)
        scratch.replace(copy)
        for old in backups(path)[KEPT:]:
            old.unlink()
    except (OSError, sqlite3.Error) as error:
        log.warning("%s could not be copied before its schema is changed: %s", path, error)
        with contextlib.suppress(OSError):  # what is left of it is only in the way
            scratch.unlink(missing_ok=True)
        return None
    log.info("%s is copied to %s before its schema is changed", path, copy)
    return copy


def backups(path: Path) -> list[Path]:
    """The copies of the database at `path`, the newest first."""
    found = [copy for copy in path.parent.glob(f"{path.name}.before-upgrade-*") if copy.suffix != ".tmp"]
    return sorted(found, key=lambda copy: (copy.stat().st_mtime_ns, copy.name), reverse=True)
