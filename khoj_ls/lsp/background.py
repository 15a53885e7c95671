"""What a client hears of indexing that nobody asked for: progress, changed notes, problems."""

from __future__ import annotations

import asyncio

from lsprotocol import types

from khoj_ls.core.jobs import Progress
from khoj_ls.indexing.indexer import IndexEvent
from khoj_ls.lsp.progress import WorkDone
from khoj_ls.lsp.protocol import INDEX_CHANGED
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vault import Vault

_MAX_FILES = 200
"""More changed files than this are not listed: `files` is empty and everything may have changed."""


def on_index_event(server: KhojServer, vault: Vault, event: IndexEvent) -> None:
    """Pass an event of the indexer's thread on to the connection's own thread."""
    server.soon(_handle, server, vault, event)


def _handle(server: KhojServer, vault: Vault, event: IndexEvent) -> None:
    for listener in server.on_index:
        listener(vault, event)
    if event.kind == "changed":
        server.words_alone.setdefault(vault.root, {}).update(dict.fromkeys(event.paths))
        _tell_changed(server, vault, event.paths)
    elif event.kind == "progress" and event.progress is not None:
        _show(server, vault, event.progress)
    elif event.kind == "idle":
        background = server.backgrounds.pop(vault.root, None)
        if background is not None:
            background.end()
        # What was asked by meaning before this moment was answered without these notes.
        if paths := server.words_alone.pop(vault.root, None):
            _tell_changed(server, vault, tuple(paths))
    elif event.kind == "problem" and event.message:
        server.window_log_message(types.LogMessageParams(type=types.MessageType.Warning, message=event.message))


def _tell_changed(server: KhojServer, vault: Vault, paths: tuple[str, ...]) -> None:
    files = [(vault.root / path).as_uri() for path in paths] if len(paths) <= _MAX_FILES else []
    server.protocol.notify(INDEX_CHANGED, {"vault": str(vault.root), "files": files})


class Background:
    """One vault's progress display; it takes a round trip to open, and reports that come before are kept."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self.done: WorkDone | None = None
        self.last: Progress | None = None
        self.over = asyncio.Event()
        self.cancelled = False

    def end(self) -> None:
        """Close the display, also one that is still being opened."""
        self.over.set()
        if self.done is not None:
            self.done.end()

    def cancel(self) -> None:
        """The user wants this to stop."""
        self.cancelled = True
        self.end()


def _show(server: KhojServer, vault: Vault, progress: Progress) -> None:
    background = server.backgrounds.get(vault.root)
    if background is None:
        background = server.backgrounds[vault.root] = Background()
        task = asyncio.ensure_future(_open(server, vault, background))
        server.tasks.add(task)
        task.add_done_callback(server.tasks.discard)
    background.last = progress
    if background.done is not None:
        background.done.report(progress)


async def _open(server: KhojServer, vault: Vault, background: Background) -> None:
    done = await server.work_done(f"khoj: indexing {vault.root.name}")
    if done is None:
        return
    background.done = done
    if background.over.is_set():
        done.end()
    elif background.last is not None:
        done.report(background.last)
    with server.protocol.cancelled_by(done.token, background.cancel):
        await background.over.wait()
    if background.cancelled:
        server.backgrounds.pop(vault.root, None)
        await server.in_thread(vault.set_paused, True)
        message = f"khoj-ls: indexing of {vault.root.name} is paused; searching goes on. The command khoj.resume continues it."
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=message))
