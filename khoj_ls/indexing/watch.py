"""The thread that watches the vault's folder for changes made by any program (notify through watchfiles)."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from khoj_ls.indexing.ignore import IGNORE_FILES, refused_name
from khoj_ls.indexing.queue import ChangeQueue, Lane
from khoj_ls.indexing.root import RootGone, root_identity

log = logging.getLogger(__name__)

_DEBOUNCE_MS, _STEP_MS, _CHECK_MS = 200, 50, 5000
_MODIFIED, _DELETED = 2, 3
_FEW = 200
"""More changes at once are no edits: a checkout, a sync, a conversion. They wait their turn."""
_MANY = 2000
"""So many may have overflowed the system's own queue: a walk finds what it dropped."""
_POLL_SECONDS = 30.0
_POLLS_BEFORE_RETRY = 20
_ROOT_SECONDS = 2.0


class Watcher:
    """Puts changed paths into the queue. Where the system cannot watch, the vault is walked now and then instead."""

    def __init__(self, root: Path, queue: ChangeQueue, extensions: tuple[str, ...]) -> None:
        """Watch `root` (resolved) once started, for files with these lower-case suffixes and for folders."""
        self._root = root
        self._extensions = extensions
        self._queue = queue
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="khoj-watcher", daemon=True)
        self.watching = threading.Event()
        """Set while changes are seen as they happen."""
        self.problem = ""
        """What keeps us from watching; empty when nothing does."""

    def start(self) -> None:
        """Begin to watch; a walk is asked for once the watch is set, to find what changed before it was."""
        self._thread.start()

    def close(self) -> None:
        """End within a moment."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def is_set(self) -> bool:
        """Whether watching should stop. watchfiles asks this after the watch was set, which is how we learn that it was."""
        if not self.watching.is_set():
            self.watching.set()
            self.problem = ""
            self._queue.rescan("")
        return self._closing.is_set()

    def _run(self) -> None:
        while not self._closing.is_set():
            error = self._watch_until_error()
            self.watching.clear()
            if isinstance(error, RootGone | FileNotFoundError):
                self._closing.wait(_ROOT_SECONDS)  # the scanner says so and looks for it
            elif error:
                self._poll(error)

    def _watch_until_error(self) -> Exception | None:
        try:
            self._watch(root_identity(self._root))
        except Exception as error:  # noqa: BLE001 - watchfiles raises what the system gives; status tells the user
            return error
        return None

    def _watch(self, identity: str) -> None:
        from watchfiles import watch

        batches = watch(
            self._root,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_CHECK_MS,
            yield_on_timeout=True,
            stop_event=self,
            raise_interrupt=False,
        )
        for batch in batches:
            self.take((int(change), path) for change, path in batch)
            # A folder that was moved away takes its watch along; one that came in its place has none.
            if root_identity(self._root) != identity:
                self._queue.rescan("")
                return

    def take(self, changes: Iterable[tuple[int, str]]) -> None:
        """Put what was seen into the queue: (kind, absolute path), in any order."""
        prefix = f"{self._root}{os.sep}"
        present: list[str] = []
        deleted: list[str] = []
        for kind, path in changes:
            if not path.startswith(prefix):
                self._queue.rescan("")
                continue
            relative = path[len(prefix) :].replace(os.sep, "/")
            folder, _, name = relative.rpartition("/")
            if any(refused_name(part) for part in relative.split("/")):
                continue
            if name in IGNORE_FILES:
                self._queue.rescan(folder)
            elif kind == _MODIFIED and not name.lower().endswith(self._extensions):
                continue  # a log, a picture; what comes or goes may be a folder
            elif kind == _DELETED:
                deleted.append(relative)
            else:
                present.append(relative)
        count = len(present) + len(deleted)
        if count:
            # What is there comes first: it may be what the deleted have become.
            self._queue.put([*present, *deleted], Lane.LIVE if count <= _FEW else Lane.BACKLOG)
        if count > _MANY:
            self._queue.rescan("")

    def _poll(self, error: Exception) -> None:
        self.problem = (
            f"changes made outside the editor are found only every {_POLL_SECONDS:.0f} s, since {self._root} cannot be watched "
            f"({error}); on Linux the number of watched folders is raised with `sudo sysctl fs.inotify.max_user_watches=524288`"
        )
        log.warning("%s", self.problem)
        for _ in range(_POLLS_BEFORE_RETRY):
            if self._closing.wait(_POLL_SECONDS):
                return
            self._queue.rescan("")
