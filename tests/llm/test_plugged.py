"""Chat models that plugins bring."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest

from khoj_ls.core.chat import Delta, Finished, Message, ModelCard, Sampling, Usage
from khoj_ls.core.errors import Cancelled, ModelError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.llm.plugged import plugged_model
from khoj_ls.plugins.brought import Brought
from khoj_ls.plugins.kinds import ChatProvider

END = Finished(Usage(1, 1))
ASKED = ([Message("user", "hello")], Sampling(100))


@dataclass
class Toy:
    pieces: Any = (Delta("a"), Delta("b"), END)
    card: Any = field(default_factory=lambda: ModelCard("other", "name", 1000, 100))
    host: Any = ""
    remote: Any = False
    tokens: Any = 7

    def count(self, text):
        if isinstance(self.tokens, Exception):
            raise self.tokens
        return self.tokens

    def stream(self, messages, sampling, token):
        if callable(self.pieces):
            self.pieces(token)
        for piece in () if callable(self.pieces) else self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self):
        pass


def chosen(made: Any, name: str = "toy/x", patience: float = 30.0):
    def make(wanted: str):
        if isinstance(made, Exception):
            raise made
        return made

    toys = MappingProxyType({"toy": ChatProvider("toy", "Toys.", make, ("x",))})
    return plugged_model(Brought(toys, MappingProxyType({"toy": "mine"})), name, patience)


def test_a_model_is_called_by_its_provider_s_name_and_streams() -> None:
    model = chosen(Toy())
    assert (model.card.id, model.count("text"), list(model.stream(*ASKED, CancelToken()))) == ("toy/x", 7, list(Toy().pieces))
    assert chosen(Toy(), "openai/x") is None


@pytest.mark.parametrize(
    ("made", "error", "what"),
    [
        (3, ModelError, "toy/x of the plugin mine cannot be used: a int is no ChatModel"),
        (Toy(card="card"), ModelError, "is no ChatModel"),
        (Toy(remote=True), ModelError, "do not say where messages go"),
        (Toy(host=None), ModelError, "do not say where messages go"),
        (ValueError("boom"), ModelError, "ValueError: boom"),
        (UsageError("no model x"), UsageError, "no model x"),
    ],
)
def test_what_is_no_model_is_told(made: Any, error: type[Exception], what: str) -> None:
    with pytest.raises(error, match=what):
        chosen(made)


@pytest.mark.parametrize(
    ("pieces", "what"),
    [
        ((Delta("a"), "b"), "toy/x of the plugin mine failed: it answered with a str"),
        ((Delta("a"), ValueError("boom")), "failed: ValueError: boom"),
        ((SystemExit(1),), "failed: SystemExit: 1"),
        ((ModelError("start it first"),), "^start it first$"),
    ],
)
def test_a_model_that_fails_is_told(pieces: Any, what: str) -> None:
    with pytest.raises(ModelError, match=what):
        list(chosen(Toy(pieces)).stream(*ASKED, CancelToken()))


def test_a_model_that_hangs_is_given_up_and_can_be_called_off() -> None:
    ends, begun, token = threading.Event(), threading.Event(), CancelToken()
    with pytest.raises(ModelError, match=r"gave no answer for 0\.2 s"):
        list(chosen(Toy(lambda token: ends.wait()), patience=0.2).stream(*ASKED, CancelToken()))

    def hangs(own: CancelToken) -> None:
        begun.set()
        token.cancel()
        ends.wait()

    with pytest.raises(Cancelled):
        list(chosen(Toy(hangs)).stream(*ASKED, token))
    assert begun.is_set()
    ends.set()


def test_the_model_hears_that_nobody_listens_any_more() -> None:
    heard = threading.Event()

    class Endless(Toy):
        def stream(self, messages, sampling, token):
            yield Delta("a")
            token.wait(60)
            heard.set()

    stream = chosen(Endless()).stream(*ASKED, CancelToken())
    next(stream)
    stream.close()
    assert heard.wait(60)


@pytest.mark.parametrize("tokens", [ValueError("boom"), -1, "many", None])
def test_tokens_are_estimated_where_the_plugin_cannot_count(tokens: Any) -> None:
    assert chosen(Toy(tokens=tokens)).count("nine signs") == 4
