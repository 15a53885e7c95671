"""A session lasts for days: nothing of what was said in it is held once it is done."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.lsp.build import create_server
from khoj_ls.vaults import OpenVaults

NOTE = "untitled:Note"
OPENED = {"textDocument": {"uri": NOTE, "languageId": "markdown", "version": 1, "text": "one"}}
CHANGED = {"textDocument": {"uri": NOTE, "version": 2}, "contentChanges": [{"text": "two"}]}
CLOSED = {"textDocument": {"uri": NOTE}}
HOVER = {"textDocument": {"uri": NOTE}, "position": {"line": 0, "character": 0}}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/didChange", CHANGED),
        ("textDocument/didClose", CLOSED),
        ("workspace/didChangeConfiguration", {"settings": {}}),
        ("textDocument/hover", HOVER),
    ],
)
async def test_nothing_stays_of_a_message_that_was_handled(method, params, tmp_path):
    own = Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))
    vaults = OpenVaults(load_user_settings(own, {})[0], own, watch=False)
    server = create_server(vaults)
    server.loop = asyncio.get_running_loop()
    server.protocol.set_writer(SimpleNamespace(write=lambda data: None, close=lambda: None))

    def say(method, params, **more):
        server.protocol.receive(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode())

    say("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, id=1)
    say("textDocument/didOpen", OPENED)
    say(method, params, **({"id": 2} if method == "textDocument/hover" else {}))
    await asyncio.wait_for(forgotten(server.protocol), 60)
    await server.close()
    vaults.close()


async def forgotten(protocol):
    while protocol._request_futures:
        await asyncio.sleep(0.01)  # nothing tells when the last is forgotten
