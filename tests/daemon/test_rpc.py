from __future__ import annotations

import json

import pytest

from khoj_ls.core.errors import Cancelled, DaemonError, KhojError, ModelError, SettingsError, StoreError, UsageError, VaultError
from khoj_ls.daemon import launch
from khoj_ls.daemon.dial import REQUEST_LIMIT, dial


class Wire:
    """The rpc face, line by line."""

    def __init__(self):
        self.socket = dial("rpc", start=False).socket
        self._lines = self.socket.makefile("rb")

    def send(self, *messages):
        for message in messages:
            self.socket.sendall(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")

    def receive(self):
        line = self._lines.readline()
        return json.loads(line) if line else None

    def answers(self, count):
        """The next answers, by id: requests run side by side, so their order is anything."""
        return {message["id"]: message for message in (self.receive() for _ in range(count))}

    def close(self):
        self._lines.close()
        self.socket.close()


@pytest.fixture
def wire(toys):
    toys.start()
    wire = Wire()
    yield wire
    wire.close()


@pytest.mark.parametrize(
    ("line", "code", "about"),
    [
        (b"{\n", -32700, "not JSON"),
        (b"\xff\n", -32700, "not JSON"),
        (b"\n", -32700, "not JSON"),
        (b"[]\n", -32600, "an object with a method"),
        (b'{"id": 1}\n', -32600, "an object with a method"),
        (b'{"id": 1, "method": "echo", "params": [1]}\n', -32600, "params are an object"),
        (b'{"method": "echo"}\n', -32600, "wants an id"),
        (b'{"id": 1.5, "method": "echo"}\n', -32600, "wants an id"),
        (b'{"id": null, "method": "echo"}\n', -32600, "wants an id"),
    ],
)
def test_a_line_that_is_no_request_is_refused_and_the_next_is_served(wire, line, code, about):
    wire.send(line, {"id": 2, "method": "echo", "params": {"a": 1}})
    refusal, answer = wire.receive(), wire.receive()
    assert (refusal["id"], refusal["error"]["code"]) == (None, code)
    assert about in refusal["error"]["message"]
    assert answer == {"id": 2, "result": {"a": 1}}


@pytest.mark.parametrize("method", ["no-such-method", "khoj/nothing", "daemon/nothing"])
def test_an_unknown_method_is_told(wire, method):
    wire.send({"id": "a", "method": method})
    error = wire.receive()["error"]
    assert (error["code"], error["message"], error["data"]) == (
        -32601,
        f"there is no method {method}",
        {"code": "khoj.usage"},
    )


def test_a_request_too_long_ends_the_connection(wire):
    wire.send(b'{"id": 1, "method": "' + b"x" * REQUEST_LIMIT)
    assert wire.receive()["error"]["message"] == f"a request has at most {REQUEST_LIMIT} bytes"
    assert wire.receive() is None


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (UsageError, -32602),
        (Cancelled, -32800),
        (KhojError, -32803),
        (VaultError, -32803),
        (StoreError, -32803),
        (ModelError, -32803),
        (SettingsError, -32803),
        (DaemonError, -32803),
    ],
)
def test_an_error_keeps_its_kind_and_words_to_the_client(wire, toys, kind, code):
    wire.send({"id": 1, "method": "fail", "params": {"code": kind.code}})
    assert wire.receive()["error"] == {"code": code, "message": "it went wrong", "data": {"code": kind.code}}
    with toys.client() as client, pytest.raises(kind, match=r"^it went wrong$") as raised:
        client.call("fail", {"code": kind.code})
    assert type(raised.value) is kind


@pytest.mark.daemon_errors("crash failed")
def test_a_defect_is_told_without_the_text_it_choked_on(wire, toys):
    wire.send({"id": 1, "method": "crash", "params": {"text": "a sentence out of a note"}})
    error = wire.receive()["error"]
    assert (error["code"], error["data"]) == (-32603, {"code": "khoj.error"})
    assert error["message"] == "internal error (ValueError); the log says more: khoj-ls daemon logs"
    assert "crash failed" in toys.log
    assert "ValueError" in toys.log
    assert "a sentence out of a note" not in toys.log


def test_no_request_waits_for_another(wire):
    wire.send(*({"id": number, "method": "wait"} for number in range(40)))
    wire.send({"id": "quick", "method": "echo"})
    assert wire.receive() == {"id": "quick", "result": {}}


def test_a_running_id_is_not_used_twice(wire):
    wire.send({"id": 1, "method": "wait"}, {"id": 1, "method": "echo"})
    assert "that no running request has" in wire.receive()["error"]["message"]


def test_an_id_may_be_used_again_as_soon_as_it_is_answered(wire):
    for number in range(300):
        wire.send({"id": 1, "method": "echo", "params": {"n": number}})
        assert wire.receive() == {"id": 1, "result": {"n": number}}


def test_a_cancelled_request_stops_and_says_so(wire):
    wire.send({"id": 1, "method": "wait"}, {"id": 2, "method": "wait"})
    wire.send({"method": "$/cancel", "params": {"id": 1}}, {"method": "$/cancel", "params": {"id": "unknown"}})
    answer = wire.receive()
    assert (answer["id"], answer["error"]["code"], answer["error"]["data"]) == (1, -32800, {"code": "khoj.cancelled"})
    wire.send({"method": "$/cancel", "params": {"id": 2}})
    assert wire.receive()["id"] == 2


def test_closing_the_connection_calls_off_what_runs(on_transport):
    on_transport.start()
    asking = Wire()
    asking.send({"id": 1, "method": "wait"})
    with on_transport.client() as client:
        on_transport.wait_until(lambda: client.call("is-waiting") is True)
        asking.close()
        on_transport.wait_until(lambda: client.call("is-waiting") is False)
    on_transport.wait_until(lambda: launch.status()["sessions"] == 0)


def test_what_runs_when_the_daemon_stops_is_called_off_and_told(wire):
    wire.send({"id": 1, "method": "wait"})
    assert launch.stop() is True
    assert wire.receive()["error"]["data"] == {"code": "khoj.cancelled"}
    assert wire.receive() is None


def test_progress_comes_before_the_result_and_ends_complete(wire):
    wire.send({"id": 7, "method": "count", "params": {"total": 100_000}})
    messages = [wire.receive()]
    while "result" not in messages[-1]:
        messages.append(wire.receive())
    *reports, answer = messages
    assert answer == {"id": 7, "result": 100_000}
    assert {report["method"] for report in reports} == {"$/progress"}
    first, *_, last = (report["params"] for report in reports)
    assert first == {"id": 7, "phase": "count", "done": 0, "total": 100_000, "message": "counting", "eta_seconds": 0.5}
    assert last["done"] == 100_000
    # A slow client must not drown in a report per note.
    assert len(reports) < 1000


def test_names_that_are_not_utf8_and_big_answers_pass(wire, toys):
    params = {"name": "caf\udce9.md", "text": "日本 🎈" * 100_000}
    with toys.client() as client:
        assert client.call("echo", params) == params


def test_control_serves_the_daemon_only(toys):
    pid = toys.start()
    with toys.client("control") as client:
        assert client.call("daemon/status")["pid"] == pid
        assert client.call("daemon/logs") == {"path": str(launch.log_path())}
        with pytest.raises(UsageError, match="there is no method echo"):
            client.call("echo")
