"""A small pool of parser workers that may be killed: the time, the memory and the crashes of parsing stay out of this process.

Each lane is a thread that drives one worker process. Lanes take small batches, so that a worker never waits for this process
between two files, and what is urgent first, what takes long last. One more lane starts its worker only when something urgent
finds all others busy, or anything that is quick all others at what takes long.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import msgspec

from khoj_ls.config.settings import IndexSettings
from khoj_ls.indexing.messages import Answer, Cut, Parse, Work
from khoj_ls.plugins.events import HookCall
from khoj_ls.workers.child import Child, ChildGone

log = logging.getLogger(__name__)

DEFAULT_TOOLS = "khoj_ls.indexing.tools:content_tools"
"""What workers work with, as `module:function`."""

_BATCH_JOBS = 16
_BATCH_BYTES = 512 * 1024
_EXPRESS_AFTER = 0.15
_START_SECONDS = 60.0
_TRIES = 2

T = TypeVar("T")


@dataclass(frozen=True)
class ParserPlugins:
    """The plugins that workers work with."""

    order: str = ""
    """`PluginManager.order`: what a worker needs to load them; empty where there are none."""
    reported: Callable[[Sequence[HookCall]], None] = lambda calls: None
    """Hears, from a lane's thread, how hooks did in a worker."""
    left_out: Callable[[], tuple[str, ...]] = lambda: ()
    """The plugins whose khoj_pre_index is not to be called any more, whichever worker it failed in."""


NO_PARSER_PLUGINS = ParserPlugins()


@dataclass(eq=False)
class Job(Generic[T]):
    """One piece of work for a worker, with whatever its owner wants back beside the answer."""

    work: Work
    owner: T
    urgent: bool = False
    whole_limit: bool = False
    """Whether it may take the whole time limit whatever its size, which says little of a file that is no text."""
    slow: bool = False
    """Whether it may take long: it is begun after all others, and where it is urgent before its like."""
    tries: int = 0

    @property
    def size(self) -> int:
        """About how many bytes the worker has to deal with."""
        return len(self.work.data) if isinstance(self.work, Parse) else sum(len(entry.raw) for entry in self.work.entries)


