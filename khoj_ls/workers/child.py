"""Start, talk to and end a worker process.

A worker is `python -m MODULE` with frames on its standard input and output; its standard error goes to the log. It ends by
itself when its standard input closes, so a daemon that is killed leaves no worker behind.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple, cast

import msgspec

from khoj_ls.workers.frames import HEAD_BYTES, read_frame, write_body, write_frame

_MOST_TIMES = 10
"""No worker is waited for longer than so many times its limit."""
_LOOK_SECONDS = 1.0


class ChildGone(Exception):
    """The worker ended, was killed, or did not answer in time."""


class Child:
    """One running worker process. `send` and `receive` may be used by different threads, each by one thread at a time."""

    def __init__(self, module: str, arguments: Sequence[str] = (), *, environment: Mapping[str, str] | None = None) -> None:
        """Start `python -m module arguments` with `environment` added to this process's."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        self._send_lock = threading.Lock()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def send(self, message: Any) -> None:
        """Send one message. Raises ChildGone."""
        try:
            with self._send_lock:
                write_frame(cast(BinaryIO, self._process.stdin), message)
        except (OSError, ValueError) as error:
            raise ChildGone(f"worker {self.pid} is gone") from error

    def send_at_once(self, message: Any) -> bool:
        """Send one message where that waits for nothing; False where it might, or the system cannot tell. Raises ChildGone."""
        body = msgspec.msgpack.encode(message)
        # So much a pipe takes whole and at once, where it takes anything (pipe(7)).
        if len(body) + HEAD_BYTES > getattr(select, "PIPE_BUF", 0) or not self._send_lock.acquire(blocking=False):
            return False
        stream = cast(BinaryIO, self._process.stdin)
        try:
            room = select.poll()
            room.register(stream, select.POLLOUT)
            if not room.poll(0):
                return False
            write_body(stream, body)
        except (OSError, ValueError) as error:
            raise ChildGone(f"worker {self.pid} is gone") from error
        finally:
            self._send_lock.release()
        return True

    def receive(self, timeout: float | None = None) -> bytes:
        """The next message, still encoded. Raises ChildGone when the worker ended or was killed after `timeout` seconds.

        One that works, but for which a busy machine has little time, is not killed before it had half of that time of a
        processor, or ten times the `timeout` are over.
        """
        over = threading.Event()
        timer = threading.Timer(timeout, end_overdue, (self._process, timeout, over)) if timeout is not None else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            body = read_frame(cast(BinaryIO, self._process.stdout))
        except (OSError, ValueError) as error:
            raise ChildGone(f"worker {self.pid} is gone") from error
        finally:
            over.set()
            if timer:
                timer.cancel()
        if body is None:
            raise ChildGone(f"worker {self.pid} ended with status {self._process.wait()}")
        return body

    def close(self, grace_seconds: float = 0.3) -> None:
        """Close the worker's input, wait `grace_seconds` for its end, then kill it."""
        with contextlib.suppress(OSError):
            cast(BinaryIO, self._process.stdin).close()
        try:
            self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        with contextlib.suppress(OSError):
            cast(BinaryIO, self._process.stdout).close()

    def kill(self) -> None:
        """End the process at once and reap it."""
        self._process.kill()
        self._process.wait()


def end_overdue(
    process: subprocess.Popen[bytes], seconds: float, over: threading.Event, look: Callable[[int], Look] | None = None
) -> None:
    """Kill a process that has not answered for `seconds`; once nobody waits any more (`over`), nothing is done.

    While it works, and waits for a processor or a page of memory, it may have half of that time still, of a processor.
    """
    look, until = look or _look, time.monotonic() + seconds * (_MOST_TIMES - 1)
    now = look(process.pid)
    enough = now.cpu_seconds + seconds / 2
    while now.works and now.cpu_seconds < enough and time.monotonic() < until:
        if over.wait(min(_LOOK_SECONDS, seconds / 4)):
            return
        now = look(process.pid)
    if not over.is_set():
        process.kill()


class Look(NamedTuple):
    """How a process is."""

    works: bool
    """Whether it would go on if it could; False while it sleeps, and once it is gone."""
    cpu_seconds: float


def _look(pid: int) -> Look:
    # Imported here: only a worker that takes long needs it.
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return Look(process.status() in (psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP), times.user + times.system)
    except psutil.Error:
        return Look(False, 0.0)


def limit_this_process(*, memory_mb: int = 0, nice: int = 0) -> None:
    """Called by a worker on itself: lower its priority and cap its address space, where the platform can."""
    if nice and hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(nice)
    if memory_mb:
        try:
            import resource
        except ImportError:  # Windows has no such limit; the time limit still holds
            return
        limit = memory_mb * 1024 * 1024
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
