"""The daemon's socket server: one task per connection, each connection to its face, and the rules of when to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from khoj_ls import __version__
from khoj_ls.core.errors import DaemonError
from khoj_ls.core.jobs import CancelToken, ProgressCallback
from khoj_ls.daemon.admission import Hello, Newer, Refused, admit, reply, turn_away
from khoj_ls.daemon.dial import REQUEST_LIMIT
from khoj_ls.daemon.listen import Listener, PeerUid, peer_uid
from khoj_ls.daemon.rpc import Handler, MethodNotFound, serve_rpc
from khoj_ls.wire.turns import Follow

log = logging.getLogger(__name__)

Status = Callable[[], "dict[str, Any]"]
"""What the daemon says of itself (`Server.status`)."""

LspFace = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Hello, Status], Awaitable[None]]
"""Serves one editor until its connection ends."""

RpcFace = Callable[[Hello, Status], Handler]
"""Makes the handler of one rpc connection."""

_MAX_REQUESTS = 128
"""Requests of all rpc connections that run at once; threads are made as they are needed."""
_MAKE_ROOM_SECONDS = 5.0
"""How long the next daemon is kept waiting while we let go of what it may need."""
_STOP_SECONDS = 1.0
"""How long connections may take to end when the daemon stops."""


def _nothing() -> None:
    """Nothing to do."""


@dataclass(frozen=True)
class Serving:
    """What a daemon serves, and how."""

    lsp: LspFace
    rpc: RpcFace
    idle_exit_seconds: float = 1800.0
    """The daemon ends after this long without a session; 0 keeps it."""
    busy: Callable[[], bool] = lambda: False
    """Whether work goes on that an idle daemon must not drop; called in a thread."""
    tidy: Callable[[], None] = _nothing
    """Called every `watch_seconds`, in a thread."""
    make_room: Callable[[], None] = _nothing
    """The same, but a newer daemon is taking over: let go of all that no session uses."""
    describe: Callable[[], Mapping[str, Any]] = dict
    """More words for daemon/status; called in a thread."""
    prepare_lsp: Callable[[], None] = _nothing
    """Imports what editors need, so that the first one need not wait for it; called in a thread."""
    close: Callable[[], None] = _nothing
    """Called once at the end, in a thread. Nothing may depend on it: a daemon can be killed."""
    log_path: str = ""
    watch_seconds: float = 5.0
    """How often it is looked whether the socket still stands."""
    peer_uid: PeerUid = field(default=peer_uid)
    version: str = __version__


class Server:
    """One running daemon."""

    def __init__(self, listener: Listener, serving: Serving) -> None:
        """Serve on `listener`, which becomes the server's own; `run` begins it."""
        self._listener = listener
        self._serving = serving
        self._started = time.monotonic()
        self._executor = ThreadPoolExecutor(_MAX_REQUESTS, thread_name_prefix="rpc")
        self._connections: set[asyncio.Task[None]] = set()
        self._sessions: dict[asyncio.Task[None], Hello] = {}
        self._finishing = False
        self._idle: asyncio.Task[None] | None = None

    async def run(self, ready: Callable[[], None] = _nothing) -> None:
        """Serve until told to stop, replaced, or idle for long enough; `ready` is called when connections are answered."""
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._let_go = asyncio.Event()
        self._accepting = await self._accept_on(self._listener)
        watching = asyncio.create_task(self._watch())
        self._rest()
        ready()
        log.info("khoj-ls %s serves (process %d, %s)", __version__, os.getpid(), self._listener.transport)
        await self._stopping.wait()
        watching.cancel()
        self._withdraw()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=_STOP_SECONDS)
        self._executor.shutdown(wait=False, cancel_futures=True)
        log.info("khoj-ls ends (process %d)", os.getpid())

    def stop(self, reason: str) -> None:
        """End soon; may be called from any thread once `run` has said that it is ready."""

        def end() -> None:
            log.info("stopping: %s", reason)
            self._stopping.set()

        self._loop.call_soon_threadsafe(end)

    def status(self) -> dict[str, Any]:
        """pid, version, uptime_seconds, sessions, transport, log, and what `Serving.describe` adds."""
        return {
            "pid": os.getpid(),
            "version": self._serving.version,
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "sessions": len(self._sessions),
            "transport": self._listener.transport,
            "log": self._serving.log_path,
            **self._serving.describe(),
        }

    @property
    def session_count(self) -> int:
        """Editors and shells that are connected now."""
        return len(self._sessions)

    # -- connections -----------------------------------------------------------------------------------------------

    async def _accept_on(self, listener: Listener) -> asyncio.AbstractServer:
        # A connection belongs to the token it was accepted under, also when the listener is made anew later.
        token = listener.token

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._connection(reader, writer, token)

        if token is None:
            return await asyncio.start_unix_server(connected, sock=listener.socket, limit=REQUEST_LIMIT)
        return await asyncio.start_server(connected, sock=listener.socket, limit=REQUEST_LIMIT)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            hello = await self._admitted(reader, writer, token)
            if hello is not None:
                await self._session(task, hello, reader, writer)
        except ConnectionError as error:
            log.debug("a connection broke: %s", error)
        except asyncio.CancelledError:
            # Only `run` cancels: the daemon ends, and with this task nothing else does.
            log.debug("a connection is closed: the daemon ends")
        except (Exception, SystemExit) as error:
            # The boundary of one client: whatever goes wrong in its face (pygls ends the process on `exit`) ends it alone.
            log.error("a connection failed", exc_info=error)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _admitted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str | None) -> Hello | None:
        serving = self._serving
        try:
            hello = await admit(reader, writer, token=token, peer_uid=serving.peer_uid, version=serving.version)
            if hello is not None and self._finishing and hello.face != "control":
                # Accepted before the socket was withdrawn; the next daemon serves it.
                raise Newer
        except Refused as error:
            if isinstance(error, Newer):
                self._finish("a newer version asks for it")
            else:
                log.warning("refused a connection: %s", error)
            await turn_away(reader, writer, error)
            return None
        return hello

    async def _session(
        self, task: asyncio.Task[None], hello: Hello, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        counts = hello.face != "control"
        if counts:
            self._sessions[task] = hello
            self._stir()
        log.info("%s session of process %d (version %s) begins", hello.face, hello.pid, hello.version)
        try:
            writer.write(reply(ok=True))
            if hello.face == "lsp":
                await self._serving.lsp(reader, writer, hello, self.status)
            else:
                await serve_rpc(reader, writer, self._handler(hello), self._executor)
        finally:
            log.info("%s session of process %d ends", hello.face, hello.pid)
            if counts:
                del self._sessions[task]
                self._rest()

    def _handler(self, hello: Hello) -> Handler:
        serve = None if hello.face == "control" else self._serving.rpc(hello, self.status)

        def handle(
            method: str, params: Mapping[str, Any], token: CancelToken, progress: ProgressCallback, follow: Follow
        ) -> Any:
            if method == "daemon/status":
                return self.status()
            if method == "daemon/logs":
                return {"path": self._serving.log_path}
            if method == "daemon/stop":
                self.stop(f"asked by process {hello.pid}")
                return {"pid": os.getpid()}
            if serve is None:
                raise MethodNotFound(method)
            return serve(method, params, token, progress, follow)

        return handle

    # -- when to end -----------------------------------------------------------------------------------------------

    def _stir(self) -> None:
        """A session has begun."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _rest(self) -> None:
        """The last session may have ended."""
        if self._sessions:
            return
        if self._finishing:
            self._stopping.set()
        elif self._serving.idle_exit_seconds:
            self._stir()
            self._idle = self._loop.create_task(self._end_if_idle())

    async def _end_if_idle(self) -> None:
        """End after a time without a session (one that begins cancels this) and without work."""
        await asyncio.sleep(self._serving.idle_exit_seconds)
        while await asyncio.to_thread(self._serving.busy):
            await asyncio.sleep(self._serving.idle_exit_seconds)
        self.stop(f"no session for {self._serving.idle_exit_seconds:g} s")

    def _finish(self, reason: str) -> None:
        """Accept nobody any more, and end with the last session."""
        if self._finishing:
            return
        log.info("finishing: %s", reason)
        self._finishing = True
        self._withdraw()
        self._let_go.set()
        self._stir()
        self._rest()

    def _withdraw(self) -> None:
        self._accepting.close()
        self._listener.withdraw()

    async def _watch(self) -> None:
        """Tidy up now and then; put the socket back when somebody (a cleaner of /tmp, a user) has removed it."""
        while True:
            with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
                await asyncio.wait_for(self._let_go.wait(), self._serving.watch_seconds)
            if self._finishing:
                with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
                    await asyncio.wait_for(asyncio.to_thread(_guarded, self._serving.make_room), _MAKE_ROOM_SECONDS)
                # Only now: the next daemon finds every index that no session of ours uses closed.
                self._listener.release()
                await asyncio.sleep(self._serving.watch_seconds)
                continue
            await asyncio.to_thread(_guarded, self._serving.tidy)
            if not (self._finishing or self._listener.intact):
                await self._listen_anew()

    async def _listen_anew(self) -> None:
        """Take the place again, or end if another daemon has it by now."""
        log.warning("the socket in %s was removed; making it anew", self._listener.folder)
        self._withdraw()
        self._listener.release()
        try:
            self._listener = Listener(self._listener.folder)
        except DaemonError as error:
            self._finish(str(error))
        else:
            self._accepting = await self._accept_on(self._listener)


def _guarded(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception as error:  # housekeeping must not end the daemon; the log tells
        log.error("housekeeping failed", exc_info=error)
