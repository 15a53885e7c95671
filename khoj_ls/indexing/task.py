"""A blocking call on a thread of its own: the model's, which the writer must not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Task(Generic[T]):
    """One call that runs; `wake` is called from its thread when it is through. A task that nobody waits for is just dropped."""

    def __init__(self, call: Callable[[], T], wake: Callable[[], None]) -> None:
        """Begin the call."""
        self._call = call
        self._wake = wake
        self._result: list[T] = []
        self._error: Exception | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, name="khoj-task", daemon=True).start()

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

    def _run(self) -> None:
        try:
            self._result.append(self._call())
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: `result` raises it
            self._error = error
        self._done.set()
        self._wake()
