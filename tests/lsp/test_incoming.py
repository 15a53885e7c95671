"""What is answered to messages that are none, and to requests at the wrong time: through the real relay and daemon."""

from __future__ import annotations

import json
import os

import pytest
from crash.wire import Wire, framed

from khoj_ls.lsp.incoming import Incoming, Refusal, judged


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"jsonrpc": "2.0", "id": 1, "method": "a", "params": {}}', ("request", 1)),
        (b'{"jsonrpc": "2.0", "id": "1", "method": "a"}', ("request", "1")),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "shutdown", "params": null}', ("request", 1)),
        (b'{"jsonrpc": "2.0", "method": "a", "params": 5}', ("notification", "")),
        (b'{"jsonrpc": "2.0", "id": 1, "result": null}', ("response", 1)),
        (b'{"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": ""}}', ("response", "")),
        (b"", (-32700, None)),
        (b"{", (-32700, None)),
        (b'{"a": NaN}', (-32700, None)),
        (b"\xff", (-32700, None)),
        (b"[" * 100_000, (-32700, None)),
        (b'{"jsonrpc": "2.0", "id": ' + b"1" * 5000 + b"}", (-32700, None)),
        (b"[]", (-32600, None)),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "a"}]', (-32600, None)),
        (b"5", (-32600, None)),
        (b'{"id": 1, "method": "a"}', (-32600, 1)),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "a"}', (-32600, 1)),
        (b'{"jsonrpc": "2.0", "id": 1}', (-32600, 1)),
        (b'{"jsonrpc": "2.0", "id": 1, "result": 1, "error": {}}', (-32600, 1)),
        (b'{"jsonrpc": "2.0", "id": 1, "method": null}', (-32600, 1)),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "a"}', (-32600, None)),
        (b'{"jsonrpc": "2.0", "id": true, "method": "a"}', (-32600, None)),
        (b'{"jsonrpc": "2.0", "id": null, "method": "a"}', (-32600, None)),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "a", "params": 5}', (-32600, 1)),
    ],
)
def test_how_a_message_is_judged(body, expected):
    found = judged(body)
    assert (found.code if isinstance(found, Refusal) else found.kind, found.id) == expected
    assert isinstance(found, (Refusal, Incoming))


@pytest.fixture
def wire(home):
    """A relay of the session's home, to which nothing was said."""
    wire = Wire(os.environ)
    yield wire
    wire.kill()


def codes(wire: Wire, number: object) -> list[int | None]:
    """Codes of what came in answer to a request; None stands for a result."""
    return [answer.get("error", {}).get("code") for answer in wire.responses(number)]


def test_a_session_that_says_things_at_the_wrong_time(wire, vault):
    hover = {"textDocument": {"uri": vault.as_uri()}, "position": {"line": 0, "character": 0}}
    assert wire.ask("textDocument/hover", hover)["error"]["code"] == -32002
    wire.notify("textDocument/didOpen", {"textDocument": 5})
    assert wire.ask("initialize", {"rootUri": 1})["error"]["code"] == -32602
    assert wire.ask("textDocument/hover", hover)["error"]["code"] == -32002, "that was no initialize"
    assert "result" in wire.start(vault.as_uri())
    assert wire.ask("initialize", {"capabilities": {}})["error"]["code"] == -32600
    assert "result" in wire.ask("shutdown")
    assert wire.ask("khoj/status", {})["error"]["code"] == -32600
    wire.notify("textDocument/didOpen", {"textDocument": {"uri": "x", "languageId": "x", "version": 1, "text": "x" * 9000}})
    wire.notify("exit")
    assert wire.ended() == 0


DOCUMENT = {"textDocument": {"uri": "x"}}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"method": "x/unknown"}, -32601),
        ({"method": "$/unknown", "params": {}}, -32601),
        ({"method": "textDocument/didOpen", "params": {}}, -32601),
        ({"method": "textDocument/hover"}, -32602),
        ({"method": "textDocument/hover", "params": []}, -32602),
        ({"method": "textDocument/hover", "params": {**DOCUMENT, "position": {"line": -1, "character": 0}}}, -32602),
        ({"method": "khoj/search", "params": {"query": 5}}, -32602),
        ({"method": "khoj/search", "params": {"query": "x", "mode": "\ud800"}}, -32602),
        ({"method": "khoj/why", "params": {"path": "/a\0b"}}, -32602),
        ({"method": "khoj/why", "params": {"path": "file://["}}, -32602),
        ({"method": "khoj/status", "params": 5}, -32600),
        ({"method": 5}, -32600),
    ],
)
def test_a_request_that_cannot_be_served_is_told_why(wire, vault, message, code):
    wire.start(vault.as_uri())
    wire.send({"jsonrpc": "2.0", "id": "it", **message})
    wire.until(lambda answer: answer.get("id") == "it")
    assert codes(wire, "it") == [code]


def test_what_is_no_message_is_told_and_the_next_one_is_heard(wire, vault):
    wire.start(vault.as_uri())
    wire.raw(framed(b"{") + framed(b"[]") + b"nothing at all\r\n\r\n")
    assert "result" in wire.ask("khoj/status", {})
    assert codes(wire, None) == [-32700, -32600, -32700]


X = {"uri": "file:///x.md"}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/didChange", {"textDocument": {**X, "version": 1}, "contentChanges": [{"text": ""}]}),
        ("textDocument/didClose", {"textDocument": X}),
        ("notebookDocument/didChange", {"notebookDocument": {**X, "version": 1}, "change": {}}),
        ("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [{"uri": "git:/a", "name": ""}]}}),
        ("$/cancelRequest", {"id": {}}),
        ("window/workDoneProgress/cancel", {"token": []}),
        ("x/unknown", None),
        ("textDocument/hover", {"textDocument": X}),
    ],
)
def test_what_means_nothing_is_passed_over_without_a_word(wire, vault, method, params):
    wire.start(vault.as_uri())
    wire.notify(method, params)
    assert "result" in wire.ask("khoj/status", {})
    assert not [said for said in wire.said if "error" in said or said.get("method") == "window/showMessage"]


@pytest.mark.parametrize("answer", [{"id": 1, "result": 5}, {"id": "nothing", "error": {"code": 1, "message": "no"}}])
def test_an_answer_that_nobody_waits_for_is_passed_over(wire, vault, answer):
    wire.start(vault.as_uri())
    wire.send({"jsonrpc": "2.0", **answer})
    assert "result" in wire.ask("khoj/status", {})
    assert not [said for said in wire.said if "error" in said]


def test_an_id_that_is_in_use_is_refused(wire, vault):
    wire.start(vault.as_uri())
    wire.raw(
        b"".join(
            framed(json.dumps({"jsonrpc": "2.0", "id": 7, "method": "khoj/status", "params": {}}).encode()) for _ in range(2)
        )
    )
    wire.until(lambda answer: answer.get("id") == 7 and "result" in answer)
    assert sorted(codes(wire, 7), key=str) == [-32600, None]
