"""One editor that says anything, through the real relay: each request is answered once and as LSP says, and all goes on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from crash.fuzz_words import JUNK, places, right, spoiled
from crash.wire import Silent, Wire, framed

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
NOT_INITIALIZED, REQUEST_FAILED, CANCELLED, MODIFIED = -32002, -32803, -32800, -32801
SERVED = frozenset((None, INVALID_PARAMS, REQUEST_FAILED, CANCELLED, MODIFIED))
"""What may come of a request that is served: None is a result."""
PATIENCE = 60.0


@dataclass
class Script:
    """One session's life."""

    wire: Wire
    random: Random
    uris: tuple[str, ...]
    expected: dict[object, frozenset[int | None]] = field(default_factory=dict)
    """What may come of each request, by id."""
    found: list[str] = field(default_factory=list)
    ids: int = 1000

    def number(self) -> int | str:
        self.ids += 1
        return self.ids if self.random.random() < 0.7 else f"id {self.ids}"

    def request(self, method: str, params: Any, *codes: int | None) -> int | str:
        number = self.number()
        self.expected[number] = frozenset(codes)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    def send(self, message: object) -> None:
        """Whole, or in pieces as a slow pipe brings them."""
        data = framed(json.dumps(message).encode())
        if self.random.random() < 0.1:
            cut = self.random.randrange(len(data))
            self.wire.raw(data[:cut])
            data = data[cut:]
        self.wire.raw(data)


def play(vault: Path, seed: int, steps: int = 60) -> list[str]:
    """Live through one session; what went wrong, in words."""
    random = Random(seed)
    wire = Wire(os.environ)
    script = Script(wire, random, places(vault))
    try:
        _before(script)
        wire.start(vault.as_uri())
        for _ in range(steps):
            _step(script)
        _answered(script)
        _end(script)
    except Silent as error:
        script.found.append(f"{error}; said {[str(message)[:100] for message in wire.said[-2:]]}")
    finally:
        wire.kill()
    return [*script.found, *wire.wrong]


def _before(script: Script) -> None:
    """What is said too early: requests are refused, notifications are passed over."""
    for _ in range(script.random.randrange(4)):
        method, params, asks = right(script.random, script.uris)
        if asks:
            script.request(method, params, NOT_INITIALIZED)
        else:
            script.wire.notify(method, params)


def _step(script: Script) -> None:
    random, wire = script.random, script.wire
    method, params, asks = right(random, script.uris)
    kind = random.random()
    if kind < 0.5:
        if asks:
            script.request(method, params, *_codes(method))
        else:
            wire.notify(method, params)
    elif kind < 0.75:
        wrong = spoiled(params, random)
        if asks:
            script.request(
                method, wrong, *_codes(method) if isinstance(wrong, (dict, list, type(None))) else (INVALID_REQUEST,)
            )
        else:
            wire.notify(method, wrong)
    elif kind < 0.9:
        _no_request(script, method, params)
    else:
        _no_message(script)


def _codes(method: str) -> Iterable[int | None]:
    """What may come of a request of this name."""
    if method.endswith(("unknown", "nothing")) or method == "textDocument/didOpen":
        return (METHOD_NOT_FOUND,)
    # Diagnostics are pulled only by clients that ask for it.
    return (*SERVED, METHOD_NOT_FOUND) if method.endswith("diagnostic") else SERVED


def _no_request(script: Script, method: str, params: Any) -> None:
    """JSON that is no request."""
    random, wire = script.random, script.wire
    number = script.number()
    whole = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    choice = random.randrange(7)
    if choice == 0:
        wire.send([whole, whole])
    elif choice == 1:
        wire.send({**whole, "jsonrpc": random.choice(("1.0", None, 2))})
        script.expected[number] = frozenset((INVALID_REQUEST,))
    elif choice == 2:
        wire.send({**whole, "id": random.choice((None, 1.5, True, [], {}))})
    elif choice == 3:
        wire.send({**whole, "method": random.choice((None, 1, [], {}))})
        script.expected[number] = frozenset((INVALID_REQUEST,))
    elif choice == 4:
        wire.send({"jsonrpc": "2.0", "id": random.choice((number, *script.expected)), "result": random.choice(JUNK)})
    elif choice == 5:
        wire.send(random.choice(JUNK))
    else:
        wire.send({"jsonrpc": "2.0", "id": number, "error": {"code": 1, "message": "no"}})


