"""A model on this machine as its service sees it: prepared once, one worker on first need, gone when idle."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import psutil

from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken, Progress, ProgressCallback
from khoj_ls.models.attempts import Attempts
from khoj_ls.models.client import POLL_SECONDS, WORKER_ENVIRONMENT, OnValue, Ticket, WorkerClient
from khoj_ls.models.messages import Input, Load, ModelFile, Ready, Reply, Step, Unusable, Value
from khoj_ls.models.preparing import Spec, folder_of, read_current
from khoj_ls.models.role import Role
from khoj_ls.workers.child import Child, ChildGone

State = Literal["off", "preparing", "loading", "ready", "failed"]
OnValues = Callable[[Sequence[int], Sequence[Value]], None]
"""Hears of each batch: the places of its inputs, and their values."""

_PREPARE_SECONDS = 900.0


@dataclass(frozen=True)
class ModelStatus:
    """How a model and its worker are."""

    state: State
    pid: int | None
    rss_bytes: int
    model: str
    """As the user set it."""
    backend: str | None
    error: str | None = None


class LocalModel:
    """A prepared model in a worker process. Thread-safe; making one starts nothing."""

    def __init__(
        self,
        role: Role,
        spec: Spec,
        models: Path,
        load: Callable[[Path], Load],
        *,
        prepare_nice: int,
        idle_seconds: float,
        runtimes: str = "",
    ) -> None:
        """Serve the model of `spec`, kept in the folder `models`; `load` says how the worker is to run what a folder holds.

        `runtimes` is what there is to choose from (`preparing.Kind`).
        """
        self.role = role
        self.folder = folder_of(models, spec)
        self._spec = spec
        self._models = models
        self._load = load
        self._prepare_nice = prepare_nice
        self._idle_seconds = idle_seconds
        self._runtimes = runtimes
        self._lock = threading.RLock()
        self._prepare_lock = threading.Lock()
        self._worker: WorkerClient | None = None
        self._model: ModelFile | None = None
        self._preparing = False
        self._preparer: Child | None = None
        self._error: str | None = None
        self._closed = False

    @property
    def prepared(self) -> bool:
        """Whether everything about the model is known and on disk."""
        return self._read() is not None

    @property
    def preparing(self) -> bool:
        """Whether that is being made."""
        return self._preparing

    def known(self) -> ModelFile:
        """What is known of the model. Raises ModelError before it is prepared."""
        model = self._read()
        if model is None:
            raise ModelError(self._error or f"the {self.role.model} is still being prepared")
        return model

    def prepare(self, progress: ProgressCallback | None = None, token: CancelToken | None = None) -> None:
        """Make the model ready for use, once: seconds to a minute. Raises ModelError, Cancelled."""
        while not self._prepare_lock.acquire(timeout=POLL_SECONDS):
            if token:
                token.raise_if_cancelled()
        try:
            if self.prepared:
                return
            self._preparing = True
            self._prepare(progress, token)
            self._error = None
        except ModelError as error:
            self._error = str(error)
            raise
        finally:
            self._preparing = False
            self._prepare_lock.release()

    def compute(
        self,
        inputs: Sequence[Input],
        token: CancelToken | None = None,
        *,
        query: bool = False,
        timeout: float | None = None,
        on_values: OnValues | None = None,
    ) -> list[Value]:
        """Values of `inputs`, in order; `on_values` hears of each batch as soon as it is there.

        A `query` does not wait for the others. Stops between two batches. Raises ModelError, also after `timeout` seconds;
        Cancelled.
        """
        token = token or CancelToken()
        until = math.inf if timeout is None else time.monotonic() + timeout
        values = [b""] * len(inputs)
        attempts = Attempts(len(inputs))
        while attempt := attempts.next():
            token.raise_if_cancelled()
            worker = self._running(token, until)
            left = list(attempt.places)
            ticket: Ticket | None = None
            try:
                ticket = worker.ask([inputs[place] for place in attempt.places], query=query, alone=attempt.alone)
                for answer in ticket.batches(token, until):
                    attempts.arrived()
                    places = [attempt.places[place] for place in answer.places]
                    for place, value in zip(places, answer.values, strict=True):
                        values[place] = value
                    if on_values:
                        on_values(places, answer.values)
            except ChildGone:
                left = [attempt.places[place] for place in sorted(ticket.missing)] if ticket else left
                self._ended(attempts, worker, ticket, attempt.places, left, inputs)
            finally:
                if ticket:
                    worker.drop(ticket)
        return values

    def begin(self, value: Input, then: OnValue | None = None) -> Callable[[float], Value | None] | None:
        """Send one query to the worker, and return at once; None where there is none that is ready, or reads.

        What is returned waits for at most so many seconds, and gives the value once it is there. It raises ModelError where
        it will not come: `compute` tries harder, and says why. Nobody has to wait for it. `then` hears of the value meanwhile.
        """
        worker = self._worker
        if worker is None or not worker.ready.is_set() or not worker.alive:
            return None
        try:
            ticket = worker.begin(value, then)
        except ChildGone:
            return None
        return ticket.only if ticket else None

    def warm(self) -> None:
        """Start the worker in the background, so that who asks first finds it ready."""

        def start() -> None:
            with contextlib.suppress(ModelError):  # asked for by nobody: whoever needs it hears the reason
                if self.prepared:
                    self._running(CancelToken(), math.inf)

        threading.Thread(target=start, name="khoj-warm", daemon=True).start()

    def status(self) -> ModelStatus:
        """How the worker is."""
        worker = self._worker
        state: State = "off"
        pid = None
        rss = 0
        if self._preparing:
            state = "preparing"
        elif worker is not None and worker.alive:
            state = "ready" if worker.ready.is_set() else "loading"
            pid = worker.pid
            with contextlib.suppress(psutil.Error):
                rss = psutil.Process(pid).memory_info().rss
        elif self._error:
            state = "failed"
        model = self._model
        return ModelStatus(state, pid, rss, self._spec.name, model.computed_by if model else None, self._error)

    def close(self) -> None:
        """End the worker, or the process that prepares the model."""
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
            if self._preparer is not None:
                self._preparer.kill()
        if worker:
            worker.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _read(self) -> ModelFile | None:
        # One that was deleted since is prepared anew.
        if self._model is None or not self.folder.is_dir():
            self._model = read_current(self._models, self._spec, self._runtimes)
        return self._model

    def _prepare(self, progress: ProgressCallback | None, token: CancelToken | None) -> None:
        with self._lock:
            if self._closed:
                raise ModelError(f"the {self.role.process} is closed")
            child = self._preparer = Child(self.role.preparer, environment=dict(WORKER_ENVIRONMENT))
        done = threading.Event()
        if token:
            threading.Thread(target=_end_when_cancelled, args=(child, token, done), daemon=True).start()
        try:
            child.send((self._spec, str(self._models), self._prepare_nice))
            while True:
                reply = msgspec.msgpack.decode(child.receive(_PREPARE_SECONDS), type=Reply)
                if isinstance(reply, Unusable):
                    raise ModelError(reply.error)
                if isinstance(reply, Ready):
                    return
                if isinstance(reply, Step) and progress:
                    progress(Progress("model", reply.done, reply.total, reply.message))
        except ChildGone as error:
            if token and token.cancelled:
                raise Cancelled("cancelled while the model was being prepared") from error
            raise ModelError(
                f"preparing the {self.role.model} failed: its process ended; `khoj-ls daemon logs` says more"
            ) from error
        finally:
            done.set()
            with self._lock:
                self._preparer = None
            child.close()

    def _ended(
        self,
        attempts: Attempts,
        worker: WorkerClient,
        ticket: Ticket | None,
        sent: list[int],
        left: list[int],
        inputs: Sequence[Input],
    ) -> None:
        mine, others = worker.computing(ticket) if ticket else (set[int](), False)
        try:
            guilty = attempts.ended(left, {sent[place] for place in mine}, others=others)
        except RuntimeError as error:
            raise ModelError(f"the {self.role.process} does not stay up: {error}; `khoj-ls daemon logs` says more") from error
        if guilty is not None:
            given = inputs[guilty]
            sample = " ".join((given if isinstance(given, str) else given[1]).split())[:60]
            raise ModelError(
                f"the {self.role.process} ended twice while {self.role.doing} the text that begins with {sample!r}"
            )

    def _running(self, token: CancelToken, until: float) -> WorkerClient:
        """The worker, started if it is not, with its model loaded. Raises ModelError, Cancelled."""
        self.known()
        with self._lock:
            if self._closed:
                raise ModelError(f"the {self.role.process} is closed")
            if self._worker is None or not self._worker.alive:
                self._worker = WorkerClient(self.role, self._load(self.folder), self._idle_seconds)
            worker = self._worker
        worker.wait_loaded(token, until)
        if worker.error:
            self._error = worker.error
            self._model = None  # its folder may be gone: then it is prepared anew
            raise ModelError(worker.error)
        self._error = None
        return worker


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _end_when_cancelled(child: Child, token: CancelToken, done: threading.Event) -> None:
    while not done.is_set():
        if token.wait(POLL_SECONDS):
            if not done.is_set():
                child.kill()
            return
