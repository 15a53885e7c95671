"""The writer: one thread per vault that drives the word path and, in the time it leaves, the meaning path.

Everybody else only puts hints into the queue and wakes it. All that it knows is in the store or found again by a walk, so it
may be ended at any instant.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from khoj_ls.config.settings import Settings
from khoj_ls.core.errors import KhojError, StoreError, VaultError
from khoj_ls.indexing.courtesy import Courtesy
from khoj_ls.indexing.cutting import CutOrder
from khoj_ls.indexing.ignore import IgnoreRules
from khoj_ls.indexing.meaning import MeaningPath
from khoj_ls.indexing.models import Encoder
from khoj_ls.indexing.overlay import Overlays
from khoj_ls.indexing.parsers import NO_PARSER_PLUGINS, Job, ParserPlugins, ParserPool
from khoj_ls.indexing.queue import ChangeQueue
from khoj_ls.indexing.reporting import Reporter
from khoj_ls.indexing.root import RootGone
from khoj_ls.indexing.scanner import Scanner
from khoj_ls.indexing.storing import Effect, Storing
from khoj_ls.indexing.tools import FileTypes
from khoj_ls.indexing.types import IndexEvent, IndexState, Tally
from khoj_ls.indexing.words import Reading, WordPath
from khoj_ls.store import fts
from khoj_ls.store.database import DamagedDatabase, Database, set_meta

log = logging.getLogger(__name__)

_FIRST_RETRY, _LAST_RETRY = 1.0, 60.0
_MERGED_AFTER = 100
_MOST_SEGMENTS = 8
"""Edits of a day leave about so many; more are those of a first indexing whose process ended before they were merged."""
"""When so many notes were written the word index is put in order, in the time that nobody needs."""
_RESTS = frozenset(("idle", "paused", "offline", "waiting"))
"""Phases in which nothing gets on before somebody does something."""


class Pipeline:
    """Owns the writer thread, the scanner and the parser pool of one vault."""

    def __init__(
        self,
        database: Database,
        rules: IgnoreRules,
        types: FileTypes,
        encoder: Encoder | None,
        settings: Settings,
        emit: Callable[[IndexEvent], None],
        overlays: Overlays,
        courtesy: Courtesy,
        *,
        tools: str,
        catch_up: Callable[[], object] | None,
        plugins: ParserPlugins = NO_PARSER_PLUGINS,
    ) -> None:
        """Put the parts together; nothing runs before `start`. `emit` is called from the writer thread."""
        self._database = database
        self._emit = emit
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._withdraw = threading.Event()
        self._thread = threading.Thread(target=self._run, name="khoj-writer", daemon=True)
        self.rounds = threading.Condition()
        """Notified whenever all is indexed, and when writing fails."""
        self.tally = Tally()
        self.reporter = Reporter(emit, self.tally, lambda: self.words.parsing + len(self.storing))
        self.overlays = overlays
        self.queue = ChangeQueue(self._wake.set, lambda: self.scanner.wake())
        self.scanner = Scanner(database, rules, self.queue, self.overlays, types, self._wake.set, self._scan_failed)
        self.pool: ParserPool[Reading | CutOrder] = ParserPool(
            settings.index, self._wake.set, nice=settings.daemon.nice, tools=tools, plugins=plugins
        )
        self.storing = Storing(database, self._stored)
        submit = cast(Callable[[Job[Any]], None], self.pool.submit)
        self.words = WordPath(database, rules, types, self.queue, self.overlays, self.storing, submit, self.tally)
        self.meaning: MeaningPath | None = None
        if encoder:
            self.meaning = MeaningPath(
                database, encoder, settings, self.overlays, submit, self._wake.set, self.tally, courtesy, catch_up
            )
        self._stored_identity = ""
        self._unmerged = 0
        self._merging = False
        self._found_merged = False
        """Whether it was looked at what an earlier process left."""
        self._scan_errors: deque[KhojError] = deque()
        self._retry = _FIRST_RETRY
        self._retry_at = 0.0
        self.trouble = ""
        """What keeps the writer from writing; empty when nothing does."""
        self.failures = 0
        """How often writing has failed since the program started."""
        self.dead = False
        """Whether the writer has ended because the database is damaged."""
        self.complete_at = -1
        """The queue's version up to which all is indexed that can be."""
        self._words_at = -1
        """The queue's version up to which every note was read."""

    def start(self) -> None:
        """Run."""
        self.scanner.start()
        self._thread.start()

    def close(self) -> None:
        """End all threads and workers. What is decided but not written is found again at the next start."""
        self._closing.set()
        self._wake.set()
        self.pool.close()
        self.scanner.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(2.0)
        if self.meaning:
            self.meaning.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called: nothing more is done."""
        return self._closing.is_set()

    def withdraw(self) -> None:
        """Have the jobs that no worker has begun put back into the queue: for a pause that takes hold at once."""
        self._withdraw.set()
        self._wake.set()

    def retry(self) -> None:
        """Try at once what waits for its next attempt: the user has asked for it."""
        self._retry, self._retry_at = _FIRST_RETRY, 0.0
        if self.meaning:
            self.meaning.retry_now()
        self._wake.set()

    def state(self) -> IndexState:
        """What goes on; from any thread."""
        # In the order in which a change travels, so that none is missed on its way from one place to the next.
        scanning = self.scanner.busy or self.queue.rescans_wait()
        version = self.queue.version
        waiting = len(self.queue) + self.words.parsing + len(self.storing)
        pending = self.meaning.pending if self.meaning else 0
        phase, eta = self._phase(scanning, waiting, read=self._words_at >= version)
        messages = [self._troubles(), self.meaning.note if self.meaning else ""]
        if self.queue.held:
            messages.append("indexing was cancelled: resume it, or index again, to go on")
        return IndexState(
            queue=waiting,
            pending=pending,
            phase=phase,
            paused=self.queue.paused,
            scanning=scanning,
            working=phase not in _RESTS and not self.queue.held,
            eta_seconds=eta,
            message="; ".join(filter(None, messages)),
        )

    def _troubles(self) -> str:
        troubles = [self.scanner.offline, self.trouble, self.pool.trouble, self.meaning.trouble if self.meaning else ""]
        return "; ".join(filter(None, troubles))

    def _phase(self, scanning: bool, waiting: int, *, read: bool) -> tuple[str, float | None]:
        if self.scanner.offline:
            return "offline", None
        if self.queue.paused:
            return "paused", None
        if self.trouble:
            return "waiting", None
        if scanning:
            return "scan", None
        if waiting or not read:
            return "words", self.reporter.eta(waiting)
        return (self.meaning.phase, self.meaning.eta_seconds) if self.meaning else ("idle", None)

    def refused(self) -> dict[str, str]:
        """What should be indexed and is not, or only in part, and has no failed row in the store: reason by path."""
        cutting = self.meaning.cutting.refused if self.meaning else {}
        return {**cutting, **self.storing.refused, **self.scanner.problems}

    # -- the writer thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set() and not self.dead:
            self._wake.clear()
            version = self.queue.version
            moved = time.monotonic() >= self._retry_at and self._round()
            if self._words_idle():
                self._words_at = version
            complete = not moved and self._is_complete()
            free = not (self.queue.held or self.queue.paused)
            self.reporter.round(self.state(), self._troubles(), complete=complete and free)
            if complete or self.trouble or self.dead:
                self.complete_at = version if complete else self.complete_at
                with self.rounds:
                    self.rounds.notify_all()
            if not moved:
                self._wake.wait(self._pause())

    def _round(self) -> bool:
        """One step, with what may go wrong in it; True when anything moved."""
        try:
            moved = self._step()
        except DamagedDatabase as error:
            if error.of_the_disk and self._database.intact():
                self._fail(
                    StoreError(
                        f"{self._database.path} cannot be written (disk I/O error): see whether the disk is sound and whether "
                        "a quota is used up; it is tried again"
                    )
                )
                return False
            self.trouble = str(error)
            self.dead = True
            self._emit(IndexEvent("problem", message=str(error), error=error))
            return False
        except RootGone:
            self.scanner.identity = self.words.root_identity = ""
            self.queue.rescan("")
            return True
        except Exception as error:  # noqa: BLE001 - the writer must go on; status shows what is wrong, the log has the rest
            if not self._closing.is_set():
                self._fail(error)
            return False
        self.trouble, self._retry, self._retry_at = "", _FIRST_RETRY, 0.0
        return moved

    def _step(self) -> bool:
        if self._scan_errors:
            raise self._scan_errors.popleft()
        if self._withdraw.is_set():
            self._withdraw.clear()
            self._put_back()
        self._note_identity()
        moved = self._collect()
        if self.words.root_identity:
            moved |= self.words.take(self.pool.width, self.pool.slow_width)
        if self.storing.due_in(more_comes=self._words_wait()) == 0.0:
            self.storing.commit()
            moved = True
        if self.meaning:
            begin = self._words_idle(slow=False) and not (self.queue.paused or self.queue.held)
            moved |= self.meaning.step(begin=begin, width=self.pool.width)
        if self._merge_words():
            self._wake.set()
        return moved

    def _merge_words(self) -> bool:
        """Put the word index in order by one step, when many notes were written and none waits; True while there is more."""
        if not self._words_idle():
            return False
        if not self._found_merged:
            with self._database.read() as connection:
                self._unmerged += _MERGED_AFTER * (fts.segments(connection) > _MOST_SEGMENTS)
            self._found_merged = True
        if not (self._merging or self._unmerged >= _MERGED_AFTER):
            return False
        with self._database.write() as connection:
            self._merging = fts.merge(connection, begin=not self._merging)
        self._unmerged = 0
        return self._merging

    def _collect(self) -> bool:
        results = self.pool.results()
        for job, answer in results:
            if isinstance(job.owner, Reading):
                self.words.parsed(cast(Job[Reading], job), answer)
            elif self.meaning:
                self.meaning.cutting.cut(cast(Job[CutOrder], job), answer)
        return bool(results)

    def _put_back(self) -> None:
        for job in self.pool.withdraw():
            if isinstance(job.owner, Reading):
                self.words.withdrawn(cast(Job[Reading], job))
            elif self.meaning:
                self.meaning.cutting.withdrawn(cast(Job[CutOrder], job))

    def _note_identity(self) -> None:
        """Remember which folder the notes were found in."""
        identity = self.scanner.identity
        self.words.root_identity = identity
        if identity and identity != self._stored_identity:
            with self._database.write() as connection:
                set_meta(connection, "root_identity", identity)
            self._stored_identity = identity

    def _words_wait(self, *, slow: bool = True) -> bool:
        parsing = self.words.parsing - (0 if slow else self.words.slow)
        return bool(parsing) or self.queue.next_due(last=slow) == 0.0

    def _words_idle(self, *, slow: bool = True) -> bool:
        """Whether all is read and stored; without `slow`, all but what takes long, for which meaning does not wait."""
        # In the order in which a change travels, so that none is missed on its way from one place to the next.
        scanning = self.queue.rescans_wait() or self.scanner.busy
        return not (scanning or self._words_wait(slow=slow) or len(self.storing))

    def _is_complete(self) -> bool:
        if not self._words_idle() or self.queue.next_due() is not None or self.trouble:
            return False
        return self.meaning is None or self.meaning.settled

    def _pause(self) -> float | None:
        """How long to sleep when nobody wakes us."""
        waits = [self.storing.due_in(more_comes=self._words_wait())]
        # What takes long is taken when there is room for it again, of which the answer of a worker tells.
        due = self.queue.next_due(last=self.words.slow < self.pool.slow_width)
        if due or (due == 0.0 and self.words.root_identity and not self.words.parsing):
            waits.append(due)
        if self.meaning:
            waits.append(self.meaning.wait_seconds())
        if self._retry_at:
            waits = [max(0.0, self._retry_at - time.monotonic())]
        return min((wait for wait in waits if wait is not None), default=None)

    def _stored(self, effect: Effect, file_id: int) -> None:
        if effect.kind == "removed":
            self.tally.removed += 1
        if effect.kind != "touched":
            self._unmerged += 1
            self.reporter.changed(effect.paths)
            if effect.kind == "moved":
                self.reporter.moved(effect.paths[1], effect.paths[0])
        if self.meaning:
            self.meaning.stored(effect, file_id)

    def _scan_failed(self, error: KhojError) -> None:
        if not isinstance(error, VaultError):
            self._scan_errors.append(error)
        self._wake.set()

    def _fail(self, error: Exception) -> None:
        known = isinstance(error, KhojError)
        self.failures += 1
        self.trouble = str(error) if known else f"indexing failed ({type(error).__name__}: {error}); it is tried again"
        log.warning("%s", self.trouble, exc_info=not known)
        self._retry_at = time.monotonic() + self._retry
        self._retry = min(self._retry * 2, _LAST_RETRY)
