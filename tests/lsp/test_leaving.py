"""A client may be gone at any moment: what is under way for it ends, quietly, and holds nothing."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from types import SimpleNamespace

import pytest
from lsprotocol import types

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.core.errors import Cancelled
from khoj_ls.lsp.build import create_server
from khoj_ls.lsp.folders import add_folders
from khoj_ls.vaults import OpenVaults


@pytest.fixture
def vaults(tmp_path):
    """The vaults of a daemon that has none yet; to open one takes until `may_open` is set."""
    own = Folders(*(tmp_path / "own" / name for name in ("config", "data", "state", "run")))
    opened = OpenVaults(load_user_settings(own, {"embedding.model": "/none"})[0], own, watch=False)
    opened.is_opening, opened.may_open, lease = threading.Event(), threading.Event(), opened.lease

    def slowly(path):
        opened.is_opening.set()
        assert opened.may_open.wait(20)
        return lease(path)

    opened.lease = slowly
    yield opened
    opened.close()


@pytest.mark.asyncio
async def test_a_vault_that_is_opened_for_a_client_that_leaves_is_not_held(vaults, vault):
    server = create_server(vaults)
    adding = asyncio.ensure_future(add_folders(server, [vault.as_uri()]))
    await asyncio.to_thread(vaults.is_opening.wait, 20)
    await server.close()
    vaults.may_open.set()
    await adding
    assert [each.root for each in vaults.open_vaults()] == [vault]
    assert vaults._leases == {vault: 0}


@pytest.mark.asyncio
async def test_nothing_is_begun_for_a_client_that_has_left(vaults):
    server, begun = create_server(vaults), []
    await server.close()
    with pytest.raises(Cancelled):
        await server.in_thread(begun.append, 1)
    assert not begun


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", [{"result": None}, {"error": {"code": -32800, "message": "cancelled"}}])
async def test_an_answer_to_what_we_have_called_off_is_passed_over(vaults, answer):
    server, sent = create_server(vaults), []
    server.protocol.set_writer(SimpleNamespace(write=sent.append, close=lambda: None))
    asked = server.protocol.send_request("workspace/codeLens/refresh")
    number = json.loads(sent[0].partition(b"\r\n\r\n")[2])["id"]
    asked.cancel()
    server.protocol.receive(json.dumps({"jsonrpc": "2.0", "id": number, **answer}).encode())
    assert asked.cancelled()
    await server.close()


@pytest.mark.asyncio
async def test_shutdown_is_answered_while_a_vault_is_being_opened(vaults, vault):
    server, sent = create_server(vaults), []
    server.loop = asyncio.get_running_loop()
    server.protocol.set_writer(SimpleNamespace(write=sent.append, close=lambda: None))

    def say(method, params, **more):
        server.protocol.receive(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode())

    folders = [{"uri": vault.as_uri(), "name": "notes"}]
    say("initialize", {"processId": None, "rootUri": None, "capabilities": {}, "workspaceFolders": folders}, id=1)
    say("initialized", {})
    await asyncio.to_thread(vaults.is_opening.wait, 60)
    say("shutdown", None, id=2)
    answers = [json.loads(message.partition(b"\r\n\r\n")[2]) for message in sent]
    assert [answer for answer in answers if answer.get("id") == 2] == [{"jsonrpc": "2.0", "id": 2, "result": None}]
    vaults.may_open.set()
    await server.close()


@pytest.mark.asyncio
async def test_the_end_of_a_command_that_was_called_off_is_no_lost_error(vaults):
    server, lost = create_server(vaults), []
    server.protocol.set_writer(SimpleNamespace(write=lambda message: None, close=lambda: None))
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: lost.append(context["message"]))
    begun, called_off = asyncio.Event(), asyncio.Event()

    @server.command("khoj.slow")
    async def slow():
        begun.set()
        await called_off.wait()
        raise Cancelled("it was called off")

    server.protocol._handle_request("it", types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams("khoj.slow"))
    await begun.wait()
    [command] = asyncio.all_tasks() - {asyncio.current_task()}
    server.protocol._asked.add("it")
    server.protocol._handle_cancel_notification("it")
    called_off.set()
    await asyncio.wait([command])
    del command
    gc.collect()
    assert lost == []
    await server.close()
