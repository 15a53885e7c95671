"""Plays the daemon for tests of chat: what was asked is kept, and answers come from a script."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Script = list[Any]
"""Events of one turn as the wire has them, less the ids; an exception among them is raised at its place."""


def lines(first: int, last: int) -> dict[str, Any]:
    return {"start": {"line": first - 1, "character": 0}, "end": {"line": last, "character": 0}}


NO_PLACE = {"page": None, "place": None}


def source(number: int, path: str, first: int, last: int, *outline: str, text: str = "text") -> dict[str, Any]:
    place = {"number": number, "uri": f"file:///v/{path}", "path": path, "range": lines(first, last)}
    return {
        **place,
        "title": "Home network",
        "outline": list(outline),
        "text": text,
        "score": 0.5,
        "private": False,
        **NO_PLACE,
    }


def citation(number: int, path: str, line: int, quote: str, start: int, *outline: str) -> dict[str, Any]:
    place = {"number": number, "uri": f"file:///v/{path}", "path": path, "range": lines(line, line), "outline": list(outline)}
    return {**place, "quote": quote, "start": start, "end": start + 3, **NO_PLACE}


SOURCES = {
    "kind": "sources",
    "sources": [
        source(1, "homelab/network.md", 24, 30, "Machines"),
        source(2, "homelab/dns.org", 3, 9, "Setup", text="first line\n\x1b[31msecond"),
    ],
    "degraded": [],
    "left_out_private": 0,
}


def delta(text: str) -> dict[str, Any]:
    return {"kind": "delta", "text": text}


def done(text: str, **more: Any) -> dict[str, Any]:
    usual = {"citations": [], "removed": [], "unsupported": [], "usage": None, "cost": None, "model": "", "reason": "stop"}
    return {"kind": "done", "text": text, **usual, "notices": [], "shown": None, "below": None, **more}


def failed(message: str, code: str, **more: Any) -> dict[str, Any]:
    return {"kind": "failed", "message": message, "code": code, "text": "", "shown": None, "consent": None, **more}


ANSWER = "It has 8 ports [1]."
USAGE = {"input_tokens": 1234, "output_tokens": 9, "estimated": False}
CITED = citation(1, "homelab/network.md", 26, "The switch has 8 ports.", 15, "Machines")
DONE = done(ANSWER, citations=[CITED], usage=USAGE, cost=0.0003, model="openai/gpt-4o-mini")
ANSWERED: Script = [SOURCES, {"kind": "status", "message": "asking"}, delta("It has 8"), delta(" ports [1]."), DONE]


class ChatService:
    """A connection whose turns follow `scripts`, and whose other requests are answered by `answers`."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = deque(scripts)
        self.asked: list[dict[str, Any]] = []
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.closed = 0
        self.reached_times = 0
        status = {"phase": "idle", "coverage": 1.0, "files": 1, "queue": 0, "message": ""}
        self.answers: dict[str, Any] = {"khoj/status": {"vaults": [status]}, "khoj/allowHost": {"hosts": []}}

    def call(self, method: str, params: Mapping[str, Any], on_progress: Any = None) -> Any:
        self.called.append((method, dict(params)))
        answer = self.answers[method]
        return answer(params) if callable(answer) else answer

    def stream(self, method: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        self.asked.append({name: value for name, value in params.items() if value not in (None, [], True) and name != "vault"})
        turn = f"t{len(self.asked)}"
        ids = {"conversation": params.get("conversation") or "c1", "turn": turn}
        try:
            for seq, event in enumerate(self.scripts.popleft(), 1):
                if isinstance(event, BaseException):
                    raise event
                yield {**event, **ids, "seq": seq}
        finally:
            self.closed += 1

    def reached(self) -> ChatService:
        """A connection to it."""
        self.reached_times += 1
        return self

    def connect(self) -> Callable[[Any], Any]:
        """In place of `connection.connect`."""

        @contextmanager
        def connect(run: Any) -> Iterator[ChatService]:
            yield self

        return connect
