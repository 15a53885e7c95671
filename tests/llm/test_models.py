"""Choosing models by name, what is known of them, consent, and lists."""

from __future__ import annotations

import re
import sys
import threading
from dataclasses import replace

import pytest
from chat_server import ChatServer
from waiting import wait_until

from khoj_ls.config.load import assignments, load_user_settings
from khoj_ls.config.settings import ChatSettings
from khoj_ls.core.chat import Delta, Message, ModelCard, Price, Sampling
from khoj_ls.core.errors import ConsentNeeded, KeyRefused, SettingsError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.llm.catalogue import CATALOGUE
from khoj_ls.llm.connection import Connection
from khoj_ls.llm.counting import estimate
from khoj_ls.llm.models import ChatModels

FAR = "https://llm.example.org/v1"
CLOSED = "http://127.0.0.1:9"
NOTHING_HERE = {name: {"base_url": f"{CLOSED}/v1"} for name in ("lmstudio", "vllm", "llamacpp", "ollama")}


@pytest.fixture
def models(folders):
    """Makes ChatModels of settings; services of this machine are not looked for."""
    made = []

    def make(environment=None, providers=None, **settings):
        chat = ChatSettings(providers={**NOTHING_HERE, **(providers or {})}, **settings)
        made.append(ChatModels(lambda: chat, folders, environment or {}, 0))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_what_is_known_of_models():
    for models in CATALOGUE.values():
        names = [known.name for known in models]
        assert len(set(names)) == len(names)
        assert all(0 <= known.max_answer <= known.window for known in models)
    every = [known.name for models in CATALOGUE.values() for known in models]
    assert len(set(every)) == len(every)  # so that a bare name means one


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("gpt-4", ModelCard("openai", "gpt-4", 8192, 8192, price=Price(30, 60))),
        ("gpt-4o", ModelCard("openai", "gpt-4o", 128_000, 16_384, True, price=Price(2.5, 10))),
        ("openai/gpt-4o", ModelCard("openai", "gpt-4o", 128_000, 16_384, True, price=Price(2.5, 10))),
        (
            "claude-3-5-sonnet-20241022",
            ModelCard("anthropic", "claude-3-5-sonnet-20241022", 200_000, 8192, True, price=Price(3, 15)),
        ),
        ("llama3.1:8b", ModelCard("ollama", "llama3.1:8b", 8192, 4096)),
        ("mistral:7b", ModelCard("ollama", "mistral:7b", 8192, 4096)),
        ("ollama/anything:1b", ModelCard("ollama", "anything:1b", 8192, 4096)),
        ("lmstudio/qwen/qwen3-8b", ModelCard("lmstudio", "qwen/qwen3-8b", 8192, 4096)),
        ("work-large", ModelCard("work", "large-2026", 32_768, 8192, True, price=Price(1, 2))),
        ("cheap", ModelCard("openai", "gpt-4o", 16_000, 16_000, True, price=Price(2.5, 10))),
    ],
)
def test_names(models, name, card):
    chosen = models(
        providers={"work": {"base_url": FAR}},
        models={
            "work-large": {
                "provider": "work", "model": "large-2026", "window": 32_768, "vision": True, "price_input": 1.0,
                "price_output": 2.0,
            },
            "cheap": {"provider": "openai", "model": "gpt-4o", "window": 16_000},
        },
    ).choose(name)  # fmt: skip
    assert chosen.card == card


@pytest.mark.parametrize("name", ["", "none"])
def test_no_model(models, name):
    assert models().choose(name) is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gpt-4p", ("did you mean", "openai/gpt-4o", "ollama/llama3.1:8b", "PROVIDER/NAME")),
        ("openai/gpt-99", ("gpt-4o", "[chat.models.NAME]")),
        ("nobody/model", ("there is no chat model 'nobody/model'",)),
        ("local/nothing", ("there is no model 'nothing'", "there, or name its path")),
        ("local/../../etc/passwd", ("there is no model",)),
        ("/nowhere/model.gguf", ("there is no file /nowhere/model.gguf",)),
    ],
)
def test_names_that_are_not_known(models, name, says):
    with pytest.raises(UsageError) as raised:
        models().choose(name)
    assert all(part in str(raised.value) for part in says), raised.value


def test_a_gateway_of_ones_own_takes_any_name(models):
    chosen = models(providers={"openai": {"base_url": "http://127.0.0.1:9/v1"}}).choose("openai/gpt-99")
    assert (chosen.card.id, chosen.host, chosen.remote) == ("openai/gpt-99", CLOSED, False)


