"""Chat models of Anthropic, and of services that speak its Messages API (https://docs.anthropic.com/en/api/messages)."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from khoj_ls.core.chat import Delta, Message, Sampling, StopReason
from khoj_ls.core.errors import ModelError
from khoj_ls.llm.failures import Trouble, of_connection, of_event, of_status, unreadable
from khoj_ls.llm.served import ServedModel, token_counts
from khoj_ls.llm.streaming import Piece

if TYPE_CHECKING:
    import anthropic

_REASONS: Mapping[str, StopReason] = MappingProxyType(
    {"max_tokens": "length", "model_context_window_exceeded": "length", "refusal": "filtered"}
)
_VERSION_HEADERS = frozenset(("anthropic-version",))


class Anthropic(ServedModel):
    """A core.chat.ChatModel at `BASE_URL/v1/messages`."""

    async def _answer(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece, None]:
        import anthropic
        import httpx2

        key = self._connection.key()
        try:
            async with (
                anthropic.AsyncAnthropic(
                    # Given, so that neither the environment of this process nor a profile on its disk is looked at.
                    api_key=key or "none",
                    webhook_key="",
                    base_url=self._connection.root,
                    max_retries=0,
                    open_telemetry=False,
                    http_client=self._connection.client(key, self._silence(), _VERSION_HEADERS),
                ) as client,
                await self._begin(client, self._body(messages, sampling)) as events,
                aclosing(self._read(events, messages)) as pieces,
            ):
                async for piece in pieces:
                    yield piece
        except anthropic.APIStatusError as error:
            raise self._refused(error, key) from None
        except (anthropic.APIConnectionError, httpx2.HTTPError) as error:
            raise of_connection(self._connection, error) from None
        except anthropic.APIError as error:
            raise of_event(self._connection, self.card.name, error.body or str(error), key=key) from None

    def _body(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        system = "\n\n".join(message.text for message in messages if message.role == "system" and message.text)
        spoken = [self._message(message) for message in messages if message.role != "system"]
        body: dict[str, Any] = {
            "model": self.card.name,
            "messages": [message for message in spoken if message["content"]],
            "max_tokens": self.longest_answer(messages, sampling.max_tokens),
        }
        if not body["messages"]:
            raise Trouble(ModelError("there is nothing to ask: the message is empty"))
        if system:
            body["system"] = system
        if self._samples:
            # Its newer models take one of the two, not both.
            if sampling.temperature is not None:
                body["extra_body"] = {"temperature": min(1.0, sampling.temperature)}
            elif sampling.top_p is not None:
                body["extra_body"] = {"top_p": sampling.top_p}
        return body

    def _message(self, message: Message) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        for image in message.images if self.card.vision and message.role == "user" else ():
            source = {"type": "base64", "media_type": image.media_type, "data": base64.b64encode(image.data).decode()}
            parts.append({"type": "image", "source": source})
        # A block of text must hold some.
        if message.text.strip():
            parts.append({"type": "text", "text": message.text})
        return {"role": message.role, "content": parts}

    async def _begin(self, client: anthropic.AsyncAnthropic, body: dict[str, Any]) -> Any:
        """The stream of an answer, asked again without numbers that the model does not take."""
        import anthropic

        try:
            return await client.messages.create(stream=True, **body)
        except anthropic.APIStatusError as error:
            said = str(error.body or error.message)
            if error.status_code not in (400, 422) or not any(name in said for name in body.get("extra_body", ())):
                raise
            del body["extra_body"]
            return await client.messages.create(stream=True, **body)

    async def _read(self, events: Any, messages: Sequence[Message]) -> AsyncGenerator[Piece, None]:
        """Pieces of the events; none of the last where they end without saying so."""
        written: list[str] = []
        read: object = None
        said: object = None
        reason = ""
        while True:
            try:
                event = await anext(events)
                kind = event.type
                text = _text(event) if kind in ("content_block_start", "content_block_delta") else ""
                if kind == "message_start":
                    read = _input_tokens(event.message.usage)
                elif kind == "message_delta":
                    why = event.delta.stop_reason
                    reason = why if isinstance(why, str) else reason
                    said = event.usage.output_tokens
            except StopAsyncIteration:
                return
            except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
                raise unreadable(self._connection) from None
            if text:
                written.append(text)
            yield Delta(text) if text else None
            if kind == "message_stop":
                yield self._finished(messages, written, token_counts(read, said), _REASONS.get(reason, "stop"))
                return

    def _refused(self, error: anthropic.APIStatusError, key: str) -> Trouble:
        body = error.body if error.body is not None else error.message
        if error.status_code == 200:  # an error event inside the stream
            return of_event(self._connection, self.card.name, body, key=key)
        asked = error.response.headers.get("retry-after", "")
        return of_status(self._connection, self.card.name, error.status_code, body, key=key, asked=asked)


def _text(event: Any) -> str:
    """Text of a block that begins or goes on; thoughts and the like have none."""
    part = event.content_block if event.type == "content_block_start" else event.delta
    if part.type not in ("text", "text_delta"):
        return ""
    if not isinstance(part.text, str):
        raise TypeError("the text is none")
    return part.text


def _input_tokens(usage: Any) -> int | None:
    """Tokens that were read, those from a cache included."""
    parts = [getattr(usage, name, None) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")]
    numbers = [part for part in parts if type(part) is int]
    return sum(numbers) if numbers else None
