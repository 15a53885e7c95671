"""What a chat model is asked and what it answers, whoever makes it: the door for providers, built-in ones and plugins alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from khoj_ls.core.jobs import CancelToken

Role = Literal["system", "user", "assistant"]
StopReason = Literal["stop", "length", "filtered"]
"""Why an answer ends: it is complete, it is as long as was allowed, or the provider cut it off."""


MOST_IMAGE_BYTES = 5_000_000
"""Of one picture: what the strictest of the known services takes."""


@dataclass(frozen=True)
class Image:
    """A picture that is shown to a model that sees."""

    media_type: str
    """`image/png`, `image/jpeg`, `image/gif` or `image/webp`."""
    data: bytes
    private: bool = False
    """Whether a private note shows it: it goes where private passages go, and nowhere else."""


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: Role
    text: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float


@dataclass(frozen=True)
class ModelCard:
    """What is known of a chat model before it is asked."""

    provider: str
    """Name of the provider, as settings and `PROVIDER/NAME` have it: `openai`, `anthropic`, `ollama`, `local`."""
    name: str
    """The provider's own name for the model."""
    window: int
    """Most tokens of question and answer together."""
    max_answer: int
    """Most tokens of one answer; at most `window`."""
    vision: bool = False
    streaming: bool = True
    price: Price | None = None
    """None: free, or not known."""

    @property
    def id(self) -> str:
        """`PROVIDER/NAME`."""
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn; None leaves a number to the provider."""

    max_tokens: int
    temperature: float | None = None
    top_p: float | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens that were read and written."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False
    """Whether the provider did not say, and they were counted here."""


@dataclass(frozen=True)
class Delta:
    """The next piece of an answer; never empty."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The end of an answer: the last that a stream yields, exactly once."""

    usage: Usage
    reason: StopReason = "stop"


@runtime_checkable
class ChatModel(Protocol):
    """One chat model, ready to be asked. Any thread may ask; several answers may be under way at once."""

    card: ModelCard
    host: str
    """Where messages are sent (`https://api.openai.com`, without name, password and path); empty: nowhere, it runs here."""
    remote: bool
    """Whether `host` is another machine than this one."""

    def count(self, text: str) -> int:
        """Tokens of `text`. Never raises: where the model's own tokenizer cannot be asked, an estimate, rather too high."""
        ...

    def stream(self, messages: Sequence[Message], sampling: Sampling, token: CancelToken) -> Iterator[Delta | Finished]:
        """The answer, piece by piece as it arrives.

        Cancelling `token` from any thread, or closing the iterator, ends the provider's request within 200 ms. Raises
        Cancelled, and ModelError with a message a user can act on (RateLimited, ContextTooLong, KeyRefused, Unreachable):
        before the first piece after some tries, later at once.
        """
        ...

    def close(self) -> None:
        """Give connections and processes back."""
        ...