@pytest.mark.parametrize(
    ("name", "base", "kind", "path"),
    [
        ("some-model", "/v1", "OpenAiCompatible", "/v1/chat/completions"),
        ("openai/gpt-4o", "/v1/", "OpenAiCompatible", "/v1/chat/completions"),
        ("lmstudio/x", "/v1", "OpenAiCompatible", "/v1/chat/completions"),
        ("anthropic/claude-haiku-4-5", "", "Anthropic", "/v1/messages"),
        ("anthropic/claude-haiku-4-5", "/v1", "Anthropic", "/v1/messages"),
        ("ollama/x", "", "Ollama", "/api/chat"),
        ("ollama/x", "/v1/", "Ollama", "/api/chat"),
    ],
)
def test_another_address_for_one_question(models, name, base, kind, path):
    keys = {"OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-anthropic"}
    with ChatServer(["hi"]) as server:
        model = models(keys).choose(name, server.root + base)
        assert type(model).__name__ == kind
        got = list(model.stream([Message("user", "hi")], Sampling(10), CancelToken()))
    assert (got[0], server.requests[0].path) == (Delta("hi"), path)
    # a vendor's key is not for another host
    assert "Authorization" not in server.requests[0].headers


def test_models_are_made_once(models):
    chosen = models(timeout_seconds=5.0)
    assert chosen.choose("gpt-4o") is chosen.choose("openai/gpt-4o")
    assert chosen.choose("gpt-4o") is not chosen.choose("gpt-4")


@pytest.mark.parametrize(
    ("has", "name", "window"),
    [
        ({"m": 16_384}, "vllm/m", 16_384),
        ({"other": 4096}, "vllm/m", 8192),
        ({"m": 16_384}, "mine", 6000),  # a preset says so
        ({"m": 131_072}, "ollama/m", 12_000),  # chat.local_window
        ({"m": 2048}, "ollama/m", 2048),
        ({"mistral:7b": 32_768}, "ollama/mistral:7b", 12_000),
        ({}, "ollama/mistral:7b", 12_000),
    ],
)
def test_how_long_windows_are(models, has, name, window):
    with ChatServer(models=has) as server:
        model = models(
            providers={"vllm": {"base_url": server.url}, "ollama": {"base_url": server.root}},
            models={"mine": {"provider": "vllm", "model": "m", "window": 6000}},
            local_window=12_000,
        ).choose(name)
    assert model.card.window == window


def test_ollama_tells_whether_a_model_sees_and_thinks(models):
    asked = [Message("user", "hi")]
    with ChatServer(models={"m": 16_384}) as server:
        chosen = models(providers={"ollama": {"base_url": server.root}}, local_window=16_384)
        told, other = chosen.choose("ollama/m"), chosen.choose("ollama/other")
    assert (told.card.vision, other.card.vision) == (True, False)
    # there is room for its thoughts
    assert (told.longest_answer(asked, 100), other.longest_answer(asked, 100)) == (8192, 100)


@pytest.mark.parametrize("name", ["llamacpp/m", "mine"])
def test_a_server_of_this_machine_counts(models, name):
    with ChatServer(models={"m": 4096}, tokens=lambda text: len(text.split())) as server:
        model = models(
            providers={"llamacpp": {"base_url": server.url}},
            models={"mine": {"provider": "llamacpp", "model": "m", "window": 4000}},
        ).choose(name)
        assert [model.count("one two three"), model.count("one two three")] == [3, 3]
        assert len([request for request in server.asked if (request.body or {}).get("content") == "one two three"]) == 1
    assert model.count("four words are here") == estimate("four words are here")  # the server is gone


def test_a_server_elsewhere_does_not_count(models, monkeypatch):
    asked = []
    monkeypatch.setattr(Connection, "ask", lambda self, path, *rest, **more: asked.append(path) or {"data": [], "tokens": [1]})
    chosen = models(providers={"work": {"base_url": FAR}}, allowed_hosts=("llm.example.org",)).choose("work/any")
    assert chosen.count("one two three") == estimate("one two three") and "/tokenize" not in asked


def test_a_thinking_model_gets_room_for_its_thoughts(models):
    with ChatServer(["hi"]) as server:
        model = models().choose("openai/gpt-5", server.url)
        list(model.stream([Message("user", "hi")], Sampling(100, 0.5, 0.9), CancelToken()))
    body = server.requests[0].body
    assert body["max_completion_tokens"] == 100 + 8192 and "temperature" not in body and "top_p" not in body


ASKED = [Message("system", "s" * 400), Message("user", "word " * 1000)]


