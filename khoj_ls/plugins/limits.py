"""Calling code of others: on a thread of its own, no longer than is bearable, and whatever it raises is one kind of error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from khoj_ls.core.jobs import CancelToken

T = TypeVar("T")

_LOOK_SECONDS = 0.05


class PluginFault(Exception):
    """What code of others did wrong, as one clause for people."""


class Overdue(PluginFault):
    """It has not returned in time, and still runs."""


class Attempt(Generic[T]):
    """One call on a thread of its own. A thread cannot be ended from outside: one that hangs is left behind."""

    def __init__(self, call: Callable[[], T], name: str) -> None:
        """Begin the call; `name` is that of the thread."""
        self._call = call
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether the call has not returned."""
        return not self._done.is_set()

    def result(self, seconds: float, token: CancelToken | None = None) -> T:
        """What the call returns. Raises PluginFault where it raises, Overdue after `seconds`, Cancelled."""
        until = time.monotonic() + seconds
        while not self._done.wait(min(_LOOK_SECONDS, seconds) if token else seconds):
            if token:
                token.raise_if_cancelled()
            if time.monotonic() >= until:
                raise Overdue(f"it took longer than {seconds:.2g} s")
        if isinstance(self._error, PluginFault):
            raise self._error
        if self._error is not None:
            raise PluginFault(described(self._error)) from self._error
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._call())
        except BaseException as error:  # noqa: BLE001 - the boundary to code of others, SystemExit included: `result` tells it
            self._error = error
        self._done.set()


def within(seconds: float, call: Callable[[], T], name: str = "khoj-plugin") -> T:
    """What `call` returns. Raises PluginFault where it raises or takes longer than `seconds`."""
    return Attempt(call, name).result(seconds)


def described(error: BaseException) -> str:
    """An error of others in one clause; even one whose text cannot be made."""
    try:
        text = " ".join(str(error).split())[:500]
    except Exception:  # noqa: BLE001 - its __str__ is code of others, too
        text = ""
    return f"{type(error).__name__}: {text}".rstrip(": ")
