"""What plugins bring, each used as its user does: a vault, its searches and its chats."""

from __future__ import annotations

from typing import Any

import pytest

from khoj_ls.chat.types import ChatRequest, Done, Failed
from khoj_ls.config.settings import RerankSettings
from khoj_ls.search.types import SearchRequest, SearchResult

NOTES = {
    "a.md": "---\ntags: [fruit]\n---\n# Apple\nsweet red\n",
    "b.md": "---\ntags: [fruit]\n---\n# Banana\nsweet sweet sweet yellow\n",
    "c.md": "# Cherry\nsweet and dark\n",
}
TOYS = """
from khoj_ls.core.chat import Delta, Finished, ModelCard, Usage
from khoj_ls.core.errors import ModelError, UsageError
from khoj_ls.core.slash import Plan, SlashCommand
from khoj_ls.plugins.kinds import ChatProvider, QueryFilter, RerankerChoice


class Reddest:
    remote = ""

    def score(self, query, texts, token=None, timeout=None):
        return [0.9 if "red" in text else 0.1 for text in texts]


class Broken(Reddest):
    def score(self, query, texts, token=None, timeout=None):
        raise ModelError("out of order")


class Echo:
    host, remote = "", False

    def __init__(self, name):
        self.card = ModelCard("toys", name, 8000, 500)

    def count(self, text):
        return len(text)

    def stream(self, messages, sampling, token):
        yield Delta(" | ".join(message.text for message in messages).replace("[", "(").replace("]", ")"))
        yield Finished(Usage(1, 1))

    def close(self):
        pass


def made(name):
    if name != "echo":
        raise UsageError(f"there is no {name} here")
    return Echo(name)


@hookimpl
def khoj_rerankers():
    return [RerankerChoice("reddest", "Red first.", Reddest), RerankerChoice("broken", "Fails.", Broken)]


@hookimpl
def khoj_chat_providers():
    return [ChatProvider("toys", "Says what it was told.", made, ("echo",))]


@hookimpl
def khoj_personas():
    return [{"name": "pirate", "about": "Of the sea.", "prompt": "Answer as a pirate."}]


@hookimpl
def khoj_slash_commands():
    return [SlashCommand("quiet", "Without notes.", lambda asked: Plan(asked.words, search=False, instruction="Whisper."))]


@hookimpl
def khoj_query_filters():
    return [QueryFilter("kind", "Notes of a kind.", lambda kind: f"tag:{kind}")]
"""


def reranked(book: Any) -> SearchResult:
    return book.vault.search(SearchRequest("sweet", mode="lexical", rerank=True))


def answer(book: Any, message: str, **more: Any) -> Done | Failed:
    request = ChatRequest(message, **more)
    *_, end = book.vault.chat(request, book.vault.chat_begin(request))
    assert isinstance(end, Done | Failed)
    return end


def test_the_report_names_all_of_it(notebook: Any) -> None:
    report = notebook({}, toys=TOYS).vaults.plugin_report()
    assert (report.problems, report.plugins[0].brings) == (
        (),
        (
            "chat provider toys",
            "persona pirate",
            "query filter kind:",
            "reranker broken",
            "reranker reddest",
            "slash command /quiet",
        ),
    )


@pytest.mark.parametrize(
    ("model", "first", "reason"), [("reddest", "a.md", None), ("broken", "b.md", "the results are not reranked: out of order")]
)
def test_a_reranker_orders_what_was_found(model: str, first: str, reason: str | None, notebook: Any) -> None:
    book = notebook(NOTES, rerank=RerankSettings(model=model), toys=TOYS)
    result = reranked(book)
    assert (result.hits[0].path, len(result.hits)) == (first, 3)
    assert result.reason == reason


def test_a_chat_is_answered_by_a_provider_as_a_persona_from_notes(notebook: Any) -> None:
    book = notebook(NOTES, toys=TOYS)
    told = answer(book, "cherry", model="toys/echo", persona="pirate")
    assert isinstance(told, Done) and told.model == "toys/echo"
    assert "Answer as a pirate." in told.text and "sweet and dark" in told.text
    wrong = answer(book, "cherry", model="toys/other")
    assert isinstance(wrong, Failed) and wrong.message == "there is no other here"


def test_a_slash_command_plans_the_turn(notebook: Any) -> None:
    told = answer(notebook(NOTES, toys=TOYS), "/quiet cherry", model="toys/echo")
    assert isinstance(told, Done)
    assert "Whisper." in told.text and "sweet and dark" not in told.text


def test_a_query_filter_narrows_searches_and_chats(notebook: Any) -> None:
    book = notebook(NOTES, toys=TOYS)
    assert book.found("sweet kind:fruit") == ["a.md", "b.md"]
    told = answer(book, "sweet kind:fruit", model="toys/echo")
    assert isinstance(told, Done)
    assert "yellow" in told.text and "dark" not in told.text
