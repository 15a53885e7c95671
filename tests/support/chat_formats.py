"""What chat services say, in the wire formats of OpenAI, Anthropic and Ollama, and what can go wrong with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PIECES = ("The ", "answer ", "is ", "42 ", "[1].")


@dataclass(frozen=True)
class Reply:
    """One answer, and what goes wrong with it."""

    pieces: Sequence[str] = PIECES
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    """Message of an answer that is not 200."""
    error_code: str = ""
    pause: float = 0.0
    """Seconds before each piece."""
    mute: bool = False
    """Nothing is said, not even a status, until the client is gone."""
    silent_after: int | None = None
    """After so many pieces nothing more is said until the client is gone."""
    dies_after: int | None = None
    """After so many pieces the connection breaks."""
    garbage_after: int | None = None
    """After so many pieces comes what no client can read."""
    garbage: str = "{]not json"
    ends_early: bool = False
    """The body ends in order, but without the event that ends an answer."""
    failing_after: int | None = None
    """After so many pieces comes the format's own error event."""
    reason: str = "stop"
    """stop, length or filtered."""
    usage: tuple[int, int] | None = (11, 5)
    """Input and output tokens; None: not told."""
    gate: threading.Event | None = None
    """What is waited for before the first piece."""


class Wire:
    """How one service speaks."""

    content_type = "text/event-stream"

    def __init__(self, reply: Reply, body: Any) -> None:
        self.reply, self.body = reply, body

    @staticmethod
    def error(reply: Reply) -> Any:
        return {"error": {"message": reply.error, "type": "error", "code": reply.error_code or None}}

    def begin(self) -> bytes:
        return b""

    def garbage(self) -> bytes:
        return f"data: {self.reply.garbage}\n\n".encode()

    def failure(self) -> bytes:
        return _sse(self.error(self.reply))


def _sse(data: Any, event: str = "") -> bytes:
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


class OpenAi(Wire):
    def _event(self, delta: Any, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _sse({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": self.body["model"]}

    def _reason(self) -> str:
        return {"filtered": "content_filter"}.get(self.reply.reason, self.reply.reason)

    def _usage(self) -> dict[str, int]:
        read, written = self.reply.usage or (0, 0)
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

    def begin(self) -> bytes:
        return self._event({"role": "assistant", "content": ""})

    def piece(self, text: str) -> bytes:
        return self._event({"content": text})

    def end(self) -> bytes:
        data = self._event({}, self._reason())
        if self.reply.usage and (self.body.get("stream_options") or {}).get("include_usage"):
            data += _sse({**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()})
        return data + b"data: [DONE]\n\n"

    def whole(self) -> Any:
        message = {"role": "assistant", "content": "".join(self.reply.pieces)}
        choice = {"index": 0, "message": message, "finish_reason": self._reason()}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage()}


class Anthropic(Wire):
    @staticmethod
    def error(reply: Reply) -> Any:
        return {"type": "error", "error": {"type": reply.error_code or "invalid_request_error", "message": reply.error}}

    def begin(self) -> bytes:
        read = (self.reply.usage or (0, 0))[0]
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": self.body["model"],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": read, "output_tokens": 1},
        }
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        return (
            _sse({"type": "message_start", "message": message}, "message_start")
            + _sse(block, "content_block_start")
            + _sse({"type": "ping"}, "ping")
        )

    def piece(self, text: str) -> bytes:
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        return _sse(delta, "content_block_delta")

    def garbage(self) -> bytes:
        return f"event: content_block_delta\ndata: {self.reply.garbage}\n\n".encode()

    def failure(self) -> bytes:
        return _sse(self.error(self.reply), "error")

    def end(self) -> bytes:
        reason = {"stop": "end_turn", "length": "max_tokens", "filtered": "refusal"}[self.reply.reason]
        written = (self.reply.usage or (0, 0))[1]
        delta = {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": written},
        }
        return (
            _sse({"type": "content_block_stop", "index": 0}, "content_block_stop")
            + _sse(delta, "message_delta")
            + _sse({"type": "message_stop"}, "message_stop")
        )

    def whole(self) -> Any:
        raise NotImplementedError("only streams are asked for")


class Ollama(Wire):
    content_type = "application/x-ndjson"

    @staticmethod
    def error(reply: Reply) -> Any:
        return {"error": reply.error}

    def _line(self, told: Any) -> bytes:
        return json.dumps({"model": self.body["model"], "created_at": "2026-01-01T00:00:00Z", **told}).encode() + b"\n"

    def _message(self, text: str) -> Any:
        return {"role": "assistant", "content": text}

    def piece(self, text: str) -> bytes:
        return self._line({"message": self._message(text), "done": False})

    def garbage(self) -> bytes:
        return f"{self.reply.garbage}\n".encode()

    def failure(self) -> bytes:
        return json.dumps(self.error(self.reply)).encode() + b"\n"

    def _end(self, text: str) -> Any:
        told: dict[str, Any] = {"message": self._message(text), "done": True, "done_reason": self.reply.reason}
        if self.reply.usage:
            told |= {"prompt_eval_count": self.reply.usage[0], "eval_count": self.reply.usage[1]}
        return told

    def end(self) -> bytes:
        return self._line(self._end(""))

    def whole(self) -> Any:
        return json.loads(self._line(self._end("".join(self.reply.pieces))))
