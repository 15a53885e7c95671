"""A service that takes and gives JSON, played by a real HTTP server on loopback."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class JsonEndpoint:
    """Answers with what `answer` makes of a body, unless other answers (status, headers, body) are lined up."""

    def __init__(self, answer):
        self.requests = []
        """(path, headers, body) of each."""
        self.answers = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append((self.path, self.headers, body))
                endpoint.may_answer.wait(20)
                status, headers, told = endpoint.answers.pop(0) if endpoint.answers else (200, {}, None)
                data = json.dumps(answer(body) if told is None else told).encode()
                with contextlib.suppress(ConnectionError):  # who asked may have gone
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": str(len(data))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


@contextlib.contextmanager
def serving(answer):
    """A JsonEndpoint that serves until the end of the block."""
    made = JsonEndpoint(answer)
    threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield made
    finally:
        made.may_answer.set()
        made.server.shutdown()
        made.server.server_close()
