"""Chats through the language server: events behind the answer, commands, cancelling, and the user's yes."""

from __future__ import annotations

import asyncio
import threading

import pytest
from chat_server import ChatServer, Reply
from lsp_driver import command, encoding_of, plain, request, until
from lsprotocol import types
from pygls.exceptions import JsonRpcException

QUESTION = "which channel was it moved to?"


def listen(client):
    """Keep the events that the client is sent, and when answers came."""
    client.seen = []
    client.early = []  # while a request is not answered yet

    @client.feature("khoj/chatEvent")
    def event(params):
        client.seen.append(plain(params))
        if client.protocol._request_futures:
            client.early.append(client.seen[-1])

    return client.seen


async def end_of(client, turn):
    """All events of a turn, once it has ended."""

    async def events():
        own = [each for each in client.seen if each["turn"] == turn]
        return own if own and own[-1]["kind"] in ("done", "failed") else None

    return await until(events)


def asked_at(server, message=QUESTION, **more):
    return {"message": message, "model": "openai/gpt-4o-mini", "baseUrl": server.url, **more}


@pytest.mark.asyncio
@pytest.mark.parametrize("face", ["request", "command"])
async def test_events_follow_the_answer(any_client, vault, face):
    listen(any_client)
    with ChatServer(["It was moved to channel 36 [1]."]) as server:
        asked = asked_at(server)
        started = await (request(any_client, "chat", **asked) if face == "request" else command(any_client, "chat", asked))
        events = await end_of(any_client, started["turn"])
    assert [each["seq"] for each in events] == list(range(1, len(events) + 1))
    assert any_client.early == []
    assert [events[0]["kind"], events[-1]["kind"]] == ["sources", "done"]
    assert {each["conversation"] for each in events} == {started["conversation"]}
    (citation,) = events[-1]["citations"]
    assert citation["uri"] == (vault / "router.md").as_uri()
    assert citation["quote"].startswith("Moved it to channel 36")


@pytest.mark.asyncio
@pytest.mark.parametrize("face", ["request", "command"])
async def test_a_turn_can_be_cancelled(client, face):
    listen(client)
    with ChatServer([Reply(["It "], silent_after=1)]) as server:
        started = await request(client, "chat", **asked_at(server))

        async def arrives():
            return any(each["kind"] == "delta" for each in client.seen)

        await until(arrives)
        name, turn = "chat/cancel" if face == "request" else "chat.cancel", {"turn": started["turn"]}
        answer = await (request(client, name, **turn) if face == "request" else command(client, name, turn))
        assert answer == {"cancelled": True}
        *_, failed = await end_of(client, started["turn"])
        assert server.gone.acquire(timeout=10)
    assert (failed["kind"], failed["code"], failed["text"].strip()) == ("failed", "khoj.cancelled", "It")


@pytest.mark.asyncio
async def test_ask_gives_one_answer_and_can_be_cancelled(any_client):
    with ChatServer(["Channel 36 [1].", Reply(["It "], silent_after=1)]) as server:
        answer = await request(any_client, "ask", **asked_at(server))
        assert (answer["text"], answer["model"]) == ("Channel 36 [1].", "openai/gpt-4o-mini")
        sending = asyncio.ensure_future(command(any_client, "ask", asked_at(server)))

        async def both():
            return len(server.requests) == 2

        await until(both)
        message_id = next(reversed(any_client.protocol._request_futures))
        any_client.cancel_request(types.CancelParams(id=message_id))
        with pytest.raises(JsonRpcException, match="cancel"):
            await asyncio.wait_for(sending, 10)
        assert await asyncio.to_thread(server.gone.acquire, timeout=10)


@pytest.mark.asyncio
async def test_answers_under_way_keep_no_other_request_waiting(client):
    gate = threading.Event()
    with ChatServer([Reply(["It is 36 [1]."], gate=gate)]) as server:
        answers = [asyncio.ensure_future(request(client, "ask", **asked_at(server))) for _ in range(9)]

        async def all_but_one_wait_for_the_service():
            return len(server.requests) == 8

        await until(all_but_one_wait_for_the_service)
        assert (await request(client, "search", query="channel"))["hits"]
        gate.set()
        assert [answer["text"] for answer in await asyncio.gather(*answers)] == ["It is 36 [1]."] * 9


@pytest.mark.asyncio
async def test_ask_tells_what_had_arrived_where_it_fails(client):
    with ChatServer([Reply(["It ", "is "], dies_after=2)]) as server, pytest.raises(JsonRpcException) as raised:
        await request(client, "ask", **asked_at(server))
    data = plain(raised.value.data)
    assert data["code"].startswith("khoj.model")
    assert data["text"].split() == ["It", "is"]
    assert data["turn"] and data["sources"]


@pytest.mark.asyncio
async def test_a_selection_is_sent_as_the_editor_shows_it(any_client, vault):
    listen(any_client)
    path = vault / "walk.md"
    path.write_text("# Walk\n\nold words\n")
    text = "# Walk\n\n🎈 unsaved heron words\n"
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=1, text=text)
    any_client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    first = {"utf-8": 4, "utf-16": 2, "utf-32": 1}[encoding_of(any_client)] + 1
    selected = {"start": {"line": 2, "character": first}, "end": {"line": 2, "character": first + len("unsaved heron")}}
    context = [{"kind": "selection", "textDocument": {"uri": path.as_uri()}, "range": selected}]
    with ChatServer(["A heron [1]."]) as server:
        await request(any_client, "ask", **asked_at(server, "what bird?", context=context))
        assert "unsaved heron" in server.requests[0].text


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", ["Yes, and remember", "No", None])
async def test_the_user_is_asked_before_notes_go_elsewhere(any_client, home, answer):
    """The service is this machine by an address that is not known to be its own."""
    listen(any_client)
    asked = []

    @any_client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
    def ask(params):
        asked.append(params.message)
        return types.MessageActionItem(title=answer) if answer else None

    settings = home / "config" / "config.toml"
    before = settings.read_text() if settings.exists() else None
    settings.parent.mkdir(exist_ok=True)
    try:
        with ChatServer(["Channel 36 [1]."]) as server:
            host = server.root.replace("127.0.0.1", "0.0.0.0")
            started = await request(any_client, "chat", **asked_at(server) | {"baseUrl": f"{host}/v1"})
            events = await end_of(any_client, started["turn"])
        kept = settings.read_text() if settings.exists() else ""
    finally:
        settings.unlink(missing_ok=True) if before is None else settings.write_text(before)
    shows = any_client.capabilities.window is not None and any_client.capabilities.window.show_message is not None
    assert len(asked) == shows
    assert all(host in each and "tokens" in each for each in asked)
    assert len({each["turn"] for each in events}) == 1
    assert [each["seq"] for each in events] == list(range(1, len(events) + 1))
    said_yes = shows and answer == "Yes, and remember"
    assert (len(server.requests), host in kept) == (said_yes, said_yes)
    assert events[-1]["kind"] == ("done" if said_yes else "failed")
    if not said_yes:
        assert (events[-1]["code"], events[-1]["consent"]["host"]) == ("khoj.consent", host)
