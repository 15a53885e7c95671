"""Chat models that Ollama runs, by its own API (https://github.com/ollama/ollama/blob/main/docs/api.md).

Its OpenAI-compatible face does not take the size of the window, and would cut a long question off without a word.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

from khoj_ls.core.chat import Delta, Message, Sampling
from khoj_ls.core.errors import ModelError
from khoj_ls.llm.connection import Connection
from khoj_ls.llm.failures import Trouble, of_connection, of_event, of_status, said_by, unreadable
from khoj_ls.llm.served import ServedModel, token_counts
from khoj_ls.llm.streaming import Piece

START = "Ollama is not running: start it with `ollama serve`"
_MOST_LINE = 4_000_000
"""Longest line in bytes; more is no answer."""


class Ollama(ServedModel):
    """A core.chat.ChatModel at `BASE_URL/api/chat`."""

    keep_alive = "5m"
    """How long Ollama keeps the model in memory after an answer."""

    async def _answer(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece, None]:
        import httpx2

        key = self._connection.key()
        try:
            async with (
                self._connection.client(key, self._silence()) as client,
                client.stream("POST", f"{self._connection.root}/api/chat", json=self._body(messages, sampling)) as response,
            ):
                if response.status_code != 200:
                    await response.aread()
                    raise self._refused(response, key)
                async with aclosing(self._read(response, messages, key)) as pieces:
                    async for piece in pieces:
                        yield piece
        except httpx2.HTTPError as error:
            raise of_connection(self._connection, error) from None

    def _body(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        numbers: dict[str, Any] = {
            # Ollama's own default is small, and it cuts what is longer from the front.
            "num_ctx": self.card.window,
            "num_predict": self.longest_answer(messages, sampling.max_tokens),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        return {
            "model": self.card.name,
            "messages": [self._message(message) for message in messages],
            "stream": True,
            "keep_alive": self.keep_alive,
            "options": {name: value for name, value in numbers.items() if value is not None},
        }

    def _message(self, message: Message) -> dict[str, Any]:
        told: dict[str, Any] = {"role": message.role, "content": message.text}
        if message.images and self.card.vision:
            told["images"] = [base64.b64encode(image.data).decode() for image in message.images]
        return told

    async def _read(self, response: Any, messages: Sequence[Message], key: str) -> AsyncGenerator[Piece, None]:
        """Pieces of the lines; none of the last where they end without it."""
        written: list[str] = []
        async for line in _lines(response, self._connection):
            try:
                told = json.loads(line)
                if "error" in told:
                    raise of_event(self._connection, self.card.name, told, key=key)
                text, done = told["message"]["content"], told.get("done") is True
                if not isinstance(text, str):
                    raise TypeError("the content is no text")
            except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
                raise unreadable(self._connection) from None
            if text:
                written.append(text)
            yield Delta(text) if text else None
            if done:
                counts = token_counts(told.get("prompt_eval_count"), told.get("eval_count"))
                yield self._finished(messages, written, counts, "length" if told.get("done_reason") == "length" else "stop")
                return

    def _refused(self, response: Any, key: str) -> Trouble:
        try:
            body = response.json()
        except ValueError:
            body = response.text
        if response.status_code == 404 and "not found" in said_by(body, key)[1]:
            return Trouble(ModelError(f"Ollama has no model {self.card.name!r}: run `ollama pull {self.card.name}`"))
        asked = response.headers.get("retry-after", "")
        return of_status(self._connection, self.card.name, response.status_code, body, key=key, asked=asked)


async def _lines(response: Any, connection: Connection) -> AsyncGenerator[bytes, None]:
    """Lines of a body, without empty ones."""
    rest = b""
    async for data in response.aiter_bytes():
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > _MOST_LINE:
            raise unreadable(connection)
        for line in lines:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


def installed(connection: Connection, *, seconds: float = 2.0) -> list[str] | None:
    """Names of the models that were pulled; None where Ollama does not answer."""
    told = connection.ask("/api/tags", seconds=seconds)
    models = told.get("models") if isinstance(told, dict) else None
    if not isinstance(models, list):
        return None
    return [model["name"] for model in models if isinstance(model, dict) and isinstance(model.get("name"), str)]


class Shown(NamedTuple):
    """What Ollama says of a model."""

    window: int = 0
    """The longest that it knows; 0: Ollama does not say."""
    sees: bool = False
    thinks: bool = False


def shown(connection: Connection, name: str) -> Shown:
    """What Ollama says of a model that was pulled."""
    told = connection.ask("/api/show", {"model": name})
    if not isinstance(told, dict):
        return Shown()
    known = told.get("model_info")
    windows = [
        value
        for key, value in (known.items() if isinstance(known, dict) else ())
        if str(key).endswith(".context_length") and type(value) is int and value > 0
    ]
    abilities = told.get("capabilities")
    can = abilities if isinstance(abilities, list) else []
    return Shown(windows[0] if windows else 0, "vision" in can, "thinking" in can)
