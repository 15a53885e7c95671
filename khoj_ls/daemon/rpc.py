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
import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import msgspec

from khoj_ls.core.errors import Cancelled, KhojError, UsageError
from khoj_ls.core.jobs import CancelToken, Progress, ProgressCallback
from khoj_ls.daemon.dial import REQUEST_LIMIT
from khoj_ls.daemon.outgoing import Outgoing
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
                connection.refuse(-32600, f"a request has at most {REQUEST_LIMIT} bytes")
                return
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            connection.receive(line)
    finally:
        await connection.end()


class _Connection:
    def __init__(self, writer: asyncio.StreamWriter, handler: Handler, executor: Executor) -> None:
        self._outgoing = Outgoing(writer)
        self._handler = handler
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._running: dict[int | str, CancelToken] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._followed: set[Turn] = set()
        self._begun = 0
        """Requests whose threads have not ended."""
        self._answered = asyncio.Event()
        self._ended = False

    def receive(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            self.refuse(-32700, "this line is not JSON")
            return
        method = message.get("method") if isinstance(message, dict) else None
        params = (message.get("params") or {}) if isinstance(message, dict) else {}
        if not isinstance(method, str) or not isinstance(params, dict):
            self.refuse(-32600, "a request is an object with a method, and its params are an object")
            return
        request = message.get("id")
        if method == "$/cancel":
            token = self._running.get(params.get("id", ""))
            if token is not None:
                token.cancel()
        elif not isinstance(request, (int, str)) or request in self._running:
            self.refuse(-32600, f"{method} wants an id, a number or a text, that no running request has")
        else:
            token = self._running[request] = CancelToken()
            self._begun += 1
            self._executor.submit(self._answer, request, method, params, token)

    def _answer(self, request: int | str, method: str, params: Mapping[str, Any], token: CancelToken) -> None:
        """Do a request and write the answer; in a thread."""
        turns: list[Turn] = []

        def follow(turn: Turn) -> None:
            turns.append(turn)
            self._followed.add(turn)
            if self._ended:
                turn.cancel()

        try:
            result = self._handler(method, params, token, self._reporter(request), follow)
            # The cost of a big result's JSON stays in the thread too.
            line = _line({"id": request, "result": result})
        except MethodNotFound:
            line = _failure(request, -32601, f"there is no method {method}", UsageError.code)
        except KhojError as error:
            number = -32602 if isinstance(error, UsageError) else -32800 if isinstance(error, Cancelled) else -32803
            line = _failure(request, number, str(error), error.code, error.details)
        except Exception as error:  # the boundary to the client: whatever it was, it gets an answer
            log.error("%s failed", method, exc_info=error)
            message = f"internal error ({type(error).__name__}); the log says more: khoj-ls daemon logs"
            line = _failure(request, -32603, message, KhojError.code)
        # First: who has the answer may use the id again.
        del self._running[request]
        self._outgoing.send(line)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon has ended
            self._loop.call_soon_threadsafe(self._over, turns)

    def _over(self, turns: Sequence[Turn]) -> None:
        """A request was answered."""
        self._begun -= 1
        self._answered.set()
        for turn in turns:
            task = self._loop.create_task(self._follow(turn))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _follow(self, turn: Turn) -> None:
        """Send the events of a turn; it does not outlive the connection."""

        async def send(event: AnyChatEvent) -> None:
            self._outgoing.send(_line({"method": CHAT_EVENT, "params": event}))
            await self._outgoing.drain()

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
            self._outgoing.send(line)

        return report

    def refuse(self, code: int, message: str) -> None:
        """Tell that something is no request."""
        self._outgoing.send(_failure(None, code, message))

    async def end(self) -> None:
        """Call off what runs; a client that still listens hears of it."""
        self._ended = True
        for turn in list(self._followed):
            turn.cancel()
        for token in list(self._running.values()):
            token.cancel()
        try:
            with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
                await asyncio.wait_for(self._last_words(), _LAST_WORDS_SECONDS)
        finally:
            for task in self._tasks:
                task.cancel()
            self._outgoing.close()

    async def _last_words(self) -> None:
        """Wait until every request was answered, and every turn told to its end."""
        while self._begun:
            self._answered.clear()
            await self._answered.wait()
        if self._tasks:
            await asyncio.wait(self._tasks)


def _failure(
    request: int | str | None,
    code: int,
    message: str,
    kind: str = UsageError.code,
    details: Mapping[str, Any] = MappingProxyType({}),
) -> bytes:
    return _line({"id": request, "error": {"code": code, "message": message, "data": {**details, "code": kind}}})


def _line(message: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(message) + b"\n"
    except UnicodeEncodeError:
        # Names of files that are not UTF-8 hold lone surrogates, which only json lets through.
        return json.dumps(msgspec.to_builtins(message), separators=(",", ":")).encode() + b"\n"
