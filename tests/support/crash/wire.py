"""The Language Server Protocol byte by byte, as a client that may say anything speaks it through the real relay."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

Message = dict[str, Any]
PATIENCE = 60.0


class Silent(Exception):
    """What was waited for did not come in time, or cannot come any more."""


class Wire:
    """One relay process. What it says is taken apart strictly: a frame that is not one is told as an error."""

    def __init__(self, environment: Mapping[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "khoj_ls", *(arguments or ("lsp",))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
        )
        self.said: list[Message] = []
        """All that came, but for the requests, which are answered with null."""
        self.wrong: list[str] = []
        """What came and is no message."""
        self.over = False
        """Whether nothing comes any more."""
        self._news = threading.Condition()
        self._last_id = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def raw(self, data: bytes) -> bool:
        """Write bytes as they are; False when nobody reads them."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except (OSError, ValueError):
            return False
        return True

    def send(self, message: object) -> bool:
        """Write one framed message; False when nobody reads it."""
        return self.raw(framed(json.dumps(message).encode()))

    def notify(self, method: str, params: object = None) -> bool:
        return self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object = None) -> int:
        """Send a request; returns its id."""
        self._last_id += 1
        self.send({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        return self._last_id

    def ask(self, method: str, params: object = None, seconds: float = PATIENCE) -> Message:
        """The response to a request. Raises Silent."""
        number = self.request(method, params)
        return self.until(lambda message: message.get("id") == number and "method" not in message, seconds)

    def until(self, wanted: Callable[[Message], bool], seconds: float = PATIENCE) -> Message:
        """The first message that came, or comes, that is `wanted`. Raises Silent."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for message in self.said:
                    if wanted(message):
                        return message
                if self.over or not self._news.wait(max(0.0, deadline - time.monotonic())):
                    raise Silent(f"the relay has {'ended' if self.over else 'nothing to say'}")

    def responses(self, number: object) -> list[Message]:
        """What came in answer to a request of this id."""
        with self._news:
            return [message for message in self.said if "method" not in message and message.get("id") == number]

    def start(self, root: str) -> Message:
        """Say initialize and initialized."""
        folders = [{"uri": root, "name": "notes"}]
        answer = self.ask("initialize", {"processId": None, "rootUri": root, "workspaceFolders": folders, "capabilities": {}})
        self.notify("initialized", {})
        return answer

    def leave(self, seconds: float = PATIENCE) -> int:
        """Close our side without a word; the exit status. Raises Silent when the relay does not end."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # what was not written yet is for nobody
            self.process.stdin.close()
        return self.ended(seconds)

    def ended(self, seconds: float = PATIENCE) -> int:
        """The exit status. Raises Silent when the relay does not end by itself."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Silent("the relay does not end") from None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while (length := self._length(stream)) is not None:
            body = stream.read(length)
            if len(body) < length:
                break
            self._take(body)
        with self._news:
            self.over = True
            self._news.notify_all()

    def _length(self, stream: Any) -> int | None:
        found = None
        while line := stream.readline():
            if line == b"\r\n":
                if found is None:
                    self.wrong.append("a header without Content-Length")
                return found
            name, _, value = line.partition(b":")
            if not line.endswith(b"\r\n") or name not in (b"Content-Length", b"Content-Type"):
                self.wrong.append(f"not a header: {line[:80]!r}")
            elif name == b"Content-Length":
                found = int(value)
        return None

    def _take(self, body: bytes) -> None:
        try:
            message = json.loads(body)
        except ValueError:
            self.wrong.append(f"not JSON: {body[:80]!r}")
            return
        if "method" in message and "id" in message:
            self.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            return
        with self._news:
            self.said.append(message)
            self._news.notify_all()


def framed(body: bytes) -> bytes:
    """A message with its header."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
