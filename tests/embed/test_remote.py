"""An OpenAI-compatible endpoint, played by a real HTTP server on loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.embed.remote import RemoteEncoder, is_loopback

KEY = "sk-very-secret-1234"
WIDTH = 4


class Endpoint:
    """Answers with vectors that tell the texts apart, unless other answers (status, headers, body) are lined up."""

    def __init__(self):
        self.requests = []
        self.answers = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append((self.path, self.headers, body))
                status, headers, answer = endpoint.answers.pop(0) if endpoint.answers else (200, {}, None)
                data = json.dumps(vectors(body["input"]) if answer is None else answer).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


def vectors(texts, width=WIDTH):
    """An answer whose items stand in another order than the texts."""
    items = [{"index": i, "embedding": [float(len(text)), 1.0] + [0.0] * (width - 2)} for i, text in enumerate(texts)]
    return {"object": "list", "data": items[::-1]}


@pytest.fixture
def endpoint():
    made = Endpoint()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def remote(endpoint, make_encoder, tmp_path):
    return make_encoder(
        tmp_path, {"OPENAI_API_KEY": f"{KEY}\n"}, model="remote", endpoint=endpoint.url, remote_dimensions=WIDTH
    )


def lengths(found):
    """The lengths of the texts, read back from their vectors."""
    rows = [np.frombuffer(vector, "<f4") for vector in found]
    assert all(abs(np.linalg.norm(row) - 1) < 1e-6 for row in rows)
    return [round(float(row[0] / row[1])) for row in rows]


def test_vectors_come_in_the_order_of_the_texts(endpoint, remote):
    texts = ["x" * (number % 50 + 1) for number in range(130)]
    assert lengths(remote.embed_documents(texts)) == [len(text) for text in texts]
    assert [len(body["input"]) for _, _, body in endpoint.requests] == [100, 30]
    path, headers, body = endpoint.requests[0]
    assert (path, body["model"], body["encoding_format"]) == ("/v1/embeddings", "text-embedding-3-small", "float")
    assert headers["Authorization"] == f"Bearer {KEY}"


def test_nothing_is_prepared_and_no_process_started(endpoint, remote):
    remote.prepare()
    assert (remote.prepared, remote.dimensions, remote.max_tokens, remote.remote) == (True, WIDTH, 8191, "")
    assert remote.tokenizer().count(["text"]) == [2]
    assert KEY not in remote.id
    assert lengths([remote.embed_query("query"), remote.embed_query("query")]) == [5, 5]
    assert (len(endpoint.requests), remote.status().pid) == (1, None)


def test_an_empty_text_is_sent_as_a_blank(endpoint, remote):
    remote.embed_documents(["", "a"])
    assert endpoint.requests[0][2]["input"] == [" ", "a"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_asked_again_when_it_says(status, endpoint, remote):
    endpoint.answers = [(status, {"Retry-After": "0"}, {}), (status, {"Retry-After": "0.01"}, {})]
    assert lengths(remote.embed_documents(["abc"])) == [3]
    assert len(endpoint.requests) == 3


def test_it_is_not_asked_for_ever(endpoint, remote):
    endpoint.answers = [(429, {"Retry-After": "0"}, {})] * 9
    with pytest.raises(ModelError, match="status 429"):
        remote.embed_documents(["abc"])
    assert len(endpoint.requests) == 5


def test_a_query_has_no_time_for_a_long_pause(endpoint, remote):
    endpoint.answers = [(503, {"Retry-After": "50"}, {})]
    with pytest.raises(ModelError, match="status 503"):
        remote.embed_query("abc", timeout=5)


def test_waiting_can_be_called_off(endpoint, remote, looked_at):
    token = looked_at({})
    endpoint.answers = [(429, {"Retry-After": "50"}, {})]
    threading.Thread(target=lambda: (wait_for(endpoint), token.cancel()), daemon=True).start()
    with pytest.raises(Cancelled):
        remote.embed_documents(["abc"], token)


def wait_for(endpoint):
    while not endpoint.requests:
        threading.Event().wait(0.005)


BAD = (
    ((401, {}, {"error": f"bad key {KEY}"}), "OPENAI_API_KEY"),
    ((403, {}, {"error": f"bad key {KEY}"}), "OPENAI_API_KEY"),
    ((400, {}, {"error": f"bad request of {KEY}"}), "status 400"),
    ((307, {"Location": "/elsewhere"}, {}), "redirects"),
    ((302, {"Location": "http://example.org/v1"}, {}), "redirects"),
    ((200, {}, vectors(["a"], 7)), r"1 vectors of length \[7\].*remote_dimensions is 4"),
    ((200, {}, vectors(["a", "b"])), "2 vectors"),
    ((200, {}, {"data": []}), "0 vectors"),
    ((200, {}, {"data": [{"embedding": [1, 2, 3, 4]}]}), "OpenAI-compatible"),
    ((200, {}, {"data": [{"index": 0, "embedding": [1, 2, None, 4]}]}), "OpenAI-compatible"),
    ((200, {}, ["unexpected"]), "OpenAI-compatible"),
)


@pytest.mark.parametrize(("answer", "message"), BAD)
def test_a_bad_answer_is_said_once_without_the_key(answer, message, endpoint, remote):
    endpoint.answers = [answer]
    with pytest.raises(ModelError, match=message) as caught:
        remote.embed_documents(["a"])
    assert KEY not in str(caught.value)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("row", [[0.0] * 4, [float("nan"), 0.0, 0.0, 0.0], [float("inf"), 1.0, 0.0, 0.0]])
def test_a_vector_without_direction_can_still_be_compared(row, endpoint, remote):
    endpoint.answers = [(200, {}, {"data": [{"index": 0, "embedding": row}]})]
    [vector] = remote.embed_documents(["a"])
    assert np.frombuffer(vector, "<f4").tolist() == [1.0, 0.0, 0.0, 0.0]


def test_no_key_no_header(endpoint):
    RemoteEncoder(EmbeddingSettings(endpoint=endpoint.url, remote_dimensions=WIDTH), {}).embed(["a"])
    assert "Authorization" not in endpoint.requests[0][1]


def test_nobody_listens(endpoint, make_encoder, tmp_path):
    endpoint.server.server_close()
    service = make_encoder(tmp_path, model="remote", endpoint=endpoint.url, remote_dimensions=WIDTH)
    with pytest.raises(ModelError, match="is the service running"):
        service.embed_query("a", timeout=0.3)


@pytest.mark.parametrize(
    "url", ["https://api.example.org/v1", "http://192.168.1.5/v1", "http://127.0.0.1.example.org/v1", "http://["]
)
def test_nothing_leaves_the_machine_without_a_yes(url, make_encoder, tmp_path):
    service = make_encoder(tmp_path, model="remote", endpoint=url)
    assert service.remote == url
    with pytest.raises(ModelError, match="allow_remote"):
        service.embed_query("private words")


@pytest.mark.parametrize(
    "url", ["http://localhost:11434/v1", "http://127.0.0.1/v1", "http://127.8.9.1/", "http://[::1]:8080/v1"]
)
def test_what_is_on_this_machine(url):
    assert is_loopback(url)


def test_no_proxy_comes_between_this_machine_and_itself(endpoint, remote, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert lengths(remote.embed_documents(["abcd"])) == [4]
