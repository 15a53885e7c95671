"""khoj/links, end to end: of a note, of a section, of the vault."""

from __future__ import annotations

import pytest
from lsp_driver import command, request
from pygls.exceptions import JsonRpcException


@pytest.mark.asyncio
async def test_links_of_a_note_and_of_the_vault(home, client, vault):
    target, source = vault / "target.md", vault / "source.org"
    target.write_text("# The Target Note\ntext\n## Part\n[gone](nowhere.md)\n")
    source.write_text("* Source\nsee [[file:target.md::Part][it]]\nand the target note by name\n")
    await request(client, "reindex", vault=str(vault))
    await request(client, "reindex", vault=str(vault))
    found = await request(client, "links", textDocument={"uri": target.as_uri()})
    [incoming] = found["incoming"]
    assert (incoming["uri"], incoming["text"], incoming["state"]) == (
        source.as_uri(), "see [[file:target.md::Part][it]]", "resolved",
    )  # fmt: skip
    assert incoming["targets"][0]["range"]["start"]["line"] == 2
    assert [(link["target"], link["state"]) for link in found["outgoing"]] == [("nowhere.md", "broken")]
    assert [mention["text"] for mention in found["mentions"]] == ["and the target note by name"]
    part = await request(client, "links", textDocument={"uri": target.as_uri()}, position={"line": 3}, direction="incoming")
    assert part == {"incoming": [incoming], "outgoing": [], "mentions": [], "orphans": []}
    broken = await command(client, "links", {"select": "broken", "vault": str(vault)})
    assert "nowhere.md" in [link["target"] for link in broken["outgoing"]]
    orphans = await request(client, "links", select="orphans", vault=str(vault))
    assert source.as_uri() in orphans["orphans"]
    assert target.as_uri() not in orphans["orphans"]
    for path in (target, source):
        path.unlink()
    await request(client, "reindex", vault=str(vault))


@pytest.mark.asyncio
async def test_a_limit_has_limits(home, client, vault):
    with pytest.raises(JsonRpcException, match="between 1 and 10000"):
        await request(client, "links", select="broken", limit=0)


@pytest.mark.asyncio
async def test_what_is_asked_must_be_clear(home, client, vault):
    for params in ({}, {"select": "broken", "textDocument": {"uri": vault.as_uri()}}):
        with pytest.raises(JsonRpcException, match="either a textDocument or select"):
            await request(client, "links", **params)
