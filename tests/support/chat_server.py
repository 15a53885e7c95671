"""Chat services played by a real HTTP server on loopback, in the wire formats of OpenAI, Anthropic and Ollama.

    with ChatServer(["first answer", Reply(status=429, headers={"Retry-After": "0"}), "second answer"]) as server:
        ...  # openai: server.url; Anthropic and Ollama: server.root
    server.requests[0].body

Each request takes the next line of the script; the last one holds for all that follow. A script may also be a function of the
request's body that gives a line. The path decides the format: /v1/chat/completions, /v1/messages, /api/chat.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chat_formats import PIECES, Anthropic, Ollama, OpenAi, Reply, Wire

__all__ = ["PIECES", "ChatServer", "Reply", "Request"]

Line = str | Reply
Script = Sequence[Line] | Callable[[Any], Line]


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    path: str
    headers: Mapping[str, str]
    body: Any
    """Decoded JSON; None for a GET."""

    @property
    def text(self) -> str:
        """All that was sent, to look for what should not be in it."""
        return json.dumps(self.body, ensure_ascii=False)


class ChatServer:
    """A context manager that serves a script. `url` ends in /v1, `root` does not."""

    def __init__(
        self,
        script: Script = (),
        *,
        models: Mapping[str, int] | None = None,
        tokens: Callable[[str], int] | None = None,
        short: bytes | None = None,
    ):
        """`models`: names with their windows, for lists; `tokens`: what /tokenize counts (none: the path is not there).

        `short`: the body that answers each short question, whatever it asks.
        """
        self._script = script
        self.models = dict(models or {})
        self.tokens = tokens
        self.short = short
        self.requests: list[Request] = []
        """Those for an answer."""
        self.asked: list[Request] = []
        """The others: lists, windows, counts."""
        self.gone = threading.Semaphore(0)
        """Released once for each client that closed its connection before its answer was whole."""
        self.open = 0
        """Connections that are open now."""
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.chat = self
        self.root = f"http://127.0.0.1:{self._http.server_port}"
        self.url = f"{self.root}/v1"

    def __enter__(self) -> ChatServer:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def next_line(self, request: Request) -> Reply:
        """Note a request and give the line of the script that answers it."""
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        if callable(self._script):
            line = self._script(request.body)
        else:
            line = self._script[min(number, len(self._script) - 1)] if self._script else Reply()
        return Reply(pieces=_words(line)) if isinstance(line, str) else line

    def count_open(self, change: int) -> None:
        """One connection more or less."""
        with self._lock:
            self.open += change


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    chat: ChatServer

    def handle_error(self, request, client_address):
        """A client that is gone is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def setup(self):
        super().setup()
        self.server.chat.count_open(1)

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()
        self.server.chat.count_open(-1)

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        chat = self.server.chat
        chat.asked.append(Request(self.path, dict(self.headers), None))
        if chat.short is not None:
            self._body(200, chat.short)
        elif self.path == "/v1/models":
            listed = [{"id": name, "object": "model", "max_model_len": window} for name, window in chat.models.items()]
            self._json(200, {"object": "list", "data": listed})
        elif self.path == "/api/tags":
            listed = [{"name": name, "model": name, "size": 4_000_000_000} for name in chat.models]
            self._json(200, {"models": listed})
        elif self.path == "/props" and chat.tokens and chat.models:
            window = next(iter(chat.models.values()))
            self._json(200, {"default_generation_settings": {"n_ctx": window}, "total_slots": 1})
        else:
            self._json(404, {"error": {"message": "not found"}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        request = Request(self.path, dict(self.headers), body)
        answer = {
            "/v1/chat/completions": OpenAi,
            "/v1/messages": Anthropic,
            "/api/chat": Ollama,
        }.get(self.path.partition("?")[0])
        if answer is not None:
            self._answer(request, self.server.chat.next_line(request), answer)
            return
        self.server.chat.asked.append(request)
        if self.server.chat.short is not None:
            self._body(200, self.server.chat.short)
        elif self.path == "/tokenize" and self.server.chat.tokens:
            self._json(200, {"tokens": list(range(self.server.chat.tokens(body["content"])))})
        elif self.path == "/api/show" and body.get("model") in self.server.chat.models:
            window = self.server.chat.models[body["model"]]
            abilities = ["completion", "vision", "thinking"]
            self._json(200, {"model_info": {"llama.context_length": window}, "capabilities": abilities})
        else:
            self._json(404, {"error": {"message": "not found"}})

    def _json(self, status: int, told: Any, headers: Mapping[str, str] | None = None) -> None:
        self._body(status, json.dumps(told).encode(), headers)

    def _body(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _answer(self, request: Request, reply: Reply, wire: type[Wire]) -> None:
        try:
            if reply.mute:
                self._until_gone()
            if reply.gate:
                while not reply.gate.is_set():
                    self._rest(0.01)
            if reply.status != 200:
                self._json(reply.status, wire.error(reply), reply.headers)
                return
            spoken = wire(reply, request.body)
            # Ollama streams unless told otherwise, the others do not.
            if not request.body.get("stream", wire is Ollama):
                self._json(200, spoken.whole())
                return
            self._stream(reply, spoken)
        except _Gone:
            self.close_connection = True
            if not self.server.chat.closing.is_set():
                self.server.chat.gone.release()
        except (ConnectionError, OSError):
            self.close_connection = True
            self.server.chat.gone.release()

    def _stream(self, reply: Reply, spoken: Wire) -> None:
        self.send_response(200)
        self.send_header("Content-Type", spoken.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._chunk(spoken.begin())
        for number, piece in enumerate([*reply.pieces, None]):
            if number == reply.silent_after:
                self._until_gone()
            if number == reply.dies_after:
                self.close_connection = True
                # The other side sees a reset, not an orderly end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.connection.close()
                return
            if number == reply.garbage_after:
                self._chunk(spoken.garbage())
            if number == reply.failing_after:
                self._chunk(spoken.failure())
                break
            if piece is not None:
                self._rest(reply.pause)
                self._chunk(spoken.piece(piece))
        else:
            if not reply.ends_early:
                self._chunk(spoken.end())
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _rest(self, seconds: float) -> None:
        """Let time pass, unless the client is gone."""
        if select.select([self.connection], [], [], seconds)[0] and not self.connection.recv(1, socket.MSG_PEEK):
            raise _Gone

    def _until_gone(self) -> None:
        while not self.server.chat.closing.is_set():
            self._rest(0.01)
        raise _Gone


class _Gone(Exception):
    """The client closed the connection."""


def _words(text: str) -> list[str]:
    """Pieces of a text, as a model would say it: each word with the blank before it."""
    pieces: list[str] = []
    for number, word in enumerate(text.split(" ")):
        pieces.append(word if number == 0 else f" {word}")
    return [piece for piece in pieces if piece]
