"""The rpc face: one JSON object per line. Requests run in threads, so that none waits for another.

    client  {"id": 1, "method": "khoj/search", "params": {...}}
    daemon  {"method": "$/progress", "params": {"id": 1, "phase", "done", "total", "message", "eta_seconds"}}   any number
    daemon  {"id": 1, "result": ...}  or  {"id": 1, "error": {"code", "message", "data": {"code": "khoj.usage"}}}
    client  {"method": "$/cancel", "params": {"id": 1}}

The events of a turn of a chat come behind the answer to the request that has begun it:

    daemon  {"method": "khoj/chatEvent", "params": {...}}

A client that closes its side calls off all that it asked for.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import msgspec

from khoj_ls.core.errors import Cancelled, KhojError, UsageError
from khoj_ls.core.jobs import CancelToken, Progress, ProgressCallback
from khoj_ls.daemon.dial import REQUEST_LIMIT
from khoj_ls.wire.chat_messages import CHAT_EVENT, AnyChatEvent
from khoj_ls.wire.turns import Follow, Turn, forward

log = logging.getLogger(__name__)

Handler = Callable[[str, Mapping[str, Any], CancelToken, ProgressCallback, Follow], Any]
"""Does one request, in a thread: method, parameters, how to be stopped, how to report, who takes over a turn that it begins.

Raises MethodNotFound, KhojError.
"""

_PROGRESS_SECONDS = 0.05
"""Reports that come faster are left out, but for the first and last of a phase."""
_LAST_WORDS_SECONDS = 0.5
"""How long requests may take to answer once they are called off by the end of the connection."""


class MethodNotFound(Exception):
    """The method's name is not known."""


async def serve_rpc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler, executor: Executor) -> None:
    """Answer the requests of one connection until its end."""
    connection = _Connection(writer, handler, executor)
    try:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.LimitOverrunError:
                connection.fail(None, -32600, f"a request has at most {REQUEST_LIMIT} bytes")
                return
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            connection.receive(line)
    finally:
        await connection.end()


class _Connection:
    def __init__(self, writer: asyncio.StreamWriter, handler: Handler, executor: Executor) -> None:
        self._writer = writer
        self._handler = handler
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._running: dict[int | str, CancelToken] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._followed: set[Turn] = set()
        self._draining = asyncio.Lock()
        self._ended = False

    def receive(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            self.fail(None, -32700, "this line is not JSON")
            return
        method = message.get("method") if isinstance(message, dict) else None
        params = (message.get("params") or {}) if isinstance(message, dict) else {}
        if not isinstance(method, str) or not isinstance(params, dict):
            self.fail(None, -32600, "a request is an object with a method, and its params are an object")
            return
        request = message.get("id")
        if method == "$/cancel":
            token = self._running.get(params.get("id", ""))
            if token is not None:
                token.cancel()
        elif not isinstance(request, (int, str)) or request in self._running:
            self.fail(None, -32600, f"{method} wants an id, a number or a text, that no running request has")
        else:
            token = self._running[request] = CancelToken()
            self._start(self._answer(request, method, params, token))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: int | str, method: str, params: Mapping[str, Any], token: CancelToken) -> None:
        turns: list[Turn] = []

        def follow(turn: Turn) -> None:
            turns.append(turn)
            self._followed.add(turn)
            if self._ended:
                turn.cancel()

        def work() -> bytes:
            # The cost of a big result's JSON stays in the thread too.
            result = self._handler(method, params, token, self._reporter(request), follow)
            return _line({"id": request, "result": result})

        try:
            self._write(await self._loop.run_in_executor(self._executor, work))
            for turn in turns:
                self._start(self._follow(turn))
            await self._drain()
        except MethodNotFound:
            self.fail(request, -32601, f"there is no method {method}", UsageError.code)
        except KhojError as error:
            number = -32602 if isinstance(error, UsageError) else -32800 if isinstance(error, Cancelled) else -32803
            self.fail(request, number, str(error), error.code, error.details)
        except ConnectionError:  # nobody waits for the answer any more
            return
        except Exception as error:  # the boundary to the client: whatever it was, it gets an answer
            log.error("%s failed", method, exc_info=error)
            message = f"internal error ({type(error).__name__}); the log says more: khoj-ls daemon logs"
            self.fail(request, -32603, message, KhojError.code)
        finally:
            self._running.pop(request, None)

    async def _follow(self, turn: Turn) -> None:
        """Send the events of a turn; it does not outlive the connection."""

        async def send(event: AnyChatEvent) -> None:
            self._write(_line({"method": CHAT_EVENT, "params": event}))
            await self._drain()

        try:
            await forward(turn, send)
        except ConnectionError:
            return
        finally:
            self._followed.discard(turn)

    def _reporter(self, request: int | str) -> ProgressCallback:
        last = Progress("", 0, 0)
        last_time = 0.0

        def report(progress: Progress) -> None:
            nonlocal last, last_time
            now = time.monotonic()
            ends = progress.phase != last.phase or (progress.done >= progress.total > 0)
            if progress == last or not (ends or now - last_time >= _PROGRESS_SECONDS):
                return
            last, last_time = progress, now
            line = _line({"method": "$/progress", "params": {"id": request, **asdict(progress)}})
            self._loop.call_soon_threadsafe(self._write, line)

        return report

    def fail(
        self,
        request: int | str | None,
        code: int,
        message: str,
        kind: str = UsageError.code,
        details: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._write(_line({"id": request, "error": {"code": code, "message": message, "data": {**details, "code": kind}}}))

    def _write(self, line: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(line)

    async def _drain(self) -> None:
        """Wait until the client has read most of what was written. Raises ConnectionError."""
        async with self._draining:  # Python 3.10 lets only one wait
            await self._writer.drain()

    async def end(self) -> None:
        """Call off what runs; a client that still listens hears of it."""
        self._ended = True
        for turn in list(self._followed):
            turn.cancel()
        for token in self._running.values():
            token.cancel()
        if self._tasks:
            _, slow = await asyncio.wait(self._tasks, timeout=_LAST_WORDS_SECONDS)
            for task in slow:
                task.cancel()


def _line(message: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(message) + b"\n"
    except UnicodeEncodeError:
        # Names of files that are not UTF-8 hold lone surrogates, which only json lets through.
        return json.dumps(msgspec.to_builtins(message), separators=(",", ":")).encode() + b"\n"
