"""Chat models behind the API of OpenAI: OpenAI's own, Google's, LM Studio, vLLM, llama.cpp and whoever speaks it.

The wire is https://platform.openai.com/docs/api-reference/chat; what servers leave out of it is borne.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from khoj_ls.core.chat import Delta, Message, Sampling, StopReason
from khoj_ls.llm.failures import Trouble, of_connection, of_event, of_status, unreadable
from khoj_ls.llm.served import ServedModel, token_counts
from khoj_ls.llm.streaming import Piece

if TYPE_CHECKING:
    import openai

_USAGE_SECONDS = 2.0
"""How long the token counts are waited for that follow a complete answer."""
_REASONS: Mapping[str, StopReason] = MappingProxyType(
    {"length": "length", "max_tokens": "length", "content_filter": "filtered"}
)
_OPTIONAL = ("stream_options", "temperature", "top_p")
"""What a service may not know: it is asked again without."""

_LONGEST = "max_completion_tokens"
"""The newer name for `max_tokens`."""


class OpenAiCompatible(ServedModel):
    """A core.chat.ChatModel at `BASE_URL/chat/completions`."""

    async def _answer(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece, None]:
        import openai

        key = self._connection.key()
        body = self._body(messages, sampling)
        try:
            async with (
                openai.AsyncOpenAI(
                    # A key must not be looked for in the environment of this process; the guard sends what is to be sent.
                    api_key=key or "none",
                    organization="",
                    project="",
                    webhook_secret="",
                    base_url=self._connection.service.base_url,
                    max_retries=0,
                    http_client=self._connection.client(key, self._silence()),
                ) as client,
                await self._begin(client, body) as events,
                aclosing(self._read(events, messages)) as pieces,
            ):
                async for piece in pieces:
                    yield piece
        except openai.APIStatusError as error:
            raise self._refused(error, key) from None
        except openai.APIConnectionError as error:
            raise of_connection(self._connection, error) from None
        except openai.APIError as error:  # an error event inside the stream
            raise of_event(self._connection, self.card.name, error.body or str(error), key=key) from None

    def _body(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        own = self._connection.service.provider == "openai"
        body: dict[str, Any] = {
            "model": self.card.name,
            "messages": [self._message(message) for message in messages],
            # Others do not know the newer name, OpenAI's thinking models only that.
            _LONGEST if own else "max_tokens": self.longest_answer(messages, sampling.max_tokens),
            "stream_options": {"include_usage": True},
        }
        if self._samples:
            drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p}
            body |= {name: value for name, value in drawn.items() if value is not None}
        return body

    def _message(self, message: Message) -> dict[str, Any]:
        images = message.images if self.card.vision and message.role == "user" else ()
        if not images:
            return {"role": message.role, "content": message.text}
        parts: list[dict[str, Any]] = [{"type": "text", "text": message.text}]
        for image in images:
            data = base64.b64encode(image.data).decode()
            parts.append({"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{data}"}})
        return {"role": message.role, "content": parts}

    async def _begin(self, client: openai.AsyncOpenAI, body: dict[str, Any]) -> Any:
        """The stream of an answer, asked again as the service says that it wants it."""
        import openai

        while True:
            try:
                return await client.chat.completions.create(stream=True, **body)
            except openai.APIStatusError as error:
                accepted = _accepted(body, str(error.body or error.message))
                if error.status_code not in (400, 422) or accepted == body:
                    raise
                body = accepted

    async def _read(self, events: Any, messages: Sequence[Message]) -> AsyncGenerator[Piece, None]:
        """Pieces of the events; none of the last where they end without one that says why."""
        written: list[str] = []
        reason: str | None = None
        told: tuple[int, int] | None = None
        while True:
            try:
                event = await (asyncio.wait_for(anext(events), _USAGE_SECONDS) if reason else anext(events))
                text, why, counts = _parts(event)
            except StopAsyncIteration:
                break
            except Exception as error:
                if reason:  # the answer is whole; only its counts are missing
                    break
                if isinstance(error, (ValueError, TypeError, AttributeError, LookupError, RecursionError)):
                    raise unreadable(self._connection) from None
                raise
            told = counts or told
            reason = why or reason
            if text:
                written.append(text)
            yield Delta(text) if text else None
            if reason and told:
                break
        if reason:
            yield self._finished(messages, written, told, _REASONS.get(reason, "stop"))

    def _refused(self, error: openai.APIStatusError, key: str) -> Trouble:
        body = error.body if error.body is not None else error.message
        asked = error.response.headers.get("retry-after", "")
        return of_status(self._connection, self.card.name, error.status_code, body, key=key, asked=asked)


def _accepted(body: Mapping[str, Any], said: str) -> dict[str, Any]:
    """The body of a request without what a refusal names, and with the name for the longest answer that it asks for."""
    left = {name: value for name, value in body.items() if name not in _OPTIONAL or name not in said}
    if _LONGEST in said and "max_tokens" in left:
        left[_LONGEST] = left.pop("max_tokens")
    return left


def _parts(event: Any) -> tuple[str, str | None, tuple[int, int] | None]:
    """Text, reason of the end, and token counts of one event. Raises TypeError and the like for what is none."""
    usage = getattr(event, "usage", None)
    told = token_counts(usage.prompt_tokens, usage.completion_tokens) if usage else None
    choices = event.choices
    if not choices:
        return "", None, told
    choice = choices[0]
    text = choice.delta.content if choice.delta is not None else None
    if text is not None and not isinstance(text, str):
        raise TypeError("content is no text")
    reason = choice.finish_reason
    return text or "", reason if isinstance(reason, str) else None, told
