"""What goes wrong with a service is told in the same words for every provider, and says what to do."""

from __future__ import annotations

import pytest
from chat_server import PIECES, ChatServer, Reply

from khoj_ls.core.chat import Delta, Finished, Message, Sampling
from khoj_ls.core.errors import ContextTooLong, KeyRefused, ModelError, RateLimited, Unreachable
from khoj_ls.core.jobs import CancelToken

KEY = "sk-very-secret-0123456789"


def ask(model):
    return model.stream([Message("user", "What is the answer?")], Sampling(100), CancelToken())


TOO_LONG = {
    "openai": "This model's maximum context length is 8192 tokens.",
    "anthropic": "prompt is too long: 210000 tokens > 200000 maximum",
    "ollama": "the input length exceeds the context length",
}


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (
            Reply(status=401, error=f"Incorrect API key {KEY}"),
            KeyRefused,
            ("refuses the key SVC_KEY", "khoj-ls config key SVC_KEY"),
        ),
        (Reply(status=403, error="not in your region"), KeyRefused, ("not in your region",)),
        (Reply(status=429, headers={"Retry-After": "0"}), RateLimited, ("asked too often",)),
        (Reply(status=429, error="You exceeded your current quota"), RateLimited, ("paid",)),
        (Reply(status=402, error="no funds"), RateLimited, ("paid", "no funds")),
        (Reply(status=413), ContextTooLong, ("chat.context_tokens",)),
        (Reply(status=400, error="bad role"), ModelError, ("status 400", "bad role")),
        (Reply(status=500, error="boom"), Unreachable, ("status 500", "boom")),
        (Reply(status=503), Unreachable, ("status 503",)),
        (
            Reply(status=302, headers={"Location": "http://198.51.100.7/v1"}),
            ModelError,
            ("redirects", "chat.providers.svc.base_url"),
        ),
        (Reply(dies_after=0), Unreachable, ("broke off",)),
        (Reply(dies_after=2), Unreachable, ("broke off",)),
        (Reply(ends_early=True), Unreachable, ("broke off",)),
        (Reply(garbage_after=1), Unreachable, ("no answer of a chat model",)),
        (Reply(failing_after=1, error="boom", error_code="api_error"), Unreachable, ("boom",)),
    ],
    ids=lambda value: f"{value.status}-{value.error}" if isinstance(value, Reply) else "",
)
def test_errors_say_what_to_do(kind, make, reply, error, says):
    with ChatServer([reply]) as server, pytest.raises(error) as raised:
        list(ask(make(kind, server)))
    assert type(raised.value) is error
    assert all(part in str(raised.value) for part in says), raised.value
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "garbage",
    [
        "null", "42", '"text"', "[]", "[[]]", "{}", "\x00", "[" * 5000,
        '{"choices": 1}', '{"choices": [null]}', '{"choices": [{}]}', '{"choices": [{"delta": 5}]}',
        '{"choices": [{"delta": {"content": 5}}]}', '{"choices": [{"delta": {"content": "x"}, "finish_reason": 7}]}',
        '{"choices": [], "usage": 5}', '{"choices": [], "usage": {"prompt_tokens": "many"}}',
        '{"type": 5}', '{"type": "content_block_delta"}', '{"type": "content_block_delta", "delta": {"type": "text_delta"}}',
        '{"type": "content_block_delta", "delta": {"type": "text_delta", "text": 5}}', '{"type": "message_delta"}',
        '{"type": "message_delta", "delta": {"stop_reason": ["x"]}, "usage": {"output_tokens": "x"}}',
        '{"message": 5}', '{"message": {"content": null}}', '{"message": {}, "done": true}', '{"error": 5}',
        '{"error": {"a": []}}',
    ],
)  # fmt: skip
def test_wire_data_of_the_wrong_shape_is_borne_or_an_error(kind, make, garbage):
    with ChatServer([Reply(garbage_after=1, garbage=garbage)]) as server:
        answer = ask(make(kind, server))
        assert next(answer) == Delta(PIECES[0])
        try:
            assert isinstance(list(answer)[-1], Finished)
        except ModelError as error:
            # what is not foreseen is told as an error of a type and logged: there should be none
            assert "the log says more" not in str(error)


def test_a_question_that_is_too_long(kind, make):
    with ChatServer([Reply(status=400, error=TOO_LONG[kind])]) as server, pytest.raises(ContextTooLong):
        list(ask(make(kind, server)))


def test_nothing_listens(kind, make):
    with ChatServer() as server:
        pass
    says = "ollama serve" if kind == "ollama" else "start the service"
    with pytest.raises(Unreachable, match=says):
        list(ask(make(kind, server, tries=3)))


def test_a_model_that_is_not_there(kind, make):
    says = "run `ollama pull m`" if kind == "ollama" else r"has no model 'm', or chat\.providers\.svc\.base_url is wrong"
    with ChatServer([Reply(status=404, error="model 'm' not found")]) as server, pytest.raises(ModelError, match=says):
        list(ask(make(kind, server)))


@pytest.mark.parametrize(
    ("setting", "variable", "says"),
    [
        ("chat.providers.svc.base_url", "", "khoj-ls config set chat.providers.svc.api_key_variable NAME"),
        ("the base URL that was given", "", r"make a table \[chat\.providers\.NAME\]"),
        ("chat.providers.svc.base_url", "SVC_KEY", "khoj-ls config key SVC_KEY"),
    ],
)
def test_a_service_that_wants_a_key(kind, make, setting, variable, says):
    with ChatServer([Reply(status=401, error="who are you?")]) as server, pytest.raises(KeyRefused, match=says):
        list(ask(make(kind, server, setting=setting, variable=variable, key="")))


def test_an_encrypted_connection_that_cannot_be_made(kind, make):
    with ChatServer() as server, pytest.raises(Unreachable, match=r"no encrypted connection .*chat\.providers\.svc\.base_url"):
        list(ask(make(kind, server, base_url=server.root.replace("http:", "https:"), tries=3)))
