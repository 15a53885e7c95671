"""A real model in a GGUF file, run by a worker process."""

from __future__ import annotations

import itertools
import struct
import time

import httpx
import pytest
from waiting import wait_until

from khoj_ls.config.settings import ChatSettings
from khoj_ls.core.chat import ChatModel, Delta, Finished, Message, Sampling
from khoj_ls.core.errors import Cancelled, ModelError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.llm.counting import count_messages, estimate
from khoj_ls.llm.gguf_file import trained_window
from khoj_ls.llm.models import ChatModels

HELLO = [Message("system", "You are a helpful assistant."), Message("user", "Say hello to Anna.")]
LONG = [Message("user", "Count from one to five hundred, in words.")]


@pytest.fixture(scope="module")
def chosen(tmp_path_factory, gguf):
    """ChatModels, and the tiny model."""
    from khoj_ls.config.paths import Folders

    home = tmp_path_factory.mktemp("home")
    chat = ChatSettings(local_window=2048)
    models = ChatModels(lambda: chat, Folders(home / "config", home / "data", home / "state", home / "run"), {}, 5)
    yield models.choose(str(gguf))
    models.close()


def pid_of(model):
    """Process id of the worker; None while none runs."""
    running = model._running
    if running is None or not running.done() or not running.result()[0].alive:
        return None
    return running.result()[0].pid


def ask(model, messages, most=20, token=None):
    return model.stream(messages, Sampling(most, 0.0), token or CancelToken())


def test_it_streams_and_counts(chosen):
    assert isinstance(chosen, ChatModel)
    assert (chosen.host, chosen.remote, chosen.card.window, chosen.card.provider) == ("", False, 2048, "local")
    *pieces, end = ask(chosen, HELLO)
    assert len(pieces) > 1 and all(isinstance(piece, Delta) and piece.text for piece in pieces)
    assert isinstance(end, Finished) and not end.usage.estimated
    # the server counts the marks of the chat template too
    assert sum(chosen.count(message.text) for message in HELLO) < end.usage.input_tokens <= count_messages(chosen.count, HELLO)
    assert chosen.count("hello world") == 2
    *_, end = ask(chosen, LONG, most=5)
    assert (end.reason, end.usage.output_tokens) == ("length", 5)


def test_it_is_called_off_and_answers_again(chosen):
    token = CancelToken()
    answer = ask(chosen, LONG, most=1500, token=token)
    assert len(list(itertools.islice(answer, 3))) == 3
    cancelled = time.monotonic()
    token.cancel()
    with pytest.raises(Cancelled):
        for _ in answer:
            pass
    assert time.monotonic() - cancelled < 1  # 200 ms are promised; the machine may be busy with other tests
    # the one slot of the server is free at once: what was called off is not being answered any more
    assert isinstance(list(ask(chosen, HELLO, most=3))[-1], Finished)


def test_only_those_with_the_key_reach_it(chosen):
    list(ask(chosen, HELLO, most=1))
    root = chosen._running.result()[1].host
    assert root.startswith("http://127.0.0.1:")
    body = {"messages": [{"role": "user", "content": "hi"}], "content": "x"}
    for path in ("/v1/chat/completions", "/completion", "/tokenize", "/v1/messages"):
        for headers in ({}, {"Authorization": "Bearer guess"}):
            assert httpx.post(root + path, json=body, headers=headers, timeout=5, trust_env=False).status_code == 401
    assert httpx.get(root + "/slots", timeout=5, trust_env=False).status_code == 401


def test_a_process_that_was_killed_is_started_again(chosen):
    import os
    import signal

    list(ask(chosen, HELLO, most=1))
    before = pid_of(chosen)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: pid_of(chosen) is None)
    assert isinstance(list(ask(chosen, HELLO, most=1))[-1], Finished)
    assert pid_of(chosen) not in (None, before)


def test_counts_are_estimates_until_it_is_loaded_and_it_is_unloaded_when_idle(gguf, folders):
    models = ChatModels(lambda: ChatSettings(local_window=512, local_idle_seconds=0.2), folders, {}, 0)
    model = models.choose(str(gguf))
    assert pid_of(model) is None
    assert model.count("hello world") == estimate("hello world")
    wait_until(lambda: pid_of(model) is not None)
    wait_until(lambda: pid_of(model) is None)
    models.close()


def test_models_by_name(gguf, folders):
    (folders.models / "chat").mkdir(parents=True)
    (folders.models / "chat" / "smol.gguf").symlink_to(gguf)
    nowhere = {name: {"base_url": "http://127.0.0.1:9/v1"} for name in ("ollama", "lmstudio", "vllm", "llamacpp")}
    models = ChatModels(lambda: ChatSettings(providers=nowhere), folders, {}, 0)
    [listed] = [each for each in models.listed() if each.name.startswith("local/")]
    assert (listed.name, listed.remote, listed.installed, listed.card.window) == ("local/smol", False, True, 8192)
    assert models.choose("local/smol").card == models.choose("local/smol.gguf").card == listed.card


def test_the_head_of_a_file(gguf, tmp_path):
    assert trained_window(gguf) == 8192
    broken = tmp_path / "broken.gguf"
    for data in (
        b"",
        b"GGUF",
        b"nonsense" * 10,
        gguf.read_bytes()[:60],
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 5) + b"\xff" * 99,
    ):
        broken.write_bytes(data)
        with pytest.raises(ModelError, match=r"broken\.gguf"):
            trained_window(broken)


def test_a_file_that_is_no_model(gguf, tmp_path, folders):
    half = tmp_path / "half.gguf"
    half.write_bytes(gguf.read_bytes()[: 8 << 20])
    models = ChatModels(lambda: ChatSettings(), folders, {}, 0)
    with pytest.raises(ModelError, match=r"half\.gguf cannot be run"):
        list(ask(models.choose(str(half)), HELLO))
    models.close()


def test_a_file_that_is_no_model_is_not_loaded_for_every_count(gguf, tmp_path, folders):
    half = tmp_path / "half.gguf"
    half.write_bytes(gguf.read_bytes()[: 8 << 20])
    models = ChatModels(lambda: ChatSettings(), folders, {}, 0)
    model = models.choose(str(half))
    assert model.count("one two") == estimate("one two")
    failed = model._running
    wait_until(failed.done)
    assert model.count("one two") == estimate("one two") and model._running is failed
    with pytest.raises(ModelError):  # a question tries again: the file may have been mended
        list(ask(model, HELLO))
    assert model._running is not failed
    models.close()


def test_without_the_extra(gguf, folders, monkeypatch):
    from khoj_ls.llm import gguf as module

    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    models = ChatModels(lambda: ChatSettings(), folders, {}, 0)
    with pytest.raises(ModelError, match=r"pip install 'khoj-ls\[local\]'"):
        list(ask(models.choose(str(gguf)), HELLO))
