"""The two lanes of a model's process: queries, which wait for nothing, and the backlog, which takes turns.

The backlog hands out one small batch at a time, in turn from every request, so that one edited note does not wait for ten
thousand, and a cancelled request ends with the batches in work.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable

from khoj_ls.models.batches import Backend, Batch
from khoj_ls.models.messages import Answer, Ask, Failed, Started, Values

_WINDOW = 256
"""Inputs that are tokenized and put in order of length at once."""

Send = Callable[[Answer], None]


class _Job:
    """A request of the backlog. Held by one thread at a time."""

    def __init__(self, request: Ask) -> None:
        self.request = request
        self.cancelled = False
        self._offset = 0
        self._planned: deque[Batch] = deque()

    @property
    def more(self) -> bool:
        return bool(self._planned) or self._offset < len(self.request.inputs)

    def next(self, backend: Backend) -> Batch:
        if not self._planned:
            start = self._offset
            window = self.request.inputs[start : start + _WINDOW]
            self._offset += len(window)
            self._planned.extend(
                Batch([start + place for place in batch.places], batch.inputs) for batch in backend.plan(window)
            )
        return self._planned.popleft()


class Backlog:
    """Requests that wait for their batches; `serve` is run by as many threads as batches go side by side."""

    def __init__(self, backend: Backend, send: Send) -> None:
        """Compute with `backend`, answer through `send`."""
        self._backend = backend
        self._send = send
        self._jobs: deque[_Job] = deque()
        self._known: dict[int, _Job] = {}
        self._running = 0
        self._alone = False
        self._changed = threading.Condition()

    def add(self, request: Ask) -> None:
        """Take in a request."""
        if request.inputs:
            with self._changed:
                job = self._known[request.id] = _Job(request)
                self._jobs.append(job)
                self._changed.notify()

    def cancel(self, number: int) -> None:
        """Hand out no more batches of a request."""
        with self._changed:
            job = self._known.pop(number, None)
            if job:
                job.cancelled = True
                self._changed.notify_all()

    def serve(self) -> None:
        """Compute batch after batch, for ever."""
        while True:
            job = self._take()
            more = False
            try:
                batch = job.next(self._backend)
                more = job.more
                if more and not job.request.alone:
                    self._give_back(job)
                self._send(Started(job.request.id, batch.places))
                self._send(Values(job.request.id, batch.places, self._backend.run(batch)))
            except Exception as error:  # noqa: BLE001 - one input must not end the process: the caller hears the reason
                self.cancel(job.request.id)
                self._send(_failed(job.request, error))
            finally:
                self._done(job, more)

    def _take(self) -> _Job:
        with self._changed:
            while (job := self._ready()) is None:
                self._changed.wait()
            self._running += 1
            self._alone = job.request.alone
            return job

    def _ready(self) -> _Job | None:
        while self._jobs and self._jobs[0].cancelled:
            self._jobs.popleft()
        if not self._jobs or self._alone or (self._jobs[0].request.alone and self._running):
            return None
        return self._jobs.popleft()

    def _give_back(self, job: _Job) -> None:
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    def _done(self, job: _Job, more: bool) -> None:
        with self._changed:
            self._running -= 1
            if job.request.alone:
                self._alone = False
                if more:
                    self._jobs.appendleft(job)
            if not more:
                self._known.pop(job.request.id, None)
            self._changed.notify_all()


class Queries:
    """Search queries, one after the other as they come, beside the backlog."""

    def __init__(self, backend: Backend, send: Send) -> None:
        """Compute with `backend`, answer through `send`."""
        self._backend = backend
        self._send = send
        self._lock = threading.Lock()
        self._waiting: deque[Ask] = deque()
        self._busy = False

    def answer(self, request: Ask) -> None:
        """Compute a request, and those that come meanwhile; at once where another thread is at it: it computes this one too.

        Whoever has read a query computes it: to wake a thread for that takes up to a millisecond of a search.
        """
        with self._lock:
            self._waiting.append(request)
            if self._busy:
                return
            self._busy = True
        while (waiting := self._next()) is not None:
            self._compute(waiting)

    def _next(self) -> Ask | None:
        with self._lock:
            self._busy = bool(self._waiting)
            return self._waiting.popleft() if self._waiting else None

    def _compute(self, request: Ask) -> None:
        try:
            for batch in self._backend.plan(request.inputs):
                self._send(Values(request.id, batch.places, self._backend.run(batch)))
        except Exception as error:  # noqa: BLE001 - one input must not end the process: the caller hears the reason
            self._send(_failed(request, error))


def lower_priority(nice: int) -> None:
    """Make the calling thread nice, never less so than it is: root may.

    Linux alone knows niceness of a thread: elsewhere the number would name some process.
    """
    if nice and sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(nice, os.getpriority(os.PRIO_PROCESS, thread)))


def _failed(request: Ask, error: Exception) -> Failed:
    return Failed(request.id, f"computing failed ({type(error).__name__}: {error})")
