"""What is private never leaves the machine: told from what services of chat, embedding and reranking were really sent."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from chat_server import ChatServer
from json_endpoint import serving

from khoj_ls.chat.types import ChatRequest, ContextItem, Done, Sources
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import ChatSettings, EmbeddingSettings, IndexSettings, RerankSettings, Settings
from khoj_ls.vaults import OpenVaults

SECRET = "swordfish"
"""Stands in everything private and nowhere else: in texts, titles, headings, tags and file names."""

PICTURE = b"\x89PNG\r\n\x1a\n"
OPEN_PICTURE, PRIVATE_PICTURE = PICTURE + b"open", PICTURE + b"private"

PRIVATE = {
    "tagged.md": "# Harbour\n\nThe harbour gate is open at noon.\n\n"
    "# Key swordfish #private\n\nThe harbour key is swordfish-tag.\nIt lies under the swordfish-stone.\n",
    "front-swordfish.md": "---\nprivate: true\ntitle: swordfish front\n---\n\nThe harbour key is swordfish-front. [[open]]\n",
    "tags.md": "---\ntags: [private, swordfish]\n---\n\nThe harbour key is swordfish-tags. ![](private.png)\n",
    "property.org": "* Harbour of Org\nThe harbour gate of Org is blue.\n"
    "* Harbour swordfish\n:PROPERTIES:\n:PRIVATE: t\n:END:\nThe harbour key is swordfish-property.\n",
    "heading.org": "* Harbour swordfish :private:\nThe harbour key is swordfish-heading.\n",
    "diary/swordfish.md": "# swordfish diary\n\nThe harbour key is swordfish-rule. [[open]]\n",
    "work/note.md": "# Harbour swordfish\n\nThe harbour key is swordfish-file.\n",
    "shown.md": "# Harbour plan\n\nThe plan is old.\n\n"
    "# Inner swordfish #private\n\nThe harbour key is swordfish-shown. ![](private.png)\n",
    "diary/picture.md": "![](../open.png) swordfish-picture of the harbour\n",
}
LEFT_OUT = {
    "ignored/note.md": "The harbour key is swordfish-ignored.\n",
    ".hidden.md": "The harbour key is swordfish-hidden.\n",
}
OPEN = {
    "open.md": "# Harbour open\n\nThe harbour master is called Zebra. ![](open.png) #port\n",
    "other.md": "# Harbour ships\n\nThe ships of the harbour are green. [[open]]\n",
    "work/.khojprivate": "*\n",
}
QUESTION = "What is the key of the harbour?"


class Machines:
    """Three services elsewhere, and one on this machine; a vault that is set up to use them."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack, monkeypatch) -> None:
        self.far = stack.enter_context(ChatServer(_answer, models={"seer": 32_000}, tokens=lambda text: len(text) // 3))
        self.near = stack.enter_context(ChatServer(_answer, models={"seer": 32_000}))
        self.embedding = stack.enter_context(serving(_vectors))
        self.reranking = stack.enter_context(serving(_ranks))
        away = (self.far.root, self.embedding.url, self.reranking.url)
        for module in ("llm.connection", "llm.models", "embed.service", "rerank.service", "models.endpoint"):
            monkeypatch.setattr(f"khoj_ls.{module}.is_loopback", lambda url: not url.startswith(away))
        self.root = folder / "vault"
        for path, text in {**PRIVATE, **LEFT_OUT, **OPEN}.items():
            full = self.root / path
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_text(text)
        (self.root / "open.png").write_bytes(OPEN_PICTURE)
        (self.root / "private.png").write_bytes(PRIVATE_PICTURE)
        (self.root / ".khoj.toml").write_text('index.private = ["!diary/"]\n')
        settings = Settings(
            index=IndexSettings(private=("diary/",), ignore=("ignored/",), parser_workers=1),
            embedding=EmbeddingSettings(model="remote", endpoint=self.embedding.url, remote_dimensions=8, allow_remote=True),
            rerank=RerankSettings(model="remote", endpoint=self.reranking.url, allow_remote=True),
            chat=ChatSettings(allowed_hosts=(self.far.root,), subqueries=True, models=self._seeing()),
        )
        home = Folders(*(folder / name for name in ("config", "data", "state", "run")))
        keys = {"OPENAI_API_KEY": "sk-test", "COHERE_API_KEY": "co-test"}
        self.vaults = OpenVaults(settings, home, watch=False, environment=keys)
        stack.callback(self.vaults.close)
        self.vault = self.vaults.open(self.root)
        self.vault.index()
        self.settings = settings.chat

    def _seeing(self):
        services = {"far": self.far.url, "near": self.near.url}
        model = {"provider": "openai", "model": "seer", "vision": True, "window": 64_000}
        return {name: {**model, "base_url": url} for name, url in services.items()}

    def ask(self, message: str, server: ChatServer | None = None, *, settings: ChatSettings | None = None, **options):
        """The sources and the end of one turn, asked elsewhere where no server is named."""
        where = {"model": "openai/seer", "base_url": (server or self.far).url} if "model" not in options else {}
        request = ChatRequest(message, **where, **options)
        search = replace(self.vaults.settings.search, profile="precise")
        own = settings or self.settings
        started = self.vault.chat_begin(request, own, search)
        events = list(self.vault.chat(request, started, None, own, search))
        assert isinstance(events[-1], Done), events[-1]
        sources = [event for event in events if isinstance(event, Sources)][-1]
        return started.conversation, sources, events[-1]

    def sent(self) -> dict[str, str]:
        """All that went elsewhere, by service."""
        return {
            "chat": "".join(request.text for request in [*self.far.requests, *self.far.asked]),
            "embedding": json.dumps([body for *_, body in self.embedding.requests], ensure_ascii=False),
            "reranking": json.dumps([body for *_, body in self.reranking.requests], ensure_ascii=False),
        }

    def check(self) -> None:
        """Nothing private went elsewhere, and something went."""
        sent = self.sent()
        for service, text in sent.items():
            assert SECRET not in text, f"{service}: ...{text[max(0, text.index(SECRET) - 200) : text.index(SECRET) + 40]}..."
        assert PRIVATE_PICTURE not in shown(self.far)


def _answer(body) -> str:
    """What the model is told, said again: so that a history holds what an answer was made of."""
    last = body["messages"][-1]["content"]
    text = last if isinstance(last, str) else " ".join(part.get("text", "") for part in last)
    return f"It says: {' '.join(text.split())[-1500:]}"


def _vectors(body):
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    rows = [[float(len(text) % 7 + 1), *(float(text.count(letter)) for letter in "aeiouhk")] for text in texts]
    data = [{"index": at, "embedding": row} for at, row in enumerate(rows)]
    if body.get("encoding_format") == "base64":
        import numpy as np

        data = [{**each, "embedding": base64.b64encode(np.array(each["embedding"], "<f4").tobytes()).decode()} for each in data]
    return {"object": "list", "data": data}


def _ranks(body):
    return {"results": [{"index": at, "relevance_score": 0.5 / (at + 1)} for at, _ in enumerate(body["documents"])]}


@pytest.fixture
def machines(tmp_path, monkeypatch):
    with contextlib.ExitStack() as stack:
        yield Machines(tmp_path, stack, monkeypatch)


LOCAL = ChatSettings(private_to_local=True)


def selections() -> list[ContextItem]:
    """Every private passage by every way of choosing it."""
    items = []
    for path, text in {**PRIVATE, **LEFT_OUT}.items():
        lines = text.splitlines(keepends=True)
        line = next(at for at, each in enumerate(lines, 1) if "key is swordfish" in each or "swordfish-picture" in each)
        items.append(ContextItem("selection", path, line, line, lines[line - 1]))
        items.append(ContextItem("selection", path, line + 40, line + 40, lines[line - 1]))
        items.append(ContextItem("note", path, text=text))
        if path in PRIVATE:
            items += [ContextItem("selection", path, line, line), ContextItem("note", path)]
    return items


DOORS = {
    "a search": (QUESTION, ()),
    "/notes": (f"/notes {QUESTION}", ()),
    "/summarize a topic": ("/summarize harbour", ()),
    "a folder": (QUESTION, (ContextItem("folder", ""),)),
    "a private folder": (QUESTION, (ContextItem("folder", "diary"),)),
    "/summarize a folder": ("/summarize", (ContextItem("folder", ""),)),
    "a tag": (QUESTION, (ContextItem("tag", "private"),)),
    "/summarize a tag": ("/summarize", (ContextItem("tag", "private"),)),
    "what is chosen": (QUESTION, tuple(selections())),
    "/summarize what is chosen": ("/summarize", tuple(selections())),
    "/general with what is chosen": (f"/general {QUESTION}", tuple(selections())),
}


@pytest.mark.parametrize("door", DOORS)
def test_nothing_private_goes_elsewhere(machines, door):
    message, context = DOORS[door]
    before = len(machines.far.requests)
    _, sources, _ = machines.ask(message, context=context)
    assert not any(SECRET in source.text for source in sources.sources)
    machines.check()
    if door in ("a search", "a folder"):
        assert "Zebra" in machines.sent()["chat"] and sources.left_out_private
        assert len(machines.far.requests) > before


def test_the_same_goes_to_a_model_here_when_the_user_says_so(machines):
    """Else the tests above would prove nothing."""
    for message, context in DOORS.values():
        machines.ask(message, machines.near, settings=LOCAL, context=context)
    told = "".join(request.text for request in machines.near.requests)
    for kind in ("tag", "front", "tags", "property", "heading", "rule", "file", "shown", "ignored", "hidden", "picture"):
        assert f"swordfish-{kind}" in told
    machines.check()


def test_not_even_to_a_model_here_without_a_yes(machines):
    for message, context in DOORS.values():
        machines.ask(message, machines.near, context=context)
    assert SECRET not in "".join(request.text for request in machines.near.requests)


@pytest.mark.parametrize("door", ["a search", "what is chosen", "/summarize a tag"])
def test_an_answer_made_of_private_notes_is_not_told_elsewhere(machines, door):
    message, context = DOORS[door]
    conversation, sources, done = machines.ask(message, machines.near, settings=LOCAL, context=context)
    assert SECRET in done.text and any(source.private for source in sources.sources)
    machines.ask("And what is its colour?", conversation=conversation)
    machines.check()
    machines.ask("And who is its master?", machines.near, settings=LOCAL, conversation=conversation)
    machines.ask("And is it green?", conversation=conversation)
    machines.check()


@pytest.mark.parametrize("path", [path for path in PRIVATE if path != "diary/picture.md"])
def test_what_links_tells_of_private_notes_is_not_told_elsewhere(machines, path):
    conversation, _, done = machines.ask("/links", context=(ContextItem("note", path), ContextItem("note", "open.md")))
    assert SECRET in done.text
    machines.ask("And what is its colour?", conversation=conversation)
    machines.check()


def test_the_excerpts_of_no_model_are_not_told_elsewhere(machines):
    request = ChatRequest(QUESTION, model="none")
    started = machines.vault.chat_begin(request)
    done = list(machines.vault.chat(request, started))[-1]
    assert SECRET in done.text
    machines.ask("And what is its colour?", conversation=started.conversation)
    machines.check()


def shown(server: ChatServer) -> set[bytes]:
    """The pictures that a service was sent."""
    sent = "".join(request.text for request in server.requests)
    return {picture for picture in (OPEN_PICTURE, PRIVATE_PICTURE) if base64.b64encode(picture).decode() in sent}


PICTURES = {
    "chosen notes": {"context": (ContextItem("note", "tags.md"), ContextItem("note", "open.md"))},
    "a note that is private in part": {"context": (ContextItem("selection", "shown.md", 3, 3), ContextItem("note", "open.md"))},
}


@pytest.mark.parametrize("case", PICTURES)
def test_pictures_of_private_notes(machines, case):
    options = PICTURES[case]
    conversation, _, _ = machines.ask("/summarize", model="near", settings=LOCAL, **options)
    assert shown(machines.near) == {OPEN_PICTURE, PRIVATE_PICTURE}
    assert machines.vault.conversations.turns(conversation)[0].private
    _, _, done = machines.ask("/summarize", model="far", **options)
    assert shown(machines.far) == {OPEN_PICTURE}
    assert "1 picture was of private notes left out." in done.notices
    machines.check()


def test_related_notes_and_recalled_chats(machines):
    from khoj_ls.search.types import RelatedRequest

    machines.ask(QUESTION, machines.near, settings=LOCAL)
    for path, text in PRIVATE.items():
        machines.vault.related(RelatedRequest(path))
        machines.vault.related(RelatedRequest(path, 1, 40, text=text))
    machines.vault.conversations.search("harbour")
    machines.check()
    assert "Zebra" in machines.sent()["embedding"]


def test_reranking(machines):
    from khoj_ls.search.types import SearchRequest

    result = machines.vault.search(SearchRequest(QUESTION, rerank=True))
    assert any(SECRET in hit.snippet for hit in result.hits)
    machines.check()
    assert "Zebra" in machines.sent()["reranking"]
