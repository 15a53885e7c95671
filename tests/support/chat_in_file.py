"""Chats in files as tests have them: an engine that says what it is told, a vault, and editors on it."""

from __future__ import annotations

import asyncio
import queue

from lsp_driver import plain, until
from lsprotocol import types

from khoj_ls.chat.types import Citation, Done, Failed, Source, Sources, Started, TextDelta

PROFILES = ("visual-studio-code", "neovim", "emacs")
NOTE = "# Router\n\nIt dropped clients 🦉.\nEvery night.\n\n## Fix\n\nChannel 36.\n"
SOURCES = (Source(1, "router.md", "Router", ("Fix",), 6, 8, "..."), Source(2, "bread.org", "Sourdough", (), 1, 2, "..."))


class Script:
    """What the engine answers: what a test puts here, up to a `Done` or `Failed`; questions are kept as they are."""

    def __init__(self):
        self.events = queue.Queue()
        self.requests = []
        self.cancelled = 0

    def say(self, *events):
        for event in events:
            self.events.put(TextDelta(event) if isinstance(event, str) else event)

    def begin(self, vault, request, *settings):
        self.requests.append(request)
        return Started(
            *vault.conversations.begin(
                request.conversation, request.message, persona="default", model="", replaces=request.replaces
            )
        )

    def answer(self, vault, request, started, token, *settings):
        text = ""
        yield Sources(SOURCES)
        vault.conversations.given(started.turn, SOURCES)
        while True:
            try:
                event = self.events.get(timeout=0.01)
            except queue.Empty:
                event = None
            if token.cancelled:
                self.cancelled += 1
                event = Failed("called off", "khoj.cancelled", text)
            if event is None:
                continue
            text += event.text if isinstance(event, TextDelta) else ""
            if isinstance(event, (Done, Failed)):
                vault.conversations.finish(started.turn, event)
                yield event
                return
            yield event


async def command(editor, name, **argument):
    params = types.ExecuteCommandParams(command=f"khoj.chat.{name}", arguments=[argument])
    return plain(await editor.client.workspace_execute_command_async(params))


async def begun(editor, note="router.md", **more) -> str:
    """A chat about a note, open in the editor."""
    result = await command(editor, "file", textDocument={"uri": (editor.root / note).as_uri()}, **more)
    editor.open(result["uri"])
    await until(lambda: true_soon(lambda: result["uri"] in editor.server.guests))
    return result["uri"]


async def true_soon(condition):
    return condition()


async def offers(editor, uri, at, title):
    found = await editor.actions(uri, at)
    return found if title in found else None


async def shows(editor, uri, *words):
    """Wait until the file holds all of `words`."""
    try:
        await until(lambda: true_soon(lambda: all(word in editor.texts[uri] for word in words)))
    except asyncio.TimeoutError:
        raise AssertionError(editor.texts[uri]) from None


def cited(text, **more):
    at = text.index("[1]")
    return Done(text, (Citation(1, "router.md", ("Fix",), 8, 8, "Channel 36.", at, at + 3),), **more)


def answer(uri, editor):
    return editor.texts[uri].partition(":answer")[2].partition("\n")[2].strip()
