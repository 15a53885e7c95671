"""Start, talk to and end a worker process.

A worker is `python -m MODULE` with frames on its standard input and output; its standard error goes to the log. It ends by
itself when its standard input closes, so a daemon that is killed leaves no worker behind.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, cast

from khoj_ls.workers.frames import read_frame, write_frame


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

    def receive(self, timeout: float | None = None) -> bytes:
        """The next message, still encoded. Raises ChildGone when the worker ended or was killed after `timeout` seconds."""
        timer = threading.Timer(timeout, self._process.kill) if timeout is not None else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            body = read_frame(cast(BinaryIO, self._process.stdout))
        except (OSError, ValueError) as error:
            raise ChildGone(f"worker {self.pid} is gone") from error
        finally:
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
