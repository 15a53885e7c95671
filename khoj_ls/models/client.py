"""A running model process as its service sees it: who waits for which of its answers, and what it is computing."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

import msgspec

from khoj_ls.core.errors import ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.models.messages import Ask, Cancel, Failed, Input, Load, Ready, Reply, Started, Unusable, Value, Values
from khoj_ls.models.role import Role
from khoj_ls.workers.child import Child, ChildGone
from khoj_ls.workers.processors import Elsewhere

POLL_SECONDS = 0.1
"""How often who waits looks whether the work was called off."""
_LOAD_SECONDS = 120.0

OnValue = Callable[[Value], None]
"""Hears of a value as soon as it is there; it must neither raise nor take long."""

WORKER_ENVIRONMENT = (
    ("HF_HUB_OFFLINE", "1"),
    ("TRANSFORMERS_OFFLINE", "1"),
    ("HF_HUB_DISABLE_TELEMETRY", "1"),
    ("TOKENIZERS_PARALLELISM", "false"),
    ("TQDM_DISABLE", "1"),
)
"""What every process that loads a model runs with: nothing is fetched, nothing drawn."""


class Ticket:
    """One request that was sent."""

    def __init__(self, number: int, count: int, role: Role, then: OnValue | None = None) -> None:
        """Number `number`, for `count` inputs. `then` hears of the value of a single one, on the thread that reads."""
        self.number = number
        self.then = then
        self._role = role
        self.missing = set(range(count))
        """Places without a value. For the thread that waits."""
        self.awaited = count
        """How many values have not come. For the thread that reads."""
        self.answers: queue.SimpleQueue[Values | Failed | None] = queue.SimpleQueue()
        """What came; None when the process has ended."""

    def batches(self, token: CancelToken, until: float) -> Iterator[Values]:
        """The batches as they come, till none is missing. Raises ChildGone, ModelError, Cancelled."""
        while self.missing:
            token.raise_if_cancelled()
            left = until - time.monotonic()
            if left <= 0:
                raise ModelError(f"the {self._role.model} did not answer in time")
            try:
                answer = self.answers.get(timeout=min(POLL_SECONDS, left))
            except queue.Empty:
                continue
            if answer is None:
                raise ChildGone(f"the {self._role.process} is gone")
            if isinstance(answer, Failed):
                raise ModelError(answer.error)
            self.missing.difference_update(answer.places)
            yield answer

    def only(self, seconds: float) -> Value | None:
        """The value of a request for one, within `seconds`; None while it is not there. Raises ModelError."""
        try:
            answer = self.answers.get(timeout=seconds)
        except queue.Empty:
            return None
        if not isinstance(answer, Values):
            raise ModelError(answer.error if answer else f"the {self._role.process} is gone")
        return answer.values[0]


class WorkerClient:
    """Starts the process and speaks with it. Any thread may ask."""

    def __init__(self, role: Role, load: Load, idle_seconds: float) -> None:
        """Start the process of a `role` with `load`; it ends by itself after `idle_seconds` without work."""
        self._role = role
        self._child = Child(role.worker, environment={**dict(WORKER_ENVIRONMENT), "OMP_NUM_THREADS": str(load.threads)})
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._tickets: dict[int, Ticket] = {}
        self._computing: dict[int, set[int]] = {}
        self._last_used = time.monotonic()
        self._number = 0
        self._gone = False
        self._elsewhere: Elsewhere | None = None
        """Known when the model is loaded."""
        self.ready = threading.Event()
        """Set when the model is loaded, and when that failed."""
        self.error: str | None = None
        """Why the model could not be loaded."""
        for work, name in ((lambda: self._read(load), role.process), (self._unload_when_idle, f"{role.process}-idle")):
            threading.Thread(target=work, name=f"khoj-{name}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs and can be asked."""
        return not self._gone and self._child.alive and self.error is None

    def wait_loaded(self, token: CancelToken, until: float) -> None:
        """Return when the model is loaded, or cannot be (`error`). Raises ModelError, Cancelled."""
        until = min(until, time.monotonic() + _LOAD_SECONDS)
        while not self.ready.wait(max(0.0, min(POLL_SECONDS, until - time.monotonic()))):
            token.raise_if_cancelled()
            if time.monotonic() >= until:
                raise ModelError(f"the {self._role.model} is still being loaded")

    def ask(self, inputs: list[Input], *, query: bool = False, alone: bool = False) -> Ticket:
        """Send inputs; the answers come into the ticket. Raises ChildGone."""
        ticket = self._ticket(len(inputs), query=query)
        try:
            self._child.send(Ask(ticket.number, [_sendable(value) for value in inputs], query, alone))
        except ChildGone:
            self.drop(ticket)
            raise
        return ticket

    def begin(self, value: Input, then: OnValue | None = None) -> Ticket | None:
        """Send a query where that waits for nothing; None where it would. Raises ChildGone.

        `then` hears of the value on the thread that reads, after whoever waits has it: nothing else is read meanwhile.
        """
        ticket = self._ticket(1, query=True, then=then)
        sent = False
        if self._elsewhere:
            # Who asks so looks words up meanwhile.
            self._elsewhere.arrange()
        try:
            sent = self._child.send_at_once(Ask(ticket.number, [_sendable(value)], query=True))
        finally:
            if not sent:
                with self._changed:
                    self._tickets.pop(ticket.number, None)
                    self._computing.pop(ticket.number, None)
                    self._changed.notify()
        return ticket if sent else None

    def _ticket(self, count: int, *, query: bool, then: OnValue | None = None) -> Ticket:
        with self._changed:
            if self._gone:
                raise ChildGone(f"worker {self.pid} is gone")
            self._number += 1
            ticket = self._tickets[self._number] = Ticket(self._number, count, self._role, then)
            if query:
                self._computing[self._number] = set(ticket.missing)
            return ticket

    def drop(self, ticket: Ticket) -> None:
        """The answers are all there, or not wanted any more: then no more of its batches are begun."""
        with self._changed:
            self._tickets.pop(ticket.number, None)
            self._last_used = time.monotonic()
            self._changed.notify()
            gone = self._gone
        if ticket.missing and not gone:
            try:
                self._child.send(Cancel(ticket.number))
            except ChildGone:
                return  # nothing is computed any more

    def computing(self, ticket: Ticket) -> tuple[set[int], bool]:
        """The places of a ticket that are being computed, or were when the process ended; whether those of others are, too."""
        with self._changed:
            mine = self._computing.get(ticket.number, set())
            return set(mine), any(places for number, places in self._computing.items() if number != ticket.number)

    def close(self) -> None:
        """End the process."""
        self._child.close()

    def _read(self, load: Load) -> None:
        try:
            self._child.send(load)
            while True:
                self._take(msgspec.msgpack.decode(self._child.receive(), type=Reply))
        except ChildGone as error:
            if not self.ready.is_set():
                self.error = self.error or f"the {self._role.process} did not start ({error}): `khoj-ls daemon logs` says more"
            with self._changed:
                self._gone = True
                waiting = list(self._tickets.values())
                self._changed.notify()
            self.ready.set()
            for ticket in waiting:
                ticket.answers.put(None)

    def _take(self, reply: Reply) -> None:
        if isinstance(reply, Ready | Unusable):
            self.error = reply.error if isinstance(reply, Unusable) else None
            self._elsewhere = Elsewhere(reply.listening, reply.processors) if isinstance(reply, Ready) else None
            with self._changed:
                self._last_used = time.monotonic()
                self._changed.notify()
            self.ready.set()
        elif isinstance(reply, Started):
            with self._changed:
                self._computing.setdefault(reply.id, set()).update(reply.places)
        elif isinstance(reply, Values | Failed):
            with self._changed:
                done = reply.places if isinstance(reply, Values) else ()
                left = self._computing.pop(reply.id, set()).difference(done)
                if done and left:
                    self._computing[reply.id] = left
                ticket = self._answered(reply)
            if ticket:
                ticket.answers.put(reply)
                if ticket.then and isinstance(reply, Values):
                    ticket.then(reply.values[0])

    def _answered(self, reply: Values | Failed) -> Ticket | None:
        """Whose answer it is; after the last one nothing more is known of the request: perhaps nobody waits for it."""
        ticket = self._tickets.get(reply.id)
        if ticket:
            ticket.awaited -= len(reply.places) if isinstance(reply, Values) else ticket.awaited
            if ticket.awaited <= 0:
                del self._tickets[reply.id]
                self._last_used = time.monotonic()
                self._changed.notify()
        return ticket

    def _unload_when_idle(self) -> None:
        with self._changed:
            while not self._gone:
                left = self._last_used + self._idle_seconds - time.monotonic()
                if self._tickets or not self.ready.is_set():
                    self._changed.wait()
                elif left > 0:
                    self._changed.wait(left)
                else:
                    self._gone = True
        self._child.close()


def _sendable(value: Input) -> Input:
    """Half of a surrogate pair, which JSON may hold and UTF-8 may not, as a question mark."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    first, second = value
    return first.encode(errors="replace").decode(), second.encode(errors="replace").decode()
