"""The server in one process, on its standard streams."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from khoj_ls.cli import stdio
from khoj_ls.config.paths import folders
from khoj_ls.config.settings import Settings
from khoj_ls.vaults import OpenVaults


@pytest.mark.asyncio
async def test_the_files_of_settings_are_followed_while_an_editor_is_there(
    private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdio, "_FOLLOW_SECONDS", 0)
    vaults, looked, here = OpenVaults(Settings(), folders()), asyncio.Event(), asyncio.get_running_loop()
    monkeypatch.setattr(vaults, "follow_settings", lambda: here.call_soon_threadsafe(looked.set))
    (source, editor), (shown, sink) = os.pipe(), os.pipe()
    serving = asyncio.create_task(stdio._serve(vaults, source, sink))
    await asyncio.wait_for(looked.wait(), 60)
    os.close(editor)
    await asyncio.wait_for(serving, 60)
    for end in (source, shown, sink):
        with contextlib.suppress(OSError):
            os.close(end)
    vaults.close()
