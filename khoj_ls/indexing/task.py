"""Blocking calls on a thread of their own: the model's, and long reads, which the writer must not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Task(Generic[T]):
    """One call. A task that nobody waits for any more is just dropped."""

    def __init__(self, call: Callable[[], T], wake: Callable[[], None]) -> None:
        """`wake` is called, from the thread that ran it, when the call is through."""
        self._call = call
        self._wake = wake
        self._result: list[T] = []
        self._error: Exception | None = None
        self._done = threading.Event()

    @property
    def done(self) -> bool:
        """Whether `result` answers at once."""
        return self._done.is_set()

    @property
    def error(self) -> Exception | None:
        """What the call raised, once it is done."""
        return self._error

    def result(self) -> T:
        """What the call returned, or the error it raised."""
        self._done.wait()
        if self._error:
            raise self._error
        return self._result[0]

    def run(self) -> None:
        """Make the call."""
        try:
            self._result.append(self._call())
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: `result` raises it
            self._error = error
        self._done.set()
        self._wake()


class Background:
    """A thread that runs one task after the other; started by the first. One thread: one connection to the store."""

    def __init__(self, name: str) -> None:
        """Name the thread; start nothing."""
        self._name = name
        self._tasks: SimpleQueue[Task[Any] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, call: Callable[[], T], wake: Callable[[], None]) -> Task[T]:
        """Run `call` when what was asked for before is through."""
        if self._thread is None:
            # A daemon thread: a model that does not answer must not keep the process from ending.
            thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            thread.start()
            self._thread = thread
        task = Task(call, wake)
        self._tasks.put(task)
        return task

    def close(self, patience: float = 0.5) -> None:
        """Let the thread end when it is through with what it does, and wait `patience` seconds for that."""
        self._tasks.put(None)
        if self._thread:
            self._thread.join(patience)

    def _serve(self) -> None:
        while task := self._tasks.get():
            task.run()
