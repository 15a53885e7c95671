"""Requests to the daemon from a program of one thread: the command line's side of the rpc face. Standard library only."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from khoj_ls.core.errors import Cancelled, DaemonError, KhojError, UsageError, named_error
from khoj_ls.core.jobs import Progress, ProgressCallback
from khoj_ls.daemon.dial import REQUEST_LIMIT, Link, dial

_CHUNK = 1 << 16
_ENDS = ("done", "failed")
_LOST = "the daemon ended while it worked: try again (khoj-ls daemon logs shows why)"
_CANCEL_SECONDS = 0.8
"""How long the daemon's last word is waited for after Ctrl-C."""


class DaemonClient:
    """One connection to the daemon; a context manager. Closing it calls off what it asked for."""

    def __init__(self, link: Link) -> None:
        """Use an accepted connection (see `connect`)."""
        self._socket = link.socket
        self._buffer = bytearray(link.reply.rest)
        self._last_id = 0
        self.version = link.reply.version
        """The daemon's version."""
        self.pid = link.reply.pid
        """The daemon's process id."""

    @classmethod
    def connect(cls, start: bool = True, *, face: str = "rpc") -> DaemonClient:
        """Reach the daemon; `start` starts it when none runs. Raises NotRunning, DaemonError."""
        return cls(dial(face, start=start))

    def call(self, method: str, params: Mapping[str, Any] | None = None, on_progress: ProgressCallback | None = None) -> Any:
        """The result of `method` (`khoj/search`, `daemon/status`, ...) as plain values.

        Raises the KhojError that the daemon raised; Cancelled on Ctrl-C, when the daemon has stopped the work (or has not
        said so in time); DaemonError when the daemon is lost.
        """
        self._last_id += 1
        request = self._last_id
        self._send({"id": request, "method": method, "params": dict(params or {})})
        try:
            return self._answer(request, on_progress)
        except KeyboardInterrupt:
            self._call_off(request)
            raise Cancelled("cancelled") from None

    def stream(self, method: str, params: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """The events of the turn that `method` (`khoj/chat`) begins, as plain values, up to `done` or `failed`.

        Ctrl-C calls the turn off, and its `failed` is still yielded; so does closing the iterator, which waits for nothing.
        Raises as `call` does where the turn cannot begin or the daemon is lost; Cancelled where the turn does not end in time.
        """
        started = self.call(method, params)
        over = False
        try:
            for event in self._events(started["turn"]):
                over = event["kind"] in _ENDS
                yield event
        except KeyboardInterrupt:
            for event in self._last_events(started["turn"]) if not over else ():
                over = event["kind"] in _ENDS
                yield event
        finally:
            if not over:
                self._cancel_turn(started["turn"])

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def __enter__(self) -> DaemonClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _answer(self, request: int, on_progress: ProgressCallback | None) -> Any:
        for message in self._messages():
            if message.get("method") == "$/progress":
                params = message["params"]
                if on_progress is not None and params.pop("id") == request:
                    on_progress(Progress(**params))
            elif message.get("id") == request:
                if (error := message.get("error")) is not None:
                    raise error_of(error)
                return message.get("result")
        raise DaemonError(_LOST)

    def _events(self, turn: str) -> Iterator[dict[str, Any]]:
        for message in self._messages():
            event: dict[str, Any] = message.get("params") or {}
            if message.get("method") == "khoj/chatEvent" and event["turn"] == turn:
                yield event
                if event["kind"] in _ENDS:
                    return
        raise DaemonError(_LOST)

    def _last_events(self, turn: str) -> Iterator[dict[str, Any]]:
        """Call a turn off; what it still says, if it ends in time. Raises Cancelled."""
        self._cancel_turn(turn)
        self._socket.settimeout(_CANCEL_SECONDS)
        try:
            yield from self._events(turn)
        except TimeoutError:
            raise Cancelled("cancelled") from None
        finally:
            with contextlib.suppress(OSError):  # closed meanwhile
                self._socket.settimeout(None)

    def _cancel_turn(self, turn: str) -> None:
        """Call a turn off without waiting: the answer to this is passed over."""
        self._last_id += 1
        with contextlib.suppress(DaemonError):
            self._send({"id": self._last_id, "method": "khoj/chat/cancel", "params": {"turn": turn}})

    def _messages(self) -> Iterator[dict[str, Any]]:
        """Messages until the daemon closes the connection."""
        searched = 0
        while True:
            end = self._buffer.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                searched = 0
                yield json.loads(line)
                continue
            searched = len(self._buffer)
            try:
                chunk = self._socket.recv(_CHUNK)
            except TimeoutError:  # only after Ctrl-C is there a limit
                raise
            except OSError:  # reset: the daemon was killed
                chunk = b""
            if not chunk:
                return
            self._buffer += chunk

    def _send(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        if len(line) > REQUEST_LIMIT:
            told = f"{message['method']} has {len(line):,} bytes, and the daemon takes {REQUEST_LIMIT:,}"
            raise UsageError(f"{told}: send less at once (fewer pictures, or such as lie in the vault)")
        try:
            self._socket.sendall(line)
        except OSError as error:
            raise DaemonError("the daemon is gone: try again (khoj-ls daemon logs shows why)") from error

    def _call_off(self, request: int) -> None:
        """Cancel and wait a little, so that the shell's next command finds the work stopped."""
        try:
            self._send({"method": "$/cancel", "params": {"id": request}})
            self._socket.settimeout(_CANCEL_SECONDS)
            self._answer(request, None)
        except (KhojError, TimeoutError):
            return
        finally:
            self._socket.settimeout(None)


def error_of(error: Mapping[str, Any]) -> KhojError:
    """The exception for an error of the wire: the subclass of KhojError that has its `data.code`; the data as its details."""
    data = error.get("data") or {}
    return named_error(data.get("code"), error["message"], {name: value for name, value in data.items() if name != "code"})
