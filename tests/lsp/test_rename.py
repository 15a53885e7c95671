"""Renames as editors ask for them: one edit, in the form each client takes, exact in every position encoding."""

from __future__ import annotations

import pytest
from edit_applier import apply
from lsp_driver import indexed, until
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from session_driver import Session

NOTES = {
    "garden/Plum Tree.md": "🦉🦉 # no heading\n\n# Plum Tree\n\n## 中 Harvest\n\n[[Plum Tree]]\n",
    "start.md": "🦉中 [[Plum Tree|Plum Tree]] and [x](garden/Plum%20Tree.md#中-harvest) #fruit\n",
    "o.org": "* 中 🦉 :fruit:\n🦉 [[file:garden/Plum Tree.md::*中 Harvest][中 Harvest]]\n",
}
DOCUMENTS = types.TextDocumentIdentifier


def session_of(folder, home, profile="visual-studio-code", encoding="utf-16"):
    root = folder / "notes"
    for name, text in NOTES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".khoj.toml").touch()
    session = Session(root, profile, encoding)
    session.index()
    return session


@pytest.fixture
def session(tmp_path, home):
    session = session_of(tmp_path, home)
    yield session
    session.close()


def texts(session):
    return {
        path.relative_to(session.root).as_posix(): path.read_text() for path in session.root.rglob("*.*") if path.stem[0] != "."
    }


def rename(session, path, line, character, name):
    return session.at(types.TEXT_DOCUMENT_RENAME, types.RenameParams, path, line, character, new_name=name)


def prepare(session, path, line, character):
    return session.at(types.TEXT_DOCUMENT_PREPARE_RENAME, types.PrepareRenameParams, path, line, character)


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 10), ("utf-16", 6), ("utf-32", 5)])
def test_a_note_is_renamed_from_a_link(session, encoding, character):
    session.encode(encoding)
    session.open("start.md")
    found = prepare(session, "start.md", 0, character)
    assert found.placeholder == "Plum Tree"
    apply(rename(session, "start.md", 0, character, "Pear 🌳"), encoding)
    assert texts(session) == {
        "garden/Pear 🌳.md": "🦉🦉 # no heading\n\n# Plum Tree\n\n## 中 Harvest\n\n[[Pear 🌳]]\n",
        "start.md": "🦉中 [[Pear 🌳|Pear 🌳]] and [x](garden/Pear%20🌳.md#中-harvest) #fruit\n",
        "o.org": "* 中 🦉 :fruit:\n🦉 [[file:garden/Pear 🌳.md::*中 Harvest][中 Harvest]]\n",
    }


def test_open_texts_count_and_are_named_by_version(session):
    session.open("start.md", "new line\n\n" + NOTES["start.md"])
    session.open("garden/Plum Tree.md")
    edit = rename(session, "garden/Plum Tree.md", 4, 5, "Ernte")
    by_uri = {each.text_document.uri.rpartition("/")[2]: each for each in edit.document_changes}
    assert {name: each.text_document.version for name, each in by_uri.items()} == {
        "Plum%20Tree.md": 1, "start.md": 1, "o.org": None,
    }  # fmt: skip
    assert {each.range.start.line for each in by_uri["start.md"].edits} == {2}


def test_a_client_that_knows_no_versions_gets_plain_changes(tmp_path, home):
    session = session_of(tmp_path, home, "neovim")
    session.open("o.org")
    edit = rename(session, "o.org", 0, 10, "obst")
    assert edit.document_changes is None
    apply(edit)
    assert texts(session)["o.org"].startswith("* 中 🦉 :obst:\n")
    assert texts(session)["start.md"].endswith(" #obst\n")
    session.close()


def test_a_client_that_renames_no_files_is_told_what_to_do(tmp_path, home):
    session = session_of(tmp_path, home, "emacs")
    session.open("start.md")
    with pytest.raises(JsonRpcException, match=r"rename garden/Plum Tree\.md to garden/Pear\.md yourself"):
        rename(session, "start.md", 0, 7, "Pear")
    session.close()


def test_a_title_is_renamed_alone_where_files_cannot_be(tmp_path, home):
    session = session_of(tmp_path, home, "emacs")
    session.open("garden/Plum Tree.md", "# Plum Tree\n\n[[#Plum Tree]]\n")
    edit = rename(session, "garden/Plum Tree.md", 0, 4, "Pear")
    assert [each.new_text for each in edit.document_changes[0].edits] == ["Pear", "ear"]
    session.close()


@pytest.mark.parametrize(
    ("line", "character", "name", "reason"),
    [(0, 71, "a b", "cannot be a tag"), (0, 7, "a/b", "not allowed"), (0, 0, "x", "nothing to rename here")],
)
def test_refusals_say_why(session, line, character, name, reason):
    session.open("start.md")
    with pytest.raises(JsonRpcException, match=reason):
        rename(session, "start.md", line, character, name)


def test_nothing_is_said_of_files_outside(session, tmp_path):
    outside = (tmp_path / "else.md").as_uri()
    params = types.PrepareRenameParams(text_document=DOCUMENTS(uri=outside), position=types.Position(0, 0))
    assert session.ask(types.TEXT_DOCUMENT_PREPARE_RENAME, params) is None


def test_before_a_folder_is_renamed_its_links_are_led_on(session):
    (session.root / "garden" / "img.png").write_bytes(b"")
    session.open("start.md", NOTES["start.md"] + "![](garden/img.png)\n")
    (session.root / "start.md").write_text(NOTES["start.md"] + "![](garden/img.png)\n")
    files = [types.FileRename((session.root / "garden").as_uri(), (session.root / "yard" / "g").as_uri())]
    edit = session.ask(types.WORKSPACE_WILL_RENAME_FILES, types.RenameFilesParams(files=files))
    apply(edit)
    assert texts(session)["start.md"] == (
        "🦉中 [[Plum Tree|Plum Tree]] and [x](yard/g/Plum%20Tree.md#中-harvest) #fruit\n![](yard/g/img.png)\n"
    )
    assert "file:yard/g/Plum Tree.md" in texts(session)["o.org"]


@pytest.mark.asyncio
async def test_a_rename_that_only_the_watcher_saw_is_offered_once(client, vault):
    (vault / "a.md").write_text("[[router]] and [x](router.md#fix)\n")
    await indexed(client)
    asked, applied = [], []

    @client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
    def show(params):
        asked.append(params.message)
        return params.actions[0]

    @client.feature(types.WORKSPACE_APPLY_EDIT)
    def make(params):
        applied.append(params.edit)
        return types.ApplyWorkspaceEditResult(applied=True)

    (vault / "router.md").rename(vault / "switch.md")

    async def made():
        return applied

    await until(made)
    apply(applied[0])
    assert (vault / "a.md").read_text() == "[[switch]] and [x](switch.md#fix)\n"
    assert asked == ["khoj-ls: router.md is now switch.md. Update 2 links in 1 note?"]
    assert len(applied) == 1


def test_links_that_no_rename_can_lead_on_are_told(session, monkeypatch):
    told = []
    monkeypatch.setattr(session.server, "window_show_message", lambda params: told.append(params.message))
    (session.root / "short.org").write_text("#+LINK: g file:garden/%s.md\n[[g:Plum Tree]]\n")
    session.index()
    moved = types.FileRename((session.root / "garden" / "Plum Tree.md").as_uri(), (session.root / "Plum.md").as_uri())
    session.ask(types.WORKSPACE_WILL_RENAME_FILES, types.RenameFilesParams(files=[moved]))
    assert [text.startswith("khoj-ls: links will break that cannot be written otherwise: short.org:2") for text in told] == [
        True
    ]
