"""A vault with a scripted engine, and editors on it; for `pytest_plugins`."""

from __future__ import annotations

import pytest
import pytest_asyncio
from chat_in_file import NOTE, PROFILES, Script
from typing_editor import editor_on

from khoj_ls.config.paths import folders
from khoj_ls.config.settings import Settings
from khoj_ls.vault import Vault
from khoj_ls.vaults import OpenVaults


@pytest.fixture
def script(monkeypatch):
    script = Script()
    monkeypatch.setattr(Vault, "chat_begin", lambda *args: script.begin(*args))
    monkeypatch.setattr(Vault, "chat", lambda *args: script.answer(*args))
    return script


@pytest.fixture
def vaults(home, tmp_path):
    root = tmp_path / "my notes"
    root.mkdir()
    (root / ".khoj.toml").touch()
    (root / "router.md").write_text(NOTE)
    (root / "bread.org").write_text("#+title: Sourdough\n\n* Starter\nFeed it.\n")
    opened = OpenVaults(Settings(), folders(), watch=False)
    opened.root = root.resolve()
    yield opened
    opened.close()


@pytest_asyncio.fixture(params=PROFILES)
async def any_editor(request, vaults, script):
    async with editor_on(vaults, vaults.root, request.param) as (editor, server):
        editor.server, editor.script, editor.root = server, script, vaults.root
        yield editor


@pytest_asyncio.fixture
async def editor(vaults, script):
    async with editor_on(vaults, vaults.root, "neovim") as (editor, server):
        editor.server, editor.script, editor.root = server, script, vaults.root
        yield editor
