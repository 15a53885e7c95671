"""An answer of a chat file is put into the note: shown first, undoable, and never over what the model has not read."""

from __future__ import annotations

import pytest
from chat_in_file import NOTE, begun, command, shows
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from typing_editor import editor_on

from khoj_ls.chat.types import Done

pytest_plugins = ("chat_file_fixtures",)

BLOCK = "It lost them.\nAlways."
ANSWER = f"Better so:\n\n```markdown\n{BLOCK}\n```\n\nShorter, too."
SELECTED = {"start": {"line": 2, "character": 3}, "end": {"line": 3, "character": 2}}


async def answered(editor, text=ANSWER, **more) -> str:
    """A chat file with an answer."""
    uri = await begun(editor, **more)
    editor.type(uri, "Say it better")
    started = await command(editor, "send", textDocument={"uri": uri})
    editor.script.say(text, Done(text))
    await shows(editor, uri, ":notes")
    editor.turn = started
    return uri


@pytest.mark.asyncio
async def test_the_selection_is_replaced_where_it_has_moved(any_editor):
    editor = any_editor
    note = (editor.root / "router.md").as_uri()
    uri = await answered(editor, range=SELECTED)
    (item,) = editor.script.requests[0].context
    assert (item.line, item.end_line, item.text) == (3, 4, "It dropped clients 🦉.\nEvery night.\n")
    editor.open(note, "Unsaved above 🦉\n\n" + NOTE)
    await editor.run((await editor.actions(uri, "lost them"))["Apply to router.md"])
    assert editor.texts[note] == "Unsaved above 🦉\n\n" + NOTE.replace("It dropped clients 🦉.\nEvery night.", BLOCK)
    assert (editor.root / "router.md").read_text() == NOTE
    edit = editor.edits[-1].edit
    if edit.change_annotations:
        (annotation,) = edit.change_annotations.values()
        assert (annotation.label, annotation.needs_confirmation) == ("Replace lines 5-6 of router.md", True)


@pytest.mark.asyncio
async def test_clients_that_know_annotations_are_to_confirm(vaults, script):
    def knows(capabilities):
        capabilities.workspace.workspace_edit = types.WorkspaceEditClientCapabilities(
            document_changes=True, change_annotation_support=types.ChangeAnnotationsSupportOptions()
        )

    async with editor_on(vaults, vaults.root, "visual-studio-code", knows) as (editor, server):
        editor.server, editor.script, editor.root = server, script, vaults.root
        uri = await answered(editor, "## Fix\n\nChannel 11 [1].")
        editor.open((editor.root / "router.md").as_uri())
        await editor.run((await editor.actions(uri, "Channel 11"))["Apply to router.md"])
        edit = editor.edits[-1].edit
        (annotation,) = edit.change_annotations.values()
        assert (annotation.label, annotation.needs_confirmation) == ('Replace "Fix" in router.md', True)
        (change,) = edit.document_changes
        assert change.edits[0].annotation_id in edit.change_annotations
        assert editor.texts[(editor.root / "router.md").as_uri()] == NOTE.replace("Channel 36.", "Channel 11.")


@pytest.mark.parametrize(("choice", "below"), [("Insert below instead", True), ("Leave it", False)])
@pytest.mark.asyncio
async def test_what_has_changed_is_not_replaced(editor, choice, below):
    note = (editor.root / "router.md").as_uri()
    uri = await answered(editor, range=SELECTED)
    editor.open(note, changed := NOTE.replace("Every night", "Every day"))
    editor.answers = [choice]
    apply = (await editor.actions(uri, "lost them"))["Apply to router.md"]
    if below:
        await editor.run(apply)
        assert editor.texts[note] == changed + f"\n{BLOCK}\n"
    else:
        with pytest.raises(JsonRpcException, match="lines 3-4 of it is not what the model was given"):
            await editor.run(apply)
        assert editor.texts[note] == changed
    assert "lines 3-4" in editor.questions[0]


@pytest.mark.asyncio
async def test_the_block_at_the_cursor_as_the_user_has_mended_it(editor):
    note = (editor.root / "router.md").as_uri()
    uri = await answered(editor, "```markdown\nA\n```\n\nor\n\n```markdown\nB\n```", range=SELECTED)
    editor.open(note)
    editor.type(uri, "```markdown\nA, mended\n", instead_of="```markdown\nA\n")
    await editor.run((await editor.actions(uri, "A, mended"))["Insert below in router.md"])
    assert editor.texts[note] == NOTE.replace("Every night.\n", "Every night.\n\nA, mended\n")


@pytest.mark.asyncio
async def test_an_answer_of_a_conversation(editor):
    note = (editor.root / "router.md").as_uri()
    await answered(editor)
    editor.open(note)
    apply = {"conversation": editor.turn["conversation"], "turn": editor.turn["turn"], "textDocument": {"uri": note}}
    with pytest.raises(JsonRpcException, match=r"router\.md has changed"):  # what the script gave is not in the note
        await command(editor, "apply", **apply)
    result = await command(editor, "apply", **apply, how="below")
    assert (result["applied"], result["what"]) == (True, "Add to the end of router.md")
    assert editor.texts[note] == NOTE + f"\n{BLOCK}\n"
    other = (editor.root / "other.md").as_uri()
    editor.open(other, "First.\n\nSecond.\n")
    with pytest.raises(JsonRpcException, match=r"given nothing of other\.md with that question: it can be put below"):
        await command(editor, "apply", **apply | {"textDocument": {"uri": other}})
    await command(
        editor,
        "apply",
        **apply | {"textDocument": {"uri": other}},
        range={"start": {"line": 0, "character": 2}, "end": {"line": 0, "character": 2}},
        how="below",
    )
    assert editor.texts[other] == f"First.\n\n{BLOCK}\n\nSecond.\n"
    for wrong, message in (
        ({"turn": "x"}, "wants a chat file, or a conversation"),
        ({**apply, "turn": "x"}, "has no turn x"),
        ({**apply, "how": "all"}, "Invalid enum value 'all'"),
        ({**apply, "chat": {"uri": note}}, "no chat file that is open"),
    ):
        with pytest.raises(JsonRpcException, match=message):
            await command(editor, "apply", **wrong)