class ParserPool(Generic[T]):
    """Submit jobs, collect what came of them. `wake` is called, from a lane's thread, whenever something is done."""

    def __init__(
        self,
        settings: IndexSettings,
        wake: Callable[[], None],
        *,
        nice: int = 0,
        tools: str = DEFAULT_TOOLS,
        idle_seconds: float = 60.0,
        plugins: ParserPlugins = NO_PARSER_PLUGINS,
    ) -> None:
        """Make a pool of `settings.parser_workers` lanes; no process is started before it is needed."""
        self.plugins = plugins
        self._settings = settings
        self._wake = wake
        order = (plugins.order,) if plugins.order else ()
        self._arguments = (tools, str(settings.parser_memory_mb), str(nice), *order)
        self._idle_seconds = idle_seconds
        self._ready = threading.Condition()
        self._urgent: deque[Job[T]] = deque()
        self._waiting: deque[Job[T]] = deque()
        self._last: deque[Job[T]] = deque()
        self._on_slow = 0
        self._done: deque[tuple[Job[T], Answer]] = deque()
        self._resting = 0
        self._closing = threading.Event()
        self._size = max(1, settings.parser_workers)
        self._lanes: list[_Lane[T]] = []
        self.trouble = ""
        """Why no worker can be started, while that is so."""

    @property
    def width(self) -> int:
        """How many jobs must be in hand to keep all workers busy while results are stored."""
        return self._size * _BATCH_JOBS * 4

    @property
    def slow_width(self) -> int:
        """The same of jobs that take long."""
        return self._size * 2

    def submit(self, job: Job[T]) -> None:
        """Hand in a job; its answer comes out of `results`."""
        with self._ready:
            if not self._lanes:
                self._lanes = [_Lane(self, express=index == self._size) for index in range(self._size + 1)]
            if job.slow and job.urgent:
                self._last.appendleft(job)
            else:
                self._queue_of(job).append(job)
            self._ready.notify_all()

    def results(self) -> list[tuple[Job[T], Answer]]:
        """All that is done and was not collected yet."""
        done: list[tuple[Job[T], Answer]] = []
        while self._done:
            done.append(self._done.popleft())
        return done

    def withdraw(self) -> list[Job[T]]:
        """Take back the jobs that no worker has begun."""
        with self._ready:
            queues = (self._urgent, self._waiting, self._last)
            jobs = [job for queue in queues for job in queue]
            for queue in queues:
                queue.clear()
            return jobs

    def close(self) -> None:
        """End all workers at once; what they were doing is lost."""
        with self._ready:
            self._closing.set()
            self._ready.notify_all()
        for lane in self._lanes:
            lane.kill()
        for lane in self._lanes:
            lane.thread.join(1.0)

    # -- for the lanes ----------------------------------------------------------------------------------------------

    def take(self, express: bool) -> list[Job[T]] | None:
        """Wait for work: a batch, an empty one after a long rest, None when the pool closes."""
        with self._ready:
            if express:
                return self._take_express()
            self._resting += 1
            try:
                self._ready.wait_for(
                    lambda: self._closing.is_set() or self._urgent or self._waiting or self._last, self._idle_seconds
                )
            finally:
                self._resting -= 1
            return None if self._closing.is_set() else self._batch()

    def _take_express(self) -> list[Job[T]] | None:
        def all_busy() -> bool:
            return bool(self._closing.is_set() or (self._pressing() and not self._resting))

        while self._ready.wait_for(all_busy, self._idle_seconds):
            if self._on_slow < self._size:
                # Batches are short: only lanes that sit on long files are worth another process.
                self._ready.wait_for(lambda: self._closing.is_set() or not self._pressing(), _EXPRESS_AFTER)
            if self._closing.is_set():
                return None
            if batch := self._pressing():
                for job in batch:
                    self._queue_of(job).remove(job)
                return batch
        return []

    def _pressing(self) -> list[Job[T]]:
        """Jobs that should not wait for lanes that sit on long files."""
        if self._urgent:
            return [self._urgent[0]]
        if self._on_slow < self._size:
            return []
        # Few, and nothing that may take minutes: this lane must be free again soon.
        return list(islice((job for job in self._waiting if not job.whole_limit and job.size < _BATCH_BYTES), _BATCH_JOBS))

    def _queue_of(self, job: Job[T]) -> deque[Job[T]]:
        return self._last if job.slow else self._urgent if job.urgent else self._waiting

    def _batch(self) -> list[Job[T]]:
        if self._urgent:
            return [self._urgent.popleft()]
        if not self._waiting and self._last:
            self._on_slow += 1
            self._ready.notify_all()
            return [self._last.popleft()]
        share = -(-len(self._waiting) // self._size)
        batch: list[Job[T]] = []
        size = 0
        while self._waiting and len(batch) < min(share, _BATCH_JOBS) and (not batch or size < _BATCH_BYTES):
            if batch and (batch[-1].whole_limit or self._waiting[0].whole_limit):
                break  # such a file may take minutes, which no other should wait for
            batch.append(self._waiting.popleft())
            size += batch[-1].size
        return batch

    def give(self, job: Job[T], answer: Answer) -> None:
        """Pass on what came of a job."""
        self._done.append((job, answer))
        self._wake()

    def through(self, batch: list[Job[T]]) -> None:
        """A lane that is no express lane is free again after `batch`."""
        with self._ready:
            self._on_slow -= any(job.slow for job in batch)

    def give_back(self, jobs: list[Job[T]]) -> None:
        """Put jobs whose worker is gone back in front."""
        with self._ready:
            for job in reversed(jobs):
                self._queue_of(job).appendleft(job)
            self._ready.notify_all()

    def order_of(self, job: Job[T]) -> Work:
        """What a worker is told to do."""
        without = self.plugins.left_out() if isinstance(job.work, Parse) else ()
        return msgspec.structs.replace(job.work, without_hooks=without) if without else job.work

    @property
    def closing(self) -> bool:
        """Whether the pool is being closed."""
        return self._closing.is_set()

    def start_worker(self) -> Child:
        """Start a worker process."""
        return Child("khoj_ls.indexing.parser_worker", self._arguments)

    def not_started(self, error: Exception, failures: int) -> None:
        """Tell that a worker did not come up, and wait longer each time before it is tried again."""
        if self.closing:
            return
        self.trouble = f"the parser process cannot be started ({error}); its error is in the log, and it is tried again"
        log.error("%s", self.trouble)
        self._wake()
        self._closing.wait(min(2.0**failures, 30.0) / 2)

    def started(self) -> None:
        """Tell that a worker came up."""
        self.trouble = ""

    def limit(self, job: Job[T]) -> float:
        """Seconds a job may take: the whole limit for a large file, a part of it for a small text."""
        share = 1.0 if job.whole_limit else 1 / 6 + job.size / 4_000_000
        return self._settings.parser_timeout_seconds * min(1.0, share)


class _Lane(Generic[T]):
    """A thread that drives one worker."""

    def __init__(self, pool: ParserPool[T], *, express: bool) -> None:
        self._pool = pool
        self._express = express
        self._child: Child | None = None
        self._decoder = msgspec.msgpack.Decoder(Answer)
        self.thread = threading.Thread(target=self._run, name="khoj-parser-lane", daemon=True)
        self.thread.start()

    def kill(self) -> None:
        """End the worker from another thread."""
        child = self._child
        if child:
            child.kill()

    def _run(self) -> None:
        while (batch := self._pool.take(self._express)) is not None:
            if not batch:
                self._end()
            else:
                if child := self._worker():
                    self._work(child, batch)
                self._pool.through(batch)
        self._end()

    def _worker(self) -> Child | None:
        """The worker, started if there is none; None when the pool closes before one is up."""
        failures = 0
        while self._child is None and not self._pool.closing:
            if error := self._start():
                failures += 1
                self._pool.not_started(error, failures)
        if self._pool.closing:
            self.kill()
        return self._child

    def _start(self) -> Exception | None:
        try:
            # Known to `kill` before it is waited for.
            self._child = self._pool.start_worker()
            self._child.receive(_START_SECONDS)
        except (OSError, ChildGone) as error:
            self._end()
            return error
        self._pool.started()
        return None

    def _work(self, child: Child, batch: list[Job[T]]) -> None:
        begun = time.monotonic()
        done = 0
        try:
            child.send([self._pool.order_of(job) for job in batch])
            for job in batch:
                # The limit is one of silence: what reads many pictures tells of each.
                answer = Answer(alive=True)
                while answer.alive:
                    begun = time.monotonic()
                    answer = self._decoder.decode(child.receive(self._pool.limit(job)))
                done += 1
                if answer.hook_calls:
                    self._pool.plugins.reported(answer.hook_calls)
                self._pool.give(job, answer)
        except Exception as error:  # noqa: BLE001 - ChildGone, or an answer that is none: the lane must live on in any case
            self._end()
            self._blame(batch[done], time.monotonic() - begun, error)
            self._pool.give_back(batch[done + 1 :])

    def _blame(self, job: Job[T], seconds: float, error: Exception) -> None:
        job.tries += 1
        limit = self._pool.limit(job)
        what = "cutting it into chunks" if isinstance(job.work, Cut) else "parsing it"
        if seconds >= limit:
            reason = f"{what} took longer than {limit:.0f} s (index.parser_timeout_seconds)"
        elif job.tries < _TRIES:
            # Something else may have ended the worker: the file is to blame only if it happens again.
            self._pool.give_back([job])
            return
        else:
            reason = f"the parser process died {what} ({error})"
        self._pool.give(job, Answer(error=reason))

    def _end(self) -> None:
        child, self._child = self._child, None
        if child:
            child.close(0.2)
