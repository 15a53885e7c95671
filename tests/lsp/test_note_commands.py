"""Commands that change notes, end to end: the editor is sent the edit, made there, and shown the place."""

from __future__ import annotations

from datetime import datetime

import pytest
from edit_applier import apply
from lsp_driver import column, command, encoding_of, indexed, request
from lsprotocol import types
from pygls.exceptions import JsonRpcException


@pytest.fixture
def editor():
    """Makes a client apply what it is sent, and remember it."""

    def follow(client):
        client.edits = []

        @client.feature(types.WORKSPACE_APPLY_EDIT)
        def make(params):
            client.edits.append(params.edit)
            apply(params.edit, encoding_of(client))
            return types.ApplyWorkspaceEditResult(applied=True)

        return client

    return follow


def place(path, line=0, character=0):
    return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": character}}


@pytest.mark.asyncio
async def test_notes_are_made_moved_and_listed(client, vault, editor):
    editor(client)
    today = datetime.now().astimezone().date().isoformat()
    result = await command(client, "daily")
    assert (result["applied"], result["uri"]) == (True, (vault / "daily" / f"{today}.md").as_uri())
    assert (vault / "daily" / f"{today}.md").read_text() == f"# {today}\n\n"
    again = await request(client, "daily")
    assert (again["applied"], again["uri"]) == (False, result["uri"])

    result = await command(client, "capture", {"title": "Wi-Fi notes", "text": "5 GHz only"})
    assert (vault / "wi-fi-notes.md").read_text().endswith("---\n\n5 GHz only\n")
    assert [each.uri.rpartition("/")[2] for each in client.shown_documents] == [f"{today}.md", f"{today}.md", "wi-fi-notes.md"]

    (vault / "links.md").write_text("[[router#Fix]] 🦉 bread\n")
    await indexed(client)
    result = await command(client, "extract", place(vault / "router.md", 4))
    assert (vault / "router.md").read_text() == "# Router\n\nThe access point dropped clients every night.\n\n[[fix]]\n"
    assert (vault / "fix.md").read_text().startswith("# Fix\n\nMoved it")
    assert (vault / "links.md").read_text() == "[[fix#Fix]] 🦉 bread\n"

    await indexed(client)
    start, end = column(client, "[[fix#Fix]] 🦉 "), column(client, "[[fix#Fix]] 🦉 bread")
    words = {"start": {"line": 0, "character": start}, "end": {"line": 0, "character": end}}
    target = (vault / "bread.org").as_uri()
    await command(
        client, "insertLink", {"textDocument": {"uri": (vault / "links.md").as_uri()}, "range": words, "target": target}
    )
    assert (vault / "links.md").read_text() == "[[fix#Fix]] 🦉 [[bread]]\n"

    await command(client, "toc", {"textDocument": {"uri": target}})
    assert "# toc\n- [[*Starter][Starter]]\n- [[*Baking][Baking]]\n# tocstop\n* Starter" in (vault / "bread.org").read_text()
    with pytest.raises(JsonRpcException, match="no section here"):
        await request(client, "extract", **place(vault / "plan.txt"))
    with pytest.raises(JsonRpcException, match="khoj/refile: Object missing required field"):
        await request(client, "refile", position={"line": 0})


@pytest.mark.asyncio
async def test_code_actions_offer_links_and_commands(any_client, vault, editor):
    client = editor(any_client)
    path = vault / "a.md"
    path.write_text("# A\n\nMy sourdough 🍞 is flat.\n")
    await indexed(client)
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(path.as_uri(), "markdown", 1, path.read_text()))
    )
    selected = types.Range(types.Position(2, 3), types.Position(2, 12))
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(path.as_uri()),
            range=selected,
            context=types.CodeActionContext(diagnostics=[], only=[types.CodeActionKind.Refactor]),
        )
    )
    titles = [action.title for action in actions]
    assert 'Link to "Sourdough"' in titles
    assert {"Move the selection to a new note", 'Extract "A" to a new note'} <= set(titles)
    apply(next(action.edit for action in actions if action.title == 'Link to "Sourdough"'))
    assert path.read_text() == "# A\n\nMy [[bread|sourdough]] 🍞 is flat.\n"
