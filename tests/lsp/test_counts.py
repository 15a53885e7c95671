"""Code lenses and inlay hints: which counts are shown where, and the command that each client can run."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from lsprotocol import types
from session_driver import Session

from khoj_ls.indexing.indexer import IndexEvent

NOTES = {
    "target.md": "---\ntitle: Target\n---\n# 🦉 Part\n\ntext [[#🦉 Part]]\n\n# Lonely\n",
    "one.md": "[[target]] [[target#🦉 Part]]\n",
    "two.org": "* Two\n[[file:target.md::*🦉 Part][x]]\n",
}
WHOLE = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=99, character=0))


@pytest.fixture(scope="module")
def session(tmp_path_factory, home):
    root = tmp_path_factory.mktemp("counts") / "notes"
    root.mkdir()
    for name, text in NOTES.items():
        (root / name).write_text(text)
    session = Session(root)
    session.index(meaning=True)
    session.open("target.md")
    yield session
    session.close()


def lenses(session, **wanted):
    session.server.session.overrides = {f"lens.{name}": value for name, value in wanted.items()}
    document = types.TextDocumentIdentifier(uri=(session.root / "target.md").as_uri())
    return session.ask(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensParams(text_document=document)) or []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [(1, "3 links")]),
        ({"headings": True}, [(1, "3 links"), (3, "3 links")]),
        ({"note": False, "headings": True}, [(3, "3 links")]),
        ({"note": False}, []),
    ],
)
def test_lenses(session, wanted, expected):
    assert [(lens.range.start.line, lens.command.title) for lens in lenses(session, **wanted)] == expected


def test_hints_stand_behind_the_line_and_only_where_they_are_looked_at(session):
    def ask(where):
        document = types.TextDocumentIdentifier(uri=(session.root / "target.md").as_uri())
        found = session.ask(types.TEXT_DOCUMENT_INLAY_HINT, types.InlayHintParams(text_document=document, range=where)) or []
        return [(hint.position.line, hint.position.character, hint.label) for hint in found]

    session.server.session.overrides = {}
    assert ask(WHOLE) == []
    session.server.session.overrides = {"inlay.note": True, "inlay.headings": True}
    assert ask(WHOLE) == [(1, len("title: Target"), "3 links"), (3, len("# 🦉 Part") + 1, "3 links")]
    lower = types.Range(start=types.Position(line=2, character=0), end=types.Position(line=4, character=0))
    assert ask(lower) == [(3, len("# 🦉 Part") + 1, "3 links")]


def test_each_client_gets_a_command_it_can_run(session):
    capabilities = session.server.client_capabilities
    before = capabilities.experimental, capabilities.window.show_document
    try:
        capabilities.window.show_document = None
        assert [lens.command.command for lens in lenses(session)] == [""]
        capabilities.window.show_document = types.ShowDocumentClientCapabilities(support=True)
        [lens] = lenses(session)
        assert lens.command.command == "khoj.showReferences"
        assert lens.command.command in session.server.protocol.fm.commands
        capabilities.experimental = {"commands": {"commands": ["khoj-ls.showReferences"]}}
        [lens] = lenses(session)
        _, position, locations = lens.command.arguments
        assert (lens.command.command, position) == ("khoj-ls.showReferences", {"line": 1, "character": 0})
        assert sorted({location.uri.rsplit("/", 1)[1] for location in locations}) == ["one.md", "two.org"]
    finally:
        capabilities.experimental, capabilities.window.show_document = before


@pytest.mark.parametrize("packed", [True, False])
def test_the_command_lets_the_user_choose_and_opens_the_place(session, packed, monkeypatch):
    session.server.client_capabilities.window.show_document = types.ShowDocumentClientCapabilities(support=True)
    offered, shown = [], []

    async def choose(params):
        offered.extend(action.title for action in params.actions)
        return types.MessageActionItem(title=params.actions[-1].title)

    async def show(params):
        shown.append(params)
        return types.ShowDocumentResult(success=True)

    monkeypatch.setattr(session.server, "window_show_message_request_async", choose)
    monkeypatch.setattr(session.server, "window_show_document_async", show)
    [lens] = lenses(session)
    arguments = [lens.command.arguments] if packed else lens.command.arguments
    session.loop.run_until_complete(asyncio.wait_for(session.server.protocol.fm.commands[lens.command.command](*arguments), 10))
    assert offered == ["one.md:1", "two.org:2"]
    assert (shown[0].uri, shown[0].selection.start.line) == ((session.root / "two.org").as_uri(), 1)


@pytest.mark.parametrize("arguments", [(), (None,), ("file:///x.md", SimpleNamespace(line=-1)), ([1, 2],)])
def test_the_command_takes_no_harm_from_odd_arguments(session, arguments):
    session.loop.run_until_complete(session.server.protocol.fm.commands["khoj.showReferences"](*arguments))


def test_lenses_are_asked_for_again_when_notes_change(session, monkeypatch):
    asked = asyncio.Event()

    async def refresh(_):
        asked.set()

    monkeypatch.setattr(session.server, "workspace_code_lens_refresh_async", refresh)
    session.server.session.overrides = {}

    async def change():
        for listener in session.server.on_index:
            listener(session.vault, IndexEvent("changed", paths=("one.md",)))
        await asyncio.wait_for(asked.wait(), 20)

    session.loop.run_until_complete(change())
