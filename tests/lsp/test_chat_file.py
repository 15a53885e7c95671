"""A chat in a file, with an editor that types, refuses, closes and asks again while the answer comes."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from chat_in_file import answer, begun, cited, command, offers, shows, true_soon
from lsp_driver import plain, request, until
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from typing_editor import editor_on

from khoj_ls.chat.types import Failed, Statement, Status

pytest_plugins = ("chat_file_fixtures",)


@pytest.mark.asyncio
async def test_a_chat_begins_is_asked_and_goes_on(any_editor):
    editor, script = any_editor, any_editor.script
    note = (editor.root / "router.md").as_uri()
    editor.open(note)
    begin = (await editor.actions(note))["Chat about this note"]
    result = plain(await editor.run(begin))
    uri = result["uri"]
    path = Path(unquote(urlsplit(uri).path))
    assert path.parent.parent.name == "chats"
    assert path.stat().st_mode & 0o077 == 0
    shown = [each.uri for each in editor.client.shown_documents]
    assert (shown == [uri]) is result["shown"]
    text = editor.open(uri)
    assert f"About [router.md]({note})." in text
    assert text.endswith(":you -->\n\n\n")
    if result["shown"]:  # clients that hold no line behind the last break would refuse the one below
        assert editor.client.shown_documents[0].selection.start.line == text.count("\n") - 1
    assert "Ask" not in await editor.actions(uri)

    editor.type(uri, "What fixed it? 🦉\n")
    assert script.requests == []
    await editor.run((await editor.actions(uri))["Ask"])
    await shows(editor, uri, ":answer")
    script.say(Status("Searching"), "It was ", "**channel", " 36** [1].")
    await shows(editor, uri, "It was **channel 36** [1].")
    script.say(cited("It was **channel 36** [1].", unsupported=(Statement("It rained.", 0, 3),), removed=("[7]",), model="a/b"))
    await shows(editor, uri, ":notes", "Sources")
    link = f"{note}#L8"
    assert answer(uri, editor).startswith(f"It was **channel 36** [1]({link}).\n\n<!-- khoj:")
    assert f"- 1: [Router › Fix]({note}#L6)" in editor.texts[uri]
    assert "bread.org" not in editor.texts[uri]
    assert "It rained." in editor.texts[uri]
    (request,) = script.requests
    assert (request.message, request.conversation, [item.kind for item in request.context]) == (
        "What fixed it? 🦉",
        None,
        ["note"],
    )

    editor.type(uri, "And why?")
    await editor.run((await editor.actions(uri))["Ask"])
    script.say("Noise [1].", cited("Noise [1]."))
    await shows(editor, uri, f"Noise [1]({link}).")
    assert script.requests[1].conversation is not None
    assert script.requests[1].message == "And why?"
    assert editor.texts[uri].count(":you -->") == 3


@pytest.mark.asyncio
async def test_links_in_a_chat_file_are_followed(editor):
    uri = await begun(editor)
    note = (editor.root / "router.md").as_uri()
    editor.type(uri, f"See [1]({note}#L8) and [[bread]].\n")
    document = types.TextDocumentIdentifier(uri)
    links = await editor.client.text_document_document_link_async(types.DocumentLinkParams(document))
    bread = (editor.root / "bread.org").as_uri()
    await until(lambda: true_soon(lambda: not editor.server.session.vaults.get(editor.root).reading))
    links = await editor.client.text_document_document_link_async(types.DocumentLinkParams(document))
    assert [link.target for link in links] == [note, f"{note}#L8", bread]
    found = await editor.client.text_document_definition_async(
        types.DefinitionParams(document, editor.place_of(uri, "1](file"))
    )
    assert [(each.target_uri, each.target_selection_range.start.line) for each in found] == [(note, 7)]
    hover = await editor.client.text_document_hover_async(types.HoverParams(document, editor.place_of(uri, "1](file")))
    assert "Channel 36." in hover.contents.value
    editor.close(uri)
    await until(lambda: true_soon(lambda: uri not in editor.server.guests))


@pytest.mark.asyncio
async def test_what_the_user_types_elsewhere_while_the_answer_comes_stays(any_editor):
    editor, script = any_editor, any_editor.script
    uri = await begun(editor)
    editor.type(uri, "What?")
    await command(editor, "send", textDocument={"uri": uri})
    await shows(editor, uri, ":answer")
    with pytest.raises(JsonRpcException, match="still coming"):
        await command(editor, "send", textDocument={"uri": uri})
    pieces = [f"word{number} 🦉" for number in range(4)]
    for number, piece in enumerate(pieces):
        editor.type(
            uri, f"Up{number} " if number % 2 else f"Up{number}\n", instead_of="About" if number == 0 else f"Up{number - 1}"
        )
        editor.type(uri, f" next{number}")
        script.say(piece + "\n")
        await shows(editor, uri, piece)
    script.say(cited("".join(piece + "\n" for piece in pieces) + "[1]"))
    await shows(editor, uri, ":notes")
    said = answer(uri, editor)
    assert said.startswith("\n".join(pieces) + "\n[1](file:")
    assert editor.texts[uri].endswith(" next0 next1 next2 next3")


@pytest.mark.parametrize("way", ["refuses", "pretends"])
@pytest.mark.asyncio
async def test_a_user_who_types_on_and_on_is_waited_for(editor, way):
    uri = await begun(editor)
    editor.type(uri, "What?")
    await command(editor, "send", textDocument={"uri": uri})
    await shows(editor, uri, ":answer")
    typed = iter("and 🦉 so")

    def overtaken():  # a key is pressed while the edit is on its way
        key = next(typed, "")
        if key:
            editor.type(uri, key)
        return bool(key)

    setattr(editor, way, overtaken)
    editor.script.say("It was so [1].", cited("It was so [1]."))
    await shows(editor, uri, "It was so [1](file:", ":notes")
    assert editor.texts[uri].endswith("and 🦉 so")


@pytest.mark.asyncio
async def test_at_most_four_edits_a_second_each_of_the_version_shown(editor):
    uri = await begun(editor)
    editor.type(uri, "What?")
    await command(editor, "send", textDocument={"uri": uri})
    loop = asyncio.get_running_loop()
    times = []
    editor.before_edit = lambda: times.append(loop.time())
    for number in range(30):
        editor.script.say(f"{number} ")
        await asyncio.sleep(0.02)  # pieces arrive one after the other, faster than edits may
    editor.script.say(cited(" ".join(map(str, range(30))) + " [1]"))
    await shows(editor, uri, ":notes")
    growing = times[:-1]
    assert len(growing) <= 6
    assert all(later - before > 0.2 for before, later in itertools.pairwise(growing))


@pytest.mark.parametrize("way", ["refuses", "pretends", "types in the answer", "deletes the answer", "closes"])
@pytest.mark.asyncio
async def test_on_a_conflict_nothing_more_is_written_and_the_rest_is_kept(editor, way, monkeypatch):
    monkeypatch.setattr("khoj_ls.lsp.chat_file_edits.Patience.versioned", 0.3)
    uri, script = await begun(editor), editor.script
    editor.type(uri, "What?")
    await command(editor, "send", textDocument={"uri": uri})
    script.say("It was ")
    await shows(editor, uri, "It was")
    turn = next(iter(editor.server.session.turns))
    if way in ("refuses", "pretends"):
        setattr(editor, way, lambda: True)
    elif way == "types in the answer":
        editor.type(uri, "It never was", instead_of="It was")
    elif way == "deletes the answer":
        editor.type(
            uri, "", instead_of=editor.texts[uri][editor.texts[uri].index("## khoj_ls") : editor.texts[uri].rindex("## You")]
        )
    else:
        kept = editor.texts[uri]
        editor.close(uri)
    edits = len(editor.edits)
    script.say("the channel ", "[1].", cited("It was the channel [1]."))
    await until(lambda: true_soon(lambda: not editor.server.session.turns))
    if way == "closes":
        await until(lambda: true_soon(lambda: not editor.server.tasks))
        assert len(editor.edits) == edits
        editor.open(uri, kept)
    else:
        await until(lambda: true_soon(lambda: any("Insert the rest" in each.message for each in editor.client.messages)))
        assert len(editor.edits) - edits == (2 if way in ("refuses", "pretends") else 0)
    editor.refuses = editor.pretends = lambda: False
    assert "the channel" not in editor.texts[uri]
    if way == "deletes the answer":
        with pytest.raises(JsonRpcException, match="not in this file"):
            await command(editor, "send", textDocument={"uri": uri}, turn=turn)
        return
    title = "Insert the rest of the answer"
    actions = await until(lambda: offers(editor, uri, "It ", title))
    await editor.run(actions[title])
    await shows(editor, uri, "the channel [1](file:", ":notes")
    # What is typed before the server has heard that its first words are there leaves the whole answer as the rest.
    typed = ("It never was\n\nthe channel", "It never was\n\nIt was the channel")
    assert answer(uri, editor).startswith(typed if way == "types in the answer" else "It was the channel [1](file:")


@pytest.mark.asyncio
async def test_the_rest_comes_from_the_conversation_after_a_restart(editor, vaults):
    uri, script = await begun(editor), editor.script
    editor.type(uri, "What?")
    await command(editor, "send", textDocument={"uri": uri})
    script.say("It was ")
    await shows(editor, uri, "It was")
    kept = editor.texts[uri]
    script.say("so [1].", cited("It was so [1]."))
    await shows(editor, uri, ":notes")
    whole = editor.texts[uri]
    async with editor_on(vaults, vaults.root, "visual-studio-code") as (other, _):
        other.open(uri, kept)
        await other.run((await other.actions(uri, "It was"))["Insert the rest of the answer"])
        assert other.texts[uri] == whole


@pytest.mark.parametrize("how", ["action", "lens", "cancel command", "progress"])
@pytest.mark.asyncio
async def test_an_answer_is_stopped_and_asked_for_again(editor, how):
    uri, script = await begun(editor), editor.script
    editor.type(uri, "What?")
    document = types.TextDocumentIdentifier(uri)
    (lens,) = await editor.client.text_document_code_lens_async(types.CodeLensParams(document))
    assert lens.command.title == "Ask"
    await editor.run(lens)
    script.say("It was ")
    await shows(editor, uri, "It was")
    editor.type(uri, "Later")
    turn = next(iter(editor.server.session.turns))
    if how == "action":
        await editor.run((await editor.actions(uri))["Stop the answer"])
    elif how == "lens":
        (lens,) = await editor.client.text_document_code_lens_async(types.CodeLensParams(document))
        await editor.run(lens)
    elif how == "cancel command":
        assert await command(editor, "cancel", turn=turn) == {"cancelled": True}
    else:
        tokens = [token for token, reports in editor.client.progress_reports.items() if "answering" in str(reports)]
        editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token=tokens[-1]))
    await shows(editor, uri, "It was\n", "**Stopped.**")
    assert script.cancelled == 1
    editor.type(uri, "What exactly?", instead_of="What?")
    await editor.run((await editor.actions(uri, "It was"))["Ask again"])
    await shows(editor, uri, ":answer")
    script.say(Failed("The service does not answer.", "khoj.model.unreachable", ""))
    await shows(editor, uri, "Not answered: The service does not answer.")
    assert "It was" not in editor.texts[uri]
    assert editor.texts[uri].endswith(":you -->\n\nLater\n")
    again = script.requests[1]
    assert (again.message, again.replaces) == ("What exactly?", turn)
    assert again.conversation is not None


@pytest.mark.asyncio
async def test_an_org_chat_about_a_selection_in_one_piece(editor):
    note = (editor.root / "bread.org").as_uri()
    chosen = {"start": {"line": 2, "character": 0}, "end": {"line": 3, "character": 4}}
    uri = await begun(editor, "bread.org", range=chosen)
    assert uri.endswith(".org")
    editor.type(uri, "stream: no", instead_of="stream: yes")
    editor.type(uri, "When?")
    editor.open(note, "New line\n" + (editor.root / "bread.org").read_text())
    await command(editor, "send", textDocument={"uri": uri})
    await shows(editor, uri, ":answer")
    edits = len(editor.edits)
    editor.script.say("# At\n\n* noon\n* **daily** [1]", cited("# At\n\n* noon\n* **daily** [1]"))
    await shows(editor, uri, ":notes")
    assert len(editor.edits) == edits + 1
    assert answer(uri, editor).startswith(f"** At\n\n- noon\n- *daily* [[file:{editor.root}/router.md::8][1]]\n\n# khoj:")
    (item,) = editor.script.requests[0].context
    assert (item.kind, item.line, item.end_line, item.text) == ("selection", 4, 5, "* Starter\nFeed it.\n")


@pytest.mark.asyncio
async def test_what_cannot_be_asked_is_said(editor):
    uri = await begun(editor)
    with pytest.raises(JsonRpcException, match="no question yet"):
        await command(editor, "send", textDocument={"uri": uri})
    with pytest.raises(JsonRpcException, match="no chat file that is open"):
        await command(editor, "send", textDocument={"uri": (editor.root / "router.md").as_uri()})
    editor.type(uri, "Why?")
    editor.type(uri, "vault: /nowhere", instead_of=f"vault: {editor.root}")
    with pytest.raises(JsonRpcException, match="names no folder: /nowhere"):
        await command(editor, "send", textDocument={"uri": uri})
    with pytest.raises(JsonRpcException, match=r"khoj\.chat\.send"):
        await command(editor, "send")
    assert await command(editor, "stop", textDocument={"uri": uri}) == {"stopped": False}
    assert editor.script.requests == []


@pytest.mark.asyncio
async def test_a_client_that_is_gone_calls_its_answer_off(vaults, script):
    async with editor_on(vaults, vaults.root, "neovim") as (editor, server):
        editor.server, editor.root = server, vaults.root
        uri = await begun(editor)
        editor.type(uri, "What?")
        await command(editor, "send", textDocument={"uri": uri})
        script.say("It ")
        await shows(editor, uri, "It")
    await until(lambda: true_soon(lambda: script.cancelled == 1))
    await until(lambda: true_soon(lambda: not vaults._leases.get(vaults.root)))


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["related", "links"])
async def test_the_folder_of_chats_is_no_vault(editor, name):
    uri = await begun(editor)
    with pytest.raises(JsonRpcException, match="keeps its own files") as raised:
        await request(editor.client, name, textDocument={"uri": uri})
    assert plain(raised.value.data)["code"] == "khoj.vault.none"
    assert [vault["root"] for vault in (await request(editor.client, "status"))["vaults"]] == [str(editor.root)]
