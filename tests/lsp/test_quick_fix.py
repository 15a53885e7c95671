"""Quick fixes end to end, in the form that each client takes."""

from __future__ import annotations

import pytest
from lsp_driver import until
from lsprotocol import types


@pytest.mark.asyncio
async def test_a_broken_link_is_mended_by_the_first_fix(any_client, vault):
    path = vault / "fix.md"
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=7, text="🦉 [[ruter]] and more\n")
    any_client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    async def told():
        return any_client.diagnostics.get(path.as_uri())

    [diagnostic] = await until(told)

    async def ask(**context):
        return await any_client.text_document_code_action_async(
            types.CodeActionParams(
                text_document=types.TextDocumentIdentifier(uri=path.as_uri()),
                range=diagnostic.range,
                context=types.CodeActionContext(diagnostics=[diagnostic], **context),
            )
        )

    actions = [action for action in await ask() if getattr(action, "kind", None) == types.CodeActionKind.QuickFix]
    titles = [action.title for action in actions]
    assert titles[0] == "Change the link to Router (router.md)"
    assert titles[-1] == "Remove the link, keep “ruter”"
    workspace = any_client.capabilities.workspace.workspace_edit
    assert ("Create the note ruter.md" in titles) == bool(workspace.resource_operations)
    edit = actions[0].edit
    if workspace.document_changes:
        [change] = edit.document_changes
        assert (change.text_document.uri, change.text_document.version) == (path.as_uri(), 7)
        [text_edit] = change.edits
    else:
        [[uri, [text_edit]]] = edit.changes.items()
        assert uri == path.as_uri()
    assert text_edit.new_text in ("o", "ou")
    assert text_edit.range.start.line == 0
    assert list(actions[0].diagnostics) == [diagnostic]
    others = await ask(only=[types.CodeActionKind.Refactor])
    assert not any(getattr(action, "kind", None) == types.CodeActionKind.QuickFix for action in others or ())


@pytest.mark.asyncio
async def test_fixes_alone_are_the_same_as_among_all_actions(any_client, vault):
    path = vault / "fix.md"
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="markdown", version=7, text="[[ruter]] and more\n")
    any_client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    document = types.TextDocumentIdentifier(uri=path.as_uri())

    async def titles(**context):
        whole = types.Range(types.Position(0, 0), types.Position(0, 9))
        found = await any_client.text_document_code_action_async(
            types.CodeActionParams(document, whole, types.CodeActionContext([], **context))
        )
        return [each.title for each in found or () if getattr(each, "kind", None) == types.CodeActionKind.QuickFix]

    async def same():
        among_all, alone = await titles(), await titles(only=[types.CodeActionKind.QuickFix])
        # Notes that are near by meaning come in as soon as their vectors are there: between two questions, it may be.
        return among_all == alone and among_all

    assert "Change the link to Router (router.md)" in await until(same)
