"""Folders that come and go, settings, several clients, and the ends of a connection."""

from __future__ import annotations

import asyncio
import sys

import pytest
from lsp_driver import indexed, make_client, names, request, start, until
from lsprotocol import types


def folder(path) -> types.WorkspaceFolder:
    return types.WorkspaceFolder(uri=path.as_uri(), name=path.name)


@pytest.fixture
def second_vault(tmp_path):
    path = tmp_path / "second"
    path.mkdir()
    (path / ".khoj.toml").touch()
    (path / "birds.md").write_text("# Birds\n\nThe nuthatch walks head first.\n")
    return path


@pytest.mark.asyncio
async def test_folders_are_added_and_removed_live(any_client, second_vault):
    async def search():
        return names(await request(any_client, "search", query="nuthatch", mode="lexical"))

    def change(added=(), removed=()):
        event = types.WorkspaceFoldersChangeEvent(added=[folder(p) for p in added], removed=[folder(p) for p in removed])
        any_client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event=event))

    async def there():
        return await search() == ["birds.md"]

    async def gone():
        return await search() == []

    assert await search() == []
    change(added=[second_vault])
    await until(there)
    change(removed=[second_vault])
    await until(gone)


@pytest.mark.asyncio
async def test_settings_from_the_editor_change_the_session_live(any_client):
    any_client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams(settings={"khoj_ls": {"search": {"limit": 1}}})
    )

    async def limited():
        return len((await request(any_client, "search", query="the"))["hits"]) <= 1

    await until(limited)


@pytest.mark.asyncio
async def test_an_editor_may_not_set_what_is_the_users(client):
    client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams(settings={"khoj_ls": {"embedding": {"endpoint": "http://evil.example"}}})
    )

    async def told():
        return [message.message for message in client.messages if "embedding.endpoint" in message.message]

    assert await until(told)


@pytest.mark.asyncio
async def test_what_is_wrong_with_settings_files_is_said_once(bare_client, home, vault, tmp_path):
    own, other = vault / ".khoj.toml", tmp_path / "other"
    own.write_text("[search]\nlimt = 3\nmode = 'fuzzy'\n[embedding]\nendpoint = 'http://evil.example'\n[a]\n[b]\n")
    other.mkdir()
    (other / ".khoj.toml").write_text("nothing = 1\n")
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "config.toml").write_text("[index]\ngitignor = true\n")
    try:
        await start(bare_client, "neovim", vault, other)

        async def told():
            messages = [message.message for message in bare_client.messages if "toml" in message.message]
            return messages if any(str(other) in message for message in messages) else []

        [users, vaults, others] = await until(told)
    finally:
        (home / "config" / "config.toml").unlink()
    assert users.startswith(f"khoj-ls: {home / 'config' / 'config.toml'}: index.gitignor: there is no such setting")
    assert vaults.startswith(f"khoj-ls: {own}: search.limt: there is no such setting")
    assert vaults.endswith("; and 2 more (khoj-ls doctor tells all)")
    assert others == f"khoj-ls: {other / '.khoj.toml'}: nothing: there is no such setting"


@pytest.mark.asyncio
async def test_a_missing_folder_is_said_and_harmless(bare_client, vault, tmp_path):
    await start(bare_client, "neovim", tmp_path / "nowhere", vault)

    async def told():
        return [message.message for message in bare_client.messages if "nowhere" in message.message]

    await until(told)
    await indexed(bare_client)
    assert names(await request(bare_client, "search", query="rye flour"))[0] == "bread.org"


@pytest.mark.asyncio
async def test_two_editors_share_one_daemon_and_one_index(client, vault):
    other = make_client()
    await other.start_io(sys.executable, "-m", "khoj_ls", "lsp")
    await start(other, "emacs", vault)
    [report] = await indexed(other)
    mine, theirs = await request(client, "status"), await request(other, "status")
    assert report["embedded"] == 0
    assert mine["daemon"]["pid"] == theirs["daemon"]["pid"]
    await other.shutdown_session()
    await asyncio.wait_for(other._server.wait(), 10)
    # The end of one editor is not the end of the other.
    assert names(await request(client, "search", query="rye flour"))[0] == "bread.org"


@pytest.mark.asyncio
@pytest.mark.parametrize("end", ["shutdown", "killed"])
async def test_unsaved_text_goes_with_the_editor_that_closed_nothing(client, vault, end):
    other = make_client()
    await other.start_io(sys.executable, "-m", "khoj_ls", "lsp")
    await start(other, "neovim", vault)
    item = types.TextDocumentItem(uri=(vault / "ghost.md").as_uri(), language_id="markdown", version=1, text="A corncrake.")
    other.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    async def found():
        return names(await request(client, "search", query="corncrake", mode="lexical"))

    async def gone():
        return await found() == []

    await until(found)
    if end == "shutdown":
        await other.shutdown_session()
    else:
        other._server.kill()
    await asyncio.wait_for(other._server.wait(), 10)
    await until(gone)


@pytest.mark.asyncio
async def test_in_process_speaks_the_same_and_ends_with_status_0(home, vault):
    alone = make_client()
    await alone.start_io(sys.executable, "-m", "khoj_ls", "lsp", "--in-process")
    await start(alone, "neovim", vault)
    await indexed(alone)
    assert names(await request(alone, "search", query="rye flour"))[0] == "bread.org"
    await alone.shutdown_session()
    assert await asyncio.wait_for(alone._server.wait(), 10) == 0
