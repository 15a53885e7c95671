"""khoj/completeQuery and filters in khoj/search, end to end."""

from __future__ import annotations

import pytest
from lsp_driver import command, names, request
from pygls.exceptions import JsonRpcException


async def completed(client, query: str, offset: int | None = None) -> list[str]:
    params = {"query": query} if offset is None else {"query": query, "offset": offset}
    found = (await request(client, "completeQuery", **params))["completions"]
    return [query[: each["start"]] + each["text"] + query[each["end"] :] for each in found]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("query", "offset", "expected"),
    [
        ("firmware ty", None, ["firmware type:"]),
        ("type:", None, ["type:markdown", "type:org", "type:text"]),
        ("file:bre", None, ["file:bread.org"]),
        ("title:sour flour", 8, ["title:Sourdough flour"]),
        ("firmware", None, []),
    ],
)
async def test_a_query_goes_on_with_what_the_notes_have(client, query, offset, expected):
    assert await completed(client, query, offset) == expected


@pytest.mark.asyncio
async def test_the_command_answers_what_the_request_answers(client):
    [one] = (await command(client, "completeQuery", {"query": "todo"}))["completions"]
    assert (one["start"], one["end"], one["text"], one["kind"]) == (0, 4, "todo:", "name")
    assert "todo:WAITING" in one["detail"]


@pytest.mark.asyncio
async def test_a_filter_confines_a_search(client):
    assert set(names(await request(client, "search", query="noon type:org", mode="lexical"))) == {"bread.org"}
    assert names(await request(client, "search", query="noon -type:org", mode="lexical")) == []


@pytest.mark.asyncio
async def test_an_unknown_filter_is_an_error_that_names_the_known_ones(client):
    with pytest.raises(JsonRpcException, match=r"no filter foo: .*Known are file:.*dt:"):
        await request(client, "search", query='foo:"x"')