def _no_message(script: Script) -> None:
    """Bytes that are no JSON, or no frame. What follows must be understood again."""
    random, wire = script.random, script.wire
    body = json.dumps(
        {"jsonrpc": "2.0", "method": "x/unknown", "params": {"text": "y" * random.choice((5, 50, 9000))}}
    ).encode()
    choice = random.randrange(10)
    nonsense = (
        framed(body[:-3]),
        framed(b"\xff\xfe" + body),
        framed(b'{"a":' * 20_000),
        framed(b'{"jsonrpc": "2.0", "method": "x", "params": [NaN]}'),
        b"content-length:%d\r\nX-Other: 1\r\n\r\n%s" % (len(body), body),
        b"Content-Length: %d\r\n\r\n%s" % (len(body) - random.randint(1, len(body) - 1), body),
        b"Content-Length: abc\r\n\r\n%s" % body,
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"Content-Length: %d\r\n\r\n" % 10**15,
        b"Content-Length: -5\r\n\r\n" + os.urandom(3),
    )
    wire.raw(nonsense[choice])
    # A message whose length is too great takes the beginning of the next one with it: what is said again is heard.
    if random.random() < 0.3:
        wire.raw(b"Content-Length: %d\r\n\r\n%s" % (len(body) + 7, body))
        wire.raw(framed(b"{}"))


def _answered(script: Script) -> None:
    """Every request has its one answer, of a kind that it may have."""
    wire = script.wire
    end = time.monotonic() + PATIENCE
    wire.ask("khoj/status", {}, PATIENCE)
    for number, codes in script.expected.items():
        try:
            wire.until(lambda message, number=number: _answers(message, number), max(0.1, end - time.monotonic()))
        except Silent:
            script.found.append(f"request {number} is not answered; it may be {set(codes)}")
            continue
        came = [message.get("error", {}).get("code") for message in wire.said if _answers(message, number)]
        if len(came) > 1 or came[0] not in codes:
            told = [str(message)[:300] for message in wire.said if _answers(message, number)]
            script.found.append(f"request {number} is answered with {told}; it may be {set(codes)}")
    script.found += [f"a message without an id: {message}" for message in wire.said if _is_odd(message)]


def _answers(message: dict[str, Any], number: object) -> bool:
    return "method" not in message and message.get("id") == number and type(message["id"]) is type(number)


def _is_odd(message: dict[str, Any]) -> bool:
    if "method" in message or message.get("id") is not None:
        return False
    return message.get("error", {}).get("code") not in (PARSE_ERROR, INVALID_REQUEST)


def _end(script: Script) -> None:
    """Leave in one of the ways in which editors do."""
    random, wire = script.random, script.wire
    way = random.randrange(4)
    if way == 0:
        wire.raw(b'Content-Length: 500\r\n\r\n{"jsonrpc"')
        expected = 0
        status = wire.leave(PATIENCE)
    elif way == 1:
        wire.notify("exit")
        expected, status = 1, wire.ended(PATIENCE)
    else:
        wire.ask("shutdown", None, PATIENCE)
        for _ in range(random.randrange(3)):
            method, params, asks = right(random, script.uris)
            if asks:
                number = script.request(method, params, INVALID_REQUEST)
                answer = wire.until(lambda message, number=number: _answers(message, number), PATIENCE)
                if answer.get("error", {}).get("code") != INVALID_REQUEST:
                    script.found.append(f"after shutdown: {answer}")
            else:
                wire.notify(method, params)
        wire.notify("exit")
        expected, status = 0, wire.ended(PATIENCE)
    if status != expected:
        script.found.append(f"the relay ends with status {status}, not {expected}, in way {way}")