@pytest.mark.parametrize(
    ("name", "wanted", "read", "written", "answer"),
    [
        ("gpt-4o", 5000, 2.5, 10, 5000),
        ("gpt-4o", 200_000, 2.5, 10, 16_384),  # no longer than the model's
        ("gpt-5", 2048, 1.25, 10, 2048 + 8192),  # its thoughts are paid for
    ],
)
def test_what_a_question_would_cost(models, name, wanted, read, written, answer):
    chosen = models({"OPENAI_API_KEY": "sk-1"})
    with pytest.raises(ConsentNeeded) as raised:
        chosen.check_consent(chosen.choose(name), ASKED, wanted)
    assert raised.value.cost == pytest.approx((raised.value.tokens * read + answer * written) / 1e6)


def test_consent(models, folders):
    chosen = models({"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2"})
    model = chosen.choose("gpt-4o")
    with pytest.raises(ConsentNeeded) as raised:
        chosen.check_consent(model, ASKED, 100)
    error = raised.value
    assert error.host == "https://api.openai.com" and 1000 <= error.tokens <= 2500
    assert all(part in str(error) for part in ("https://api.openai.com", "openai/gpt-4o", "$0.0", "chat.allowed_hosts"))
    with pytest.raises(ConsentNeeded):  # the model itself asks too, before it opens a connection
        list(model.stream(ASKED, Sampling(10), CancelToken()))
    chosen.allow(error.host)
    chosen.check_consent(model, ASKED, 100)
    chosen.allow(error.host)
    assert load_user_settings(folders)[0].chat.allowed_hosts == ("https://api.openai.com",)
    with pytest.raises(ConsentNeeded):
        chosen.check_consent(chosen.choose("claude-haiku-4-5"), ASKED, 100)


def test_what_to_say_yes_with_is_whole_however_many_hosts_there_are(models):
    before = tuple(f"https://service-{number}.example.org" for number in range(9))
    chosen = models({"OPENAI_API_KEY": "sk-1"}, allowed_hosts=before)
    with pytest.raises(ConsentNeeded) as raised:
        chosen.check_consent(chosen.choose("gpt-4o"), ASKED, 100)
    [command] = re.findall("config set chat.allowed_hosts '(.*)'`", str(raised.value))
    assert assignments([f"chat.allowed_hosts={command}"]) == {"chat.allowed_hosts": (*before, "https://api.openai.com")}


def test_keys_are_looked_for_once_for_a_list(models, monkeypatch):
    asked = []
    monkeypatch.setattr("khoj_ls.llm.models.find_key", lambda name, *rest: asked.append(name))
    models().listed()
    assert sorted(asked) == ["ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY"]


def test_a_key_that_is_missing_is_told_before_a_yes_is_asked_for(models):
    chosen = models()
    with pytest.raises(KeyRefused, match="wants a key: set the environment variable OPENAI_API_KEY"):
        chosen.check_consent(chosen.choose("gpt-4o"), ASKED, 100)


def test_a_yes_keeps_the_rest_of_the_file(models, folders):
    folders.config.mkdir(parents=True)
    folders.user_settings.write_text('# mine\n[chat]\nmodel = "gpt-4o" # best\nallowed_hosts = ["llm.example.org"]\n')
    models().allow("https://api.openai.com")
    assert folders.user_settings.read_text() == (
        '# mine\n[chat]\nmodel = "gpt-4o" # best\nallowed_hosts = ["llm.example.org", "https://api.openai.com"]\n'
    )


@pytest.mark.parametrize(
    ("allowed", "base_url", "asks"),
    [
        ((), FAR, True),
        (("llm.example.org",), FAR, False),
        (("https://llm.example.org",), FAR, False),
        (("llm.example.org",), "http://llm.example.org/v1", True),
        (("http://llm.example.org",), "http://llm.example.org/v1", False),
        (("example.org",), FAR, True),
        (("llm.example.org",), "https://llm.example.org:8443/v1", True),
        (("llm.example.org",), "https://llm.example.org.evil.org/v1", True),
        ((), "http://127.0.0.1:1234/v1", False),
        ((), "http://localhost:1234/v1", False),
        ((), "http://[::1]:1234/v1", False),
        ((), "http://192.168.1.2:1234/v1", True),
    ],
)
def test_a_yes_is_for_one_host(models, allowed, base_url, asks):
    chosen = models(
        allowed_hosts=allowed,
        providers={"work": {"base_url": base_url}},
        models={"m": {"provider": "work", "model": "m", "window": 1000}},
    )
    model = chosen.choose("m")
    if not asks:
        chosen.check_consent(model, ASKED, 100)
        return
    with pytest.raises(ConsentNeeded) as raised:
        chosen.check_consent(model, ASKED, 100)
    assert ("not encrypted" in str(raised.value)) == base_url.startswith("http:")
    assert raised.value.cost is None


