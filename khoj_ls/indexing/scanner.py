"""The thread that walks the vault, or a folder of it, when asked, and puts what differs from the store into the queue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from khoj_ls.core.errors import Cancelled, KhojError, VaultError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.indexing.changes import Changes, diff
from khoj_ls.indexing.ignore import IgnoreRules
from khoj_ls.indexing.overlay import Overlays
from khoj_ls.indexing.queue import ChangeQueue, Depth, Lane, Rescan
from khoj_ls.indexing.root import check_emptiness, root_identity
from khoj_ls.indexing.scan import Scan, scan
from khoj_ls.indexing.tools import FileTypes
from khoj_ls.store.database import Database, get_meta
from khoj_ls.store.files import file_rows
from khoj_ls.store.questions import paths_under

log = logging.getLogger(__name__)

_OFFLINE_SECONDS = 2.0
_FEW = 200


class Scanner:
    """Takes rescans from the queue, one at a time."""

    def __init__(
        self,
        database: Database,
        rules: IgnoreRules,
        queue: ChangeQueue,
        overlays: Overlays,
        types: FileTypes,
        on_scanned: Callable[[], None],
        on_error: Callable[[KhojError], None],
    ) -> None:
        """Walk by `rules`; `types` tells what would read a path.

        `on_scanned` and `on_error` are called from the scanner's thread.
        """
        self._database = database
        self._rules = rules
        self._queue = queue
        self._overlays = overlays
        self._types = types
        self._on_scanned = on_scanned
        self._on_error = on_error
        self._wake = threading.Event()
        self._closing = CancelToken()
        self._thread = threading.Thread(target=self._run, name="khoj-scanner", daemon=True)
        self.busy = False
        """Whether a walk is under way; set before one is taken from the queue."""
        self.identity = ""
        """Identity of the vault's folder at the last walk of it; empty before the first and while it is offline."""
        self.offline = ""
        """Why the vault's folder cannot be walked; empty when it can."""
        self.problems: dict[str, str] = {}
        """Folders and files without a row that should be indexed but cannot be, with the reason."""

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def wake(self) -> None:
        """Look whether there is something to do."""
        self._wake.set()

    def close(self) -> None:
        """End within a moment."""
        self._closing.cancel()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def _run(self) -> None:
        while not self._closing.cancelled:
            self._wake.clear()
            self.busy = True
            rescans = self._queue.take_rescans()
            for rescan in rescans:
                self._serve(rescan)
            self.busy = False
            if rescans:
                self._on_scanned()
            if not self._wake.wait(_OFFLINE_SECONDS if self.offline else None):
                self._queue.rescan("")

    def _serve(self, rescan: Rescan) -> None:
        try:
            if self.offline and rescan.folder:
                rescan = replace(rescan, folder="")
            self._walk(rescan)
        except VaultError as error:
            self.offline, self.identity = str(error), ""
            self._on_error(error)
        except Cancelled:
            return
        except Exception as error:
            log.warning("walking %s failed", self._rules.root, exc_info=True)
            self._queue.rescan(rescan.folder, rescan.depth, believe_empty=rescan.believe_empty)
            what = f"walking {self._rules.root} failed ({type(error).__name__}: {error}); it is tried again"
            self._on_error(error if isinstance(error, KhojError) else KhojError(what))
            self._closing.wait(_OFFLINE_SECONDS)

    def _walk(self, rescan: Rescan) -> None:
        identity = root_identity(self._rules.root)
        found = scan(self._rules, rescan.folder, self._closing)
        with self._database.read() as connection:
            rows = file_rows(connection, paths_under(connection, rescan.folder) if rescan.folder else None)
            known_identity = get_meta(connection, "root_identity")
        if not rescan.folder and rows and not found.files and not rescan.believe_empty:
            check_emptiness(self._rules.root, identity, known_identity)
        self._note(rescan.folder, found)
        changes = diff(
            found.files,
            rows,
            max_file_bytes=self._rules.max_file_bytes,
            unknown=found.unknown,
            open_paths=self._overlays.paths(),
            everything=rescan.depth > Depth.STAT,
            private=found.private,
            reader=self._types.reader,
            now=time.time(),
        )
        self.identity, self.offline = identity, ""
        self._put(rescan, changes)

    def _put(self, rescan: Rescan, changes: Changes) -> None:
        # What takes long is put off when it is looked at, but looking takes time as well: all of it is read, it may be moved.
        paths = [*changes.removed, *sorted(changes.present, key=self._types.slow), *changes.vanished]
        lane = Lane.LIVE if rescan.folder and len(paths) <= _FEW else Lane.BACKLOG
        self._queue.put(paths, lane, depth=rescan.depth)

    def _note(self, folder: str, found: Scan) -> None:
        inside = f"{folder}/" if folder else ""
        kept = {path: reason for path, reason in self.problems.items() if not path.startswith(inside)}
        self.problems = kept | dict(found.problems)
