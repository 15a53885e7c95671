"""Asking a client to ask again: what is shown of a note depends on other notes, and on settings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from pygls.exceptions import JsonRpcException

from khoj_ls.indexing.indexer import IndexEvent
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vault import Vault

log = logging.getLogger(__name__)

_REST_SECONDS = 1.0
"""So long changes are collected; a first index changes something all the time."""


def refresh_on_change(
    server: KhojServer, wanted: Callable[[Vault], bool], supported: Callable[[], bool], refresh: Callable[[], Awaitable[Any]]
) -> None:
    """Call `refresh` a moment after the index of a vault changed, if it is `wanted` there, and after the settings did.

    Nothing is sent to a client that has not said that the request is `supported`.
    """
    waiting: set[asyncio.Task[None]] = set()

    async def soon() -> None:
        await asyncio.sleep(_REST_SECONDS)
        try:
            if server.workspace.text_documents:  # else nothing is shown; and nothing is before the client said `initialized`
                await refresh()
        except JsonRpcException as error:
            log.debug("the client does not refresh: %s", error)

    def begin() -> None:
        if not waiting and supported():
            task = asyncio.ensure_future(soon())
            waiting.add(task)
            server.tasks.add(task)
            task.add_done_callback(waiting.discard)
            task.add_done_callback(server.tasks.discard)

    def changed(vault: Vault, event: IndexEvent) -> None:
        if event.kind == "changed" and wanted(vault):
            begin()

    server.on_index.append(changed)
    server.on_settings.append(begin)  # what was switched off is to vanish
