"""What is told of a vault's work, and that nothing private ever is: neither text nor path nor number."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from waiting import wait_until

from khoj_ls.chat.types import ChatRequest
from khoj_ls.config.settings import EmbeddingSettings, Settings
from khoj_ls.core import events
from khoj_ls.core.errors import Cancelled, StoreError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.search.types import SearchRequest
from khoj_ls.vaults import OpenVaults
from khoj_ls.wire.messages import SearchParams
from khoj_ls.wire.operations import OPERATIONS, Job, Session, perform

NOTES = {
    "boat.md": "# The boat\nThe albatross lies in the harbour.\n",
    "shed.md": "# The shed\nPaint for the albatross stands in the shed.\n",
    "diary/secret.md": "# Secret\nThe albatross is sold, nobody knows.\n",
    "tagged.md": "---\ntags: [private]\n---\n# Tagged\nThe albatross has a leak.\n",
    "partly.org": "* Open\nThe albatross again.\n* Closed :private:\nWhat the albatross cost.\n",
}
PRIVATE = ("secret", "Secret", "nobody", "tagged", "leak", "partly", "cost", "Closed")
OPEN = ["boat.md", "shed.md"]


@pytest.fixture
def told():
    return []


@pytest.fixture
def vaults(tmp_path, own_folders, told):
    """Vaults whose occurrences are collected, with the words of the notes alone."""
    root = tmp_path / "notes"
    for path, text in NOTES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / ".khoj.toml").write_text('[index]\nprivate = ["diary/"]\n')
    settings = replace(Settings(), embedding=EmbeddingSettings(model="/none"))
    found = OpenVaults(settings, own_folders, watch=False, tell=told.append)
    yield found
    found.close()


@pytest.fixture
def vault(vaults, tmp_path, told):
    found = vaults.open(tmp_path / "notes", exact=True)
    wait_until(lambda: not found.reading and kinds(told)[events.INDEX_COMPLETED])
    return found


@pytest.fixture
def session(vaults, vault):
    return Session(vaults, roots=[vault.root])


def kinds(told):
    return {event: [each for each in told if each.event == event] for event in events.EVENTS}


def written(occurrence, content):
    """The data of an occurrence, which holds nothing of the private notes."""
    data = msgspec.to_builtins(occurrence.data(content))
    text = json.dumps(data)
    assert [word for word in PRIVATE if word in text] == []
    return data


def ask(session, name, params):
    [operation] = [each for each in OPERATIONS if each.name == name]
    return perform(operation, session, params, Job(CancelToken(), lambda progress: None))


def test_an_index_that_is_complete(vault, told):
    first = kinds(told)[events.INDEX_COMPLETED][0]
    assert (first.vault, written(first, True)) == ("notes", {"changed": 2, "notes": OPEN})


def test_private_notes_that_change_are_no_event_that_is_sent(vault, told):
    before = len(told)
    (vault.root / "diary" / "secret.md").write_text("# Secret\nBought back.\n")
    vault.changed(vault.root / "diary" / "secret.md")
    wait_until(lambda: len(told) > before)
    assert [each.data(True) for each in told[before:]] == [None]


@pytest.mark.parametrize("content", [False, True])
def test_a_search(content, session, told):
    result = ask(session, "search", SearchParams("albatross", limit=20))
    assert len(result.hits) >= 5
    [occurrence] = kinds(told)[events.SEARCH_PERFORMED]
    data = written(occurrence, content)
    assert sorted(hit["path"] for hit in data["hits"]) == OPEN
    assert {hit["title"] is None or hit["snippet"] is None for hit in data["hits"]} == {not content}
    assert data["query"] is None, "what finds private notes may be about them"
    assert data["mode"] == "hybrid"


@pytest.mark.parametrize(
    ("content", "words", "query"),
    [(False, "harbour", None), (True, "harbour", "harbour"), (True, "file:diary/secret.md harbour", None)],
)
def test_a_query_that_finds_notes_and_none_private_is_told_with_content(content, words, query, session, told):
    ask(session, "search", SearchParams(words))
    [occurrence] = kinds(told)[events.SEARCH_PERFORMED]
    assert written(occurrence, content)["query"] == query


def test_what_becomes_private_after_the_search_is_not_told(session, vault, told):
    ask(session, "search", SearchParams("harbour"))
    (vault.root / ".khoj.toml").write_text('[index]\nprivate = ["*"]\n')
    (vault.root / "boat.md").write_text("---\ntags: [private]\n---\nSecret.\n")
    vault.changed(vault.root / "boat.md")
    vault.index(wait=False)
    wait_until(lambda: not vault.public(["boat.md"]))
    [occurrence] = kinds(told)[events.SEARCH_PERFORMED]
    assert written(occurrence, True)["hits"] == []


def test_notes_that_are_not_there_are_not_public(vault):
    assert vault.public([*NOTES, "gone.md"]) == frozenset(OPEN)
    assert vault.public([f"{number}.md" for number in range(1200)] + OPEN) == frozenset(OPEN)


def chat(vaults, vault, request):
    started = vault.chat_begin(request)
    list(vaults.telling.answered(vault, request, started, vault.chat(request, started)))
    return started


@pytest.mark.parametrize("content", [False, True])
def test_a_chat(content, vaults, vault, told):
    started = chat(vaults, vault, ChatRequest("harbour"))
    [occurrence] = kinds(told)[events.CHAT_MESSAGE]
    data = written(occurrence, content)
    assert (data["conversation"], data["turn"], data["status"]) == (started.conversation, started.turn, "done")
    assert [source["path"] for source in data["sources"]] == ["boat.md"]
    assert data["question"] == ("harbour" if content else None)
    assert ("lies in the harbour" in (data["answer"] or "")) is content
    assert not kinds(told)[events.SEARCH_PERFORMED], "what a chat searches for is no search of the user"


def test_a_chat_that_draws_on_private_notes_tells_no_word(vaults, vault, told):
    chat(vaults, vault, ChatRequest("albatross"))
    [occurrence] = kinds(told)[events.CHAT_MESSAGE]
    data = written(occurrence, True)
    assert (data["status"], data["sources"], data["question"], data["answer"]) == ("done", [], None, None)


def test_a_chat_that_is_not_kept_is_not_told(vaults, vault, told):
    chat(vaults, vault, ChatRequest("harbour", keep=False))
    assert kinds(told)[events.CHAT_MESSAGE] == []


@pytest.mark.parametrize(
    ("error", "codes"),
    [
        (StoreError("notes/secret.md is damaged"), ["khoj.store"]),
        (ValueError("secret"), ["khoj.error"]),
        (UsageError("no"), []),
        (Cancelled("no"), []),
    ],
)
def test_errors(error, codes, session, told, monkeypatch):
    def broken(*given):
        raise error

    monkeypatch.setattr(type(session.vaults.open_vaults()[0]), "search", broken)
    for _ in range(3):  # the same is told once a minute
        with pytest.raises(type(error)):
            ask(session, "search", SearchParams("x"))
    found = [written(each, True) for each in kinds(told)[events.ERROR_OCCURRED]]
    assert [each for each in found if each["during"] == "search"] == [{"during": "search", "code": code} for code in codes]


def test_a_search_as_such_is_not_an_event(vault, told):
    vault.search(SearchRequest("harbour"))
    assert kinds(told)[events.SEARCH_PERFORMED] == []
