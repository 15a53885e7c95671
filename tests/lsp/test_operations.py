"""The khoj/* requests and the khoj.* commands, end to end."""

from __future__ import annotations

import asyncio

import pytest
from lsp_driver import command, names, request
from lsprotocol import types
from pygls.exceptions import JsonRpcException


@pytest.mark.asyncio
async def test_a_search_finds_by_words_with_the_exact_lines(any_client, vault):
    result = await request(any_client, "search", query="firmware", mode="lexical")
    hit = result["hits"][0]
    assert hit["uri"] == (vault / "router.md").as_uri()
    assert hit["title"] == "Router"
    assert hit["outline"][-1] == "Fix"
    lines = (vault / "router.md").read_text().splitlines()[hit["range"]["start"]["line"] : hit["range"]["end"]["line"]]
    assert "firmware" in " ".join(lines)
    start, end = hit["highlights"][0]
    assert hit["snippet"][start:end] == "firmware"


@pytest.mark.asyncio
async def test_a_search_finds_by_meaning(client):
    result = await request(client, "search", query="how did I repair the wifi", mode="dense")
    assert names(result)[0] == "router.md"
    assert (result["degraded"], result["coverage"]) == (False, 1.0)


@pytest.mark.asyncio
async def test_the_command_answers_what_the_request_answers(any_client):
    params = {"query": "rye flour", "limit": 2}
    by_request, by_command = await request(any_client, "search", **params), await command(any_client, "search", params)
    assert by_request["hits"] == by_command["hits"] != []


@pytest.mark.asyncio
async def test_related_never_returns_the_note_itself(client, vault):
    result = await request(client, "related", textDocument={"uri": (vault / "router.md").as_uri()}, limit=10)
    assert "bread.org" in names(result)
    assert "router.md" not in names(result)


@pytest.mark.asyncio
async def test_status_counts_what_is_there(client, vault):
    status = await request(client, "status", vault=str(vault))
    [own] = status["vaults"]
    assert (own["root"], own["files"], own["failures"], own["coverage"]) == (str(vault), 3, [], 1.0)
    assert own["embedded"] == own["chunks"] > 0
    assert status["daemon"]["pid"] > 0


@pytest.mark.asyncio
async def test_settings_of_the_notes_tool_that_cannot_be_used_are_told(client, vault):
    settings = vault / ".obsidian" / "app.json"
    settings.parent.mkdir()
    settings.write_text('{\n"useMarkdownLinks": yes\n}')
    [own] = (await request(client, "status", vault=str(vault)))["vaults"]
    [told] = own["warnings"]
    assert (told["path"], told["line"]) == (str(settings), 2)
    assert "the tool's defaults hold" in told["reason"]
    assert (await request(client, "reindex"))[0]["warnings"] == own["warnings"]
    settings.unlink()
    settings.parent.rmdir()


@pytest.mark.asyncio
async def test_pause_and_resume(client, vault):
    assert await request(client, "pause") == {"paused": True, "vaults": [str(vault)]}
    (vault / "new.md").write_text("# Heron\n\nA heron on the pond.\n")
    assert (await request(client, "status", vault=str(vault)))["vaults"][0]["paused"] is True
    assert (await request(client, "resume"))["paused"] is False
    await request(client, "reindex")
    assert names(await request(client, "search", query="heron", mode="lexical")) == ["new.md"]


@pytest.mark.asyncio
async def test_why_names_the_rule(client, vault):
    (vault / ".khojignore").write_text("secret.md\n")
    (vault / "secret.md").write_text("hush\n")
    answer = await request(client, "why", path=str(vault / "secret.md"))
    assert answer["indexed"] is False
    assert ".khojignore:1" in answer["rule"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("search", {}, "query"),
        ("search", {"query": 3}, "params.query"),
        ("search", {"query": "x", "limit": 0}, "between 1 and 100"),
        ("search", {"query": "x", "mode": "psychic"}, "psychic"),
        ("related", {}, "textDocument or a text"),
        ("status", {"vault": "notes"}, "not an absolute path"),
        ("why", {"path": "https://example.org/x"}, "not a file"),
    ],
)
async def test_wrong_parameters_are_named(client, name, params, message):
    with pytest.raises(JsonRpcException) as by_request:
        await request(client, name, **params)
    with pytest.raises(JsonRpcException) as by_command:
        await command(client, name, params)
    assert message in str(by_request.value)
    assert str(by_request.value) == str(by_command.value)


@pytest.mark.asyncio
async def test_a_cancelled_request_is_answered_as_cancelled(any_client, vault):
    for number in range(200):
        (vault / f"{number}.md").write_text(f"# Note {number}\n\n" + f"word{number} " * 400)
    sending = any_client.protocol.send_request_async("khoj/reindex", {})
    task = asyncio.ensure_future(sending)
    await asyncio.sleep(0)
    message_id = next(reversed(any_client.protocol._request_futures))
    any_client.cancel_request(types.CancelParams(id=message_id))
    with pytest.raises(JsonRpcException, match="cancel"):
        await asyncio.wait_for(task, 10)


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["khoj/search", "khoj/daily"])
@pytest.mark.parametrize(("params", "code"), [([{"query": "x"}, None], -32602), ("x", -32600), (7, -32600)])
async def test_params_that_are_no_object_are_an_error(client, method, params, code):
    sending = client.protocol.send_request_async(method, params)
    with pytest.raises(JsonRpcException) as raised:
        await asyncio.wait_for(sending, 10)
    assert raised.value.code == code
