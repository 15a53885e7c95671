"""A receiver of webhooks on this machine that fails, stalls and dies as a script or a seeded chance says."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MOODS = ("ok", "ok", "ok", "error", "stall", "cut", "half", "lost", "die")


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes
    mood: str

    @property
    def delivery(self) -> str:
        return self.headers["X-Khoj-Delivery"]

    @property
    def taken(self) -> bool:
        """Whether the sender must know that it arrived."""
        return self.mood == "ok"


class MoodyReceiver:
    """`mood` is asked with every request: ok, error (500), stall, cut (no answer), half (an answer), drip (without end), lost
    (taken, no answer), die (no answer, and nobody listens for a moment), or the bytes of an answer of its own.

    With `certificate`, a file with a key and a certificate, it speaks TLS."""

    def __init__(self, mood: Callable[[], str] = lambda: "ok", certificate: Path | None = None) -> None:
        self.received: list[Received] = []
        self._mood = mood
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._port = 0
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if self._tls:
            self._tls.load_cert_chain(certificate)
        self._listen()

    @classmethod
    def seeded(cls, seed: int) -> MoodyReceiver:
        chance = random.Random(seed)
        return cls(lambda: chance.choice(MOODS))

    @classmethod
    def scripted(cls, moods: Sequence[str]) -> MoodyReceiver:
        left = list(moods)
        return cls(lambda: left.pop(0) if left else "ok")

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}/hook?x=1"

    def taken(self) -> list[Received]:
        with self._lock:
            return [each for each in self.received if each.taken]

    def close(self) -> None:
        self._over.set()
        self._shut()

    def _listen(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._lock:
                    mood = receiver._mood()
                    receiver.received.append(Received(dict(self.headers), body, mood))
                receiver._answer(self, mood)

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *arguments: object) -> None:
                pass

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        if self._tls:
            # The handshake is made by the thread of a connection, with its first read.
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _shut(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, mood: str) -> None:
        if mood in ("ok", "error"):
            handler.send_response(204 if mood == "ok" else 500)
            handler.end_headers()
        elif mood == "stall":
            self._over.wait(5)
        elif mood == "half":
            handler.wfile.write(b"HTTP/1.1 20")
        elif mood == "drip":
            with contextlib.suppress(OSError):
                while not self._over.wait(0.02):
                    handler.wfile.write(b"x")
        elif mood == "die":
            handler.connection.shutdown(socket.SHUT_RDWR)
            threading.Thread(target=self._die, daemon=True).start()
        elif mood not in ("cut", "lost"):
            handler.wfile.write(mood.encode())
        handler.close_connection = True

    def _die(self) -> None:
        with self._lock:
            self._shut()
            self._over.wait(0.05)  # how long nobody listens: a death of the receiver
            if not self._over.is_set():
                self._listen()
