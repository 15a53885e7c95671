"""What all chat models behind an address have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import replace

from khoj_ls.core.chat import Delta, Finished, Message, ModelCard, Sampling, StopReason, Usage
from khoj_ls.core.errors import KeyRefused
from khoj_ls.core.jobs import CancelToken
from khoj_ls.llm.connection import Connection
from khoj_ls.llm.counting import Counter, count_messages
from khoj_ls.llm.failures import key_message
from khoj_ls.llm.streaming import Patience, Piece, stream

THINKING_TOKENS = 8192
"""Room for what a thinking model says to itself, which counts as answer, beside the answer that is wanted."""

MayAsk = Callable[["ServedModel", Sequence[Message], int], None]
"""Raises ConsentNeeded where messages may not be sent to the model."""


class ServedModel(ABC):
    """A core.chat.ChatModel that is asked over HTTP. Subclasses speak one wire format."""

    def __init__(
        self,
        card: ModelCard,
        connection: Connection,
        patience: Patience,
        *,
        may_ask: MayAsk | None = None,
        counter: Counter | None = None,
        samples: bool = True,
        thinks: bool = False,
    ) -> None:
        """Ask the model of `card` over `connection`.

        `samples`: it takes temperature and top_p; `thinks`: its thoughts count as answer.
        """
        self.card = card
        self.host = connection.host
        self.remote = connection.remote
        self._connection = connection
        self._patience = replace(patience, slow_start=thinks or not connection.remote)
        self._may_ask = may_ask
        self._counter = counter or Counter(None)
        self._samples = samples
        self._thinks = thinks

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.card.id}, {self.host})"

    def count(self, text: str) -> int:
        """Tokens of `text`, an estimate where there is no counter that asks a tokenizer."""
        return self._counter.count(text)

    def stream(self, messages: Sequence[Message], sampling: Sampling, token: CancelToken) -> Iterator[Delta | Finished]:
        """The answer, piece by piece (see core.chat.ChatModel). Raises ConsentNeeded before anything is sent."""
        if self._may_ask is not None:
            self._may_ask(self, messages, sampling.max_tokens)
        kept = tuple(messages)
        yield from stream(lambda: self._answer(kept, sampling), self._connection, self._patience, token)

    def longest_answer(self, messages: Sequence[Message], wanted: int) -> int:
        """Most tokens of an answer of which `wanted` are wanted: room for thoughts is added, as far as the window has it."""
        wanted = min(wanted, self.card.max_answer)
        if not self._thinks:
            return wanted
        free = self.card.window - count_messages(self.count, messages)
        return min(self.card.max_answer, max(wanted, min(wanted + THINKING_TOKENS, free)))

    def check_key(self) -> None:
        """Raise KeyRefused where this service of another machine wants a key and there is none."""
        if self.remote and self._connection.service.key_variable and not self._connection.key():
            raise KeyRefused(key_message(self._connection, "", ""))

    def close(self) -> None:  # noqa: B027  # most models hold nothing to be closed
        """Nothing is held between two answers."""

    @abstractmethod
    def _answer(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece, None]:
        """One try. Raises Trouble."""

    def _silence(self) -> float:
        """Seconds without a byte after which a connection is dead."""
        return self._patience.first

    def _finished(
        self, messages: Sequence[Message], written: Sequence[str], told: tuple[int, int] | None, reason: StopReason
    ) -> Finished:
        """The end of an answer, with the tokens that the service told, else counted here."""
        if told is not None:
            return Finished(Usage(*told), reason)
        return Finished(Usage(count_messages(self.count, messages), self.count("".join(written)), estimated=True), reason)


def token_counts(read: object, written: object) -> tuple[int, int] | None:
    """Counts as a service told them, or None where they are none."""
    if type(read) is int and type(written) is int and read >= 0 and written >= 0:
        return read, written
    return None
