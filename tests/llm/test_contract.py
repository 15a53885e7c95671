"""What every chat provider does, whatever its wire format, at a service that does what services do."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time

import pytest
from chat_server import PIECES, ChatServer, Reply
from waiting import wait_until

from khoj_ls.core.chat import ChatModel, Delta, Finished, Image, Message, Sampling, Usage
from khoj_ls.core.errors import (
    Cancelled,
    ConsentNeeded,
    ModelError,
    Unreachable,
)
from khoj_ls.core.jobs import CancelToken
from khoj_ls.llm.streaming import Patience, stream

KEY = "sk-very-secret-0123456789"
ASKED = (Message("system", "Be brief."), Message("user", "What is the answer?"))
SAMPLING = Sampling(100, 0.5, 0.9)


def ask(model, token=None, messages=ASKED):
    return model.stream(messages, SAMPLING, token or CancelToken())


def answer_threads():
    return [thread for thread in threading.enumerate() if thread.name == "khoj-chat-answer"]


def test_it_is_a_chat_model(kind, make):
    with ChatServer() as server:
        model = make(kind, server)
    assert isinstance(model, ChatModel)
    assert (model.host, model.remote) == (server.root, False)


@pytest.mark.parametrize("reason", ["stop", "length"])
def test_pieces_arrive_in_order_and_the_end_is_last(kind, make, reason):
    with ChatServer([Reply(reason=reason, pieces=["Ünï", "cödé ", "", "\n", "😀 end"])]) as server:
        got = list(ask(make(kind, server)))
    assert got == [Delta("Ünï"), Delta("cödé "), Delta("\n"), Delta("😀 end"), Finished(Usage(11, 5), reason)]


def test_the_first_piece_does_not_wait_for_the_last(kind, make):
    with ChatServer([Reply(silent_after=2)]) as server:
        answer = ask(make(kind, server))
        assert list(itertools.islice(answer, 2)) == [Delta(PIECES[0]), Delta(PIECES[1])]
        answer.close()


@pytest.mark.parametrize(
    "reply", [Reply(mute=True), Reply(silent_after=0), Reply(silent_after=2), Reply(pause=0.05, pieces=["x"] * 400)]
)
def test_cancelling_ends_the_request_at_once(kind, make, reply):
    token = CancelToken()
    heard = threading.Event()
    ended = []
    with ChatServer([reply]) as server:

        def read():
            try:
                for _ in ask(make(kind, server), token):
                    heard.set()
            except Cancelled:
                ended.append(time.monotonic())

        reader = threading.Thread(target=read)
        reader.start()
        wait_until(lambda: server.requests and (heard.is_set() or reply.mute or reply.silent_after == 0))
        cancelled = time.monotonic()
        token.cancel()
        assert server.gone.acquire(timeout=5)
        closed = time.monotonic()
        reader.join(5)
        # 200 ms are promised; a machine that is busy with other tests is given more
        assert closed - cancelled < 1 and ended[0] - cancelled < 1
        wait_until(lambda: not answer_threads() and server.open == 0)


def test_cancelling_reaches_the_service_while_nobody_reads(kind, make):
    token = CancelToken()
    with ChatServer([Reply(silent_after=1)]) as server:
        answer = ask(make(kind, server), token)
        assert next(answer) == Delta(PIECES[0])
        token.cancel()
        assert server.gone.acquire(timeout=5)
        with pytest.raises(Cancelled):
            next(answer)


def test_closing_the_iterator_ends_the_request(kind, make):
    with ChatServer([Reply(silent_after=1)]) as server:
        answer = ask(make(kind, server))
        next(answer)
        answer.close()
        assert server.gone.acquire(timeout=5)
        wait_until(lambda: not answer_threads() and server.open == 0)


def test_nothing_is_asked_once_it_is_cancelled(kind, make):
    token = CancelToken()
    token.cancel()
    with ChatServer() as server:
        with pytest.raises(Cancelled):
            next(ask(make(kind, server), token))
        assert server.requests == []


def test_two_answers_at_once(kind, make):
    gates = [threading.Event(), threading.Event()]
    replies = iter([Reply(gate=gates[0], pieces=["a"]), Reply(gate=gates[1], pieces=["b"])])
    with ChatServer(lambda body: next(replies)) as server:
        model = make(kind, server)
        got: dict[int, list] = {}
        readers = [threading.Thread(target=lambda i=i: got.update({i: list(ask(model))})) for i in (0, 1)]
        for number, reader in enumerate(readers):
            reader.start()
            wait_until(lambda number=number: len(server.requests) == number + 1)
        gates[1].set()
        readers[1].join(5)
        assert got == {1: [Delta("b"), Finished(Usage(11, 5))]}
        gates[0].set()
        readers[0].join(5)
        assert got[0][0] == Delta("a")


@pytest.mark.parametrize("reply", [Reply(mute=True), Reply(silent_after=2)])
def test_a_service_that_is_silent_is_given_up(kind, make, reply):
    with ChatServer([reply]) as server, pytest.raises(Unreachable, match=r"said nothing.*chat\.timeout_seconds"):
        # what runs on this machine has ten times as long to begin
        list(ask(make(kind, server, silence=0.05 if reply.mute else 0.3, tries=3)))
    assert len(server.requests) == 1


def test_what_had_arrived_is_there_before_the_error(kind, make):
    got = []
    with ChatServer([Reply(dies_after=3)]) as server, pytest.raises(Unreachable):
        for piece in ask(make(kind, server, tries=3)):
            got.append(piece)
    # and it is not asked again: what was read cannot be taken back
    assert ([piece.text for piece in got], len(server.requests)) == (list(PIECES[:3]), 1)


@pytest.mark.parametrize(
    "first", [Reply(status=500), Reply(status=429, headers={"Retry-After": "0"}), Reply(status=503), Reply(dies_after=0)]
)
def test_it_is_asked_again_before_the_first_piece(kind, make, first):
    with ChatServer([first, Reply()]) as server:
        got = list(ask(make(kind, server, tries=2)))
    assert (got[-1].usage, len(server.requests)) == (Usage(11, 5), 2)


@pytest.mark.parametrize("first", [Reply(status=401), Reply(status=400), Reply(status=429, headers={"Retry-After": "3600"})])
def test_it_is_not_asked_again_in_vain(kind, make, first):
    with ChatServer([first, Reply()]) as server, pytest.raises(ModelError):
        list(ask(make(kind, server, tries=3)))
    assert len(server.requests) == 1


def test_a_pause_between_tries_can_be_called_off(kind, make):
    token = CancelToken()
    with ChatServer([Reply(status=429, headers={"Retry-After": "50"})]) as server:
        threading.Thread(target=lambda: (wait_until(lambda: server.requests), token.cancel())).start()
        with pytest.raises(Cancelled):
            list(ask(make(kind, server, tries=3), token))


def test_closing_waits_for_nothing_that_hangs(make):
    hangs = threading.Event()

    async def held_up():
        yield Delta("a")
        hangs.wait()  # no cancelling reaches a loop that is held up
        yield Finished(Usage(1, 1))

    with ChatServer() as server:
        connection = make("openai", server)._connection
    answer = stream(held_up, connection, Patience(20, 1), CancelToken())
    assert next(answer) == Delta("a")
    closed = time.monotonic()
    answer.close()
    # 200 ms are promised; a machine that is busy with other tests is given more
    assert time.monotonic() - closed < 1
    hangs.set()
    wait_until(lambda: not answer_threads())


def test_tokens_are_estimated_where_the_service_does_not_tell(make):
    for kind in ("openai", "ollama"):
        with ChatServer([Reply(usage=None)]) as server:
            usage = list(ask(make(kind, server)))[-1].usage
        assert usage.estimated and usage.input_tokens > 10 and 5 <= usage.output_tokens <= 15


def test_keys_and_notes_reach_no_log_and_no_repr(kind, make, caplog):
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    note = Message("user", "the secret recipe of my grandmother")
    for reply in (Reply(), Reply(status=401, error=f"bad {KEY}"), Reply(dies_after=1), Reply(garbage_after=1)):
        with ChatServer([reply]) as server:
            model = make(kind, server)
            try:
                list(ask(model, messages=[note]))
            except ModelError as error:
                chain = [error, error.__cause__, error.__context__]
                assert not any(KEY in f"{each!r} {getattr(each, '__dict__', '')}" for each in chain)
            assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
            assert KEY not in repr(model) and KEY not in repr(vars(model))
    told = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    assert KEY not in told and "grandmother" not in told


def test_headers_say_nothing_of_this_machine(kind, make, monkeypatch):
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Leak: 1")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Leak: 1\nAuthorization: Bearer other")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-leak")
    with ChatServer() as server:
        list(ask(make(kind, server)))
    headers = {name.lower(): value for name, value in server.requests[0].headers.items()}
    assert set(headers) <= {
        "host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent", "authorization",
        "anthropic-version",
    }  # fmt: skip
    assert (headers["user-agent"], headers["authorization"]) == ("khoj-ls", f"Bearer {KEY}")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST"])
def test_the_environment_of_the_process_leads_nowhere(kind, make, monkeypatch, name):
    monkeypatch.setenv(name, "http://198.51.100.7:9/")
    with ChatServer() as server:
        assert list(ask(make(kind, server)))[-1] == Finished(Usage(11, 5))


def test_an_address_in_an_answer_is_not_visited(kind, make):
    with ChatServer(["see http://198.51.100.7/x and ![](http://198.51.100.7/y.png)"]) as server:
        list(ask(make(kind, server)))
        assert len(server.requests) == 1 and server.asked == []


def test_consent_is_asked_for_before_anything_is_sent(kind, make):
    def refuse(model, messages, answer):
        raise ConsentNeeded("ask", host=model.host)

    with ChatServer() as server:
        with pytest.raises(ConsentNeeded):
            list(ask(make(kind, server, may_ask=refuse)))
        assert server.requests == []


def test_pictures_go_to_models_that_see(kind, make):
    picture = Message("user", "What is this?", (Image("image/png", b"\x89PNG picture"),))
    with ChatServer() as server:
        list(ask(make(kind, server, vision=True), messages=[picture]))
        list(ask(make(kind, server, vision=False), messages=[picture]))
    data = "iVBORyBwaWN0dXJl"
    assert [data in request.text for request in server.requests] == [True, False]


def test_what_is_sent(make):
    expected = {
        "openai": {
            "model": "m", "stream": True, "stream_options": {"include_usage": True}, "max_tokens": 100, "temperature": 0.5,
            "top_p": 0.9,
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the answer?"}],
        },
        "anthropic": {
            "model": "m", "stream": True, "max_tokens": 100, "temperature": 0.5, "system": "Be brief.",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "What is the answer?"}]}],
        },
        "ollama": {
            "model": "m", "stream": True, "keep_alive": "5m",
            "options": {"num_ctx": 8192, "num_predict": 100, "temperature": 0.5, "top_p": 0.9},
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the answer?"}],
        },
    }  # fmt: skip
    for kind, body in expected.items():
        with ChatServer() as server:
            list(ask(make(kind, server)))
        assert server.requests[0].body == body


@pytest.mark.parametrize("refused", ["stream_options", "temperature", "top_p"])
def test_what_a_service_does_not_take_is_left_out(make, refused):
    def answer(body):
        return Reply(status=400, error=f"Unsupported parameter: {refused}") if refused in body else Reply()

    with ChatServer(answer) as server:
        got = list(ask(make("openai", server)))
    assert isinstance(got[-1], Finished) and refused not in server.requests[-1].body
    assert json.loads(server.requests[-1].text)["messages"]


def test_a_service_that_wants_the_newer_name_for_the_longest_answer_gets_it(make):
    def answer(body):
        error = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return Reply(status=400, error=error) if "max_tokens" in body else Reply()

    with ChatServer(answer) as server:
        assert isinstance(list(ask(make("openai", server)))[-1], Finished)
    assert [request.body.get("max_completion_tokens") for request in server.requests] == [None, 100]


def test_anthropic_is_asked_again_without_a_temperature_that_it_does_not_take(make):
    def answer(body):
        return Reply(status=400, error="`temperature` is not supported on this model") if "temperature" in body else Reply()

    with ChatServer(answer) as server:
        assert isinstance(list(ask(make("anthropic", server)))[-1], Finished)
    assert len(server.requests) == 2