@pytest.mark.parametrize(("kind", "window"), [("openai", 16_384), ("ollama", 2048)])
def test_nothing_is_asked_of_a_host_that_was_not_allowed(models, folders, monkeypatch, kind, window):
    asked = []
    told = {
        "/v1/models": {"data": [{"id": "any", "max_model_len": window}]},
        "/api/show": {"model_info": {"llama.context_length": window}},
    }
    monkeypatch.setattr(Connection, "ask", lambda self, path, *rest, **more: asked.append(self.host) or told.get(path))
    chosen = ChatModels(
        lambda: replace(load_user_settings(folders)[0].chat, providers={"work": {"kind": kind, "base_url": FAR}}),
        folders,
        {},
        0,
    )
    assert (chosen.choose("work/any").card.window, asked) == (8192, [])
    chosen.allow("https://llm.example.org")
    # at once: what was guessed before the yes is not held on to
    assert (chosen.choose("work/any").card.window, {*asked}) == (window, {"https://llm.example.org"})


def test_a_yes_can_be_taken_back(folders):
    chosen = ChatModels(
        lambda: replace(load_user_settings(folders)[0].chat, providers={"work": {"base_url": FAR}}), folders, {}, 0
    )
    model = chosen.choose("work/any")
    chosen.allow(model.host)
    chosen.check_consent(model, ASKED, 100)
    folders.user_settings.write_text("[chat]\nallowed_hosts = []\n")
    with pytest.raises(ConsentNeeded):
        chosen.check_consent(model, ASKED, 100)


def test_a_yes_that_cannot_be_written_holds_for_this_process(models, folders):
    folders.user_settings.mkdir(parents=True)  # no file
    chosen = models(providers={"work": {"base_url": FAR}})
    model = chosen.choose("work/any")
    with pytest.raises(SettingsError):
        chosen.allow(model.host)
    chosen.check_consent(model, ASKED, 100)


def test_lists(models):
    with ChatServer(models={"llama3.1:8b": 8192, "phi4": 16_384}) as ollama, ChatServer(models={"qwen": 4096}) as studio:
        listed = models(
            {"ANTHROPIC_API_KEY": "sk-a"},
            providers={
                "ollama": {"base_url": ollama.root},
                "lmstudio": {"base_url": studio.url},
                "claudes": {"kind": "anthropic", "base_url": studio.root},
            },
            models={"mine": {"provider": "openai", "model": "gpt-99", "window": 1000}},
        ).listed()
    found = {each.name: (each.remote, each.key, each.installed) for each in listed}
    assert found["mine"] == (True, "missing", None)
    assert found["openai/gpt-4o"] == (True, "missing", None)
    assert found["anthropic/claude-haiku-4-5"] == (True, "there", None)
    assert found["ollama/llama3.1:8b"] == (False, "", True)
    assert found["ollama/mistral:7b"] == (False, "", False)
    assert found["ollama/phi4"] == (False, "", True)
    assert found["lmstudio/qwen"] == (False, "", True)
    assert found["claudes/qwen"] == (False, "", True)
    assert len(found) == len(listed)


@pytest.mark.parametrize(
    ("name", "imported"), [("gpt-4o", True), ("claude-haiku-4-5", False), ("", False), ("none", False), ("nobody/model", False)]
)
def test_what_a_model_needs_is_imported_ahead(models, monkeypatch, name, imported):
    monkeypatch.setattr("khoj_ls.llm.models._PACKAGES", {"openai": "colorsys"})
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    models().expect(name)
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "khoj-chat-import"])
    assert ("colorsys" in sys.modules) == imported


def test_settings_are_those_of_the_moment(folders):
    now = ChatSettings()
    chosen = ChatModels(lambda: now, folders, {}, 0)
    with pytest.raises(UsageError):
        chosen.choose("mine")
    now = replace(now, models={"mine": {"provider": "openai", "model": "gpt-99", "window": 1000}})
    assert chosen.choose("mine").card.window == 1000


@pytest.mark.parametrize(
    ("name", "first"), [("openai/gpt-4o", 60), ("openai/gpt-5", 600), ("lmstudio/x", 600), ("anthropic/claude-opus-5", 600)]
)
def test_models_that_need_time_before_their_first_word_get_it(models, name, first):
    assert models(timeout_seconds=60.0).choose(name)._patience.first == first
