"""Edits of a chat file that the session shows: computed in its text as it is, sent with its version, and seen to arrive.

A client may say that an edit is made and not have made it, because its user typed meanwhile (Neovim), or tell of it only later.
So an edit counts once the document's text shows it; until then no other is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from khoj_ls.chat.file.layout import Change, ChatFile
from khoj_ls.lsp.chat_files import OpenChat, key_of, open_chat
from khoj_ls.lsp.edits import takes_document_changes
from khoj_ls.lsp.server import KhojServer

log = logging.getLogger(__name__)

_TRIES = 2
_LOOK_SECONDS = 2.0
"""How often it is looked whether the client is still there."""


@dataclass(frozen=True)
class Patience:
    """How long a client may take to show an edit that it says it has made, in seconds."""

    versioned: float = 3.0
    """Where it refuses edits of an older text, so that trying again can do no harm."""
    unversioned: float = 15.0
    changed: float = 0.5
    """How long a change of the user's is waited for after a refusal, so that the next try counts in the newest text."""
    rest: float = 0.4
    """A text that has not changed for so long rests; clients tell of changes up to 0.2 s late."""
    typing: float = 120.0
    """How long one edit waits for a user who types on and on."""


Planned = Callable[[ChatFile], Sequence[Change] | None]
Shown = Callable[[ChatFile], bool]


class ChatEditor:
    """Edits the chat files of one session; for the connection's loop only."""

    def __init__(self, server: KhojServer, patience: Patience | None = None) -> None:
        """Edit what `server`'s client shows; it must tell `on_document` of every change."""
        self._server = server
        self._patience = patience or Patience()
        self._checks_versions = False
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def initialized(self, params: types.InitializeParams) -> None:
        """Take note of who the client is: Neovim looks at the versions of edits without saying that it does."""
        self._checks_versions = bool(params.client_info and params.client_info.name == "Neovim")

    @property
    def _versioned(self) -> bool:
        return self._checks_versions or takes_document_changes(self._server)

    def on_document(self, uri: str) -> None:
        """A document was opened, changed or closed."""
        for event in self._waiting.get(key_of(uri), ()):
            event.set()

    async def edit(self, uri: str, planned: Planned, shown: Shown, label: str) -> bool:
        """Have the client make the changes that `planned` wants in the file as it stands, until `shown` sees them.

        A refusal because the user types is none: it is tried again once he rests. False where `planned` gives None, the file
        is gone or closed, or the client refused twice.
        """
        refused, until = 0, asyncio.get_running_loop().time() + self._patience.typing
        while refused < _TRIES:
            chat = open_chat(self._server, uri)
            changes = planned(chat.file) if chat else None
            if chat is None or changes is None:
                return False
            if not changes:
                return True
            before = chat.file.text
            if await self._apply(chat, changes, label):
                patience = self._patience.versioned if self._versioned else self._patience.unversioned
                if await self._until(uri, shown, patience, before if self._versioned else None):
                    return True
                if not self._versioned:  # it may yet be made, and then stand there twice
                    return False
            else:
                await self._until(uri, _never, self._patience.changed, before)
            now = open_chat(self._server, uri)
            typed = now is not None and now.file.text != before
            refused += not typed or asyncio.get_running_loop().time() > until
        return False

    async def _apply(self, chat: OpenChat, changes: Sequence[Change], label: str) -> bool:
        edits = [chat.text_edit(change) for change in changes]
        edit = types.WorkspaceEdit(changes={chat.uri: edits})
        if self._versioned:
            document = types.OptionalVersionedTextDocumentIdentifier(uri=chat.uri, version=chat.version)
            edit = types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=document, edits=list(edits))])
        asked = asyncio.ensure_future(
            self._server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit=edit, label=label))
        )
        # The user may be asked first, and take his time; one who is gone answers never.
        while not (await asyncio.wait({asked}, timeout=_LOOK_SECONDS))[0]:
            if self._server.loop is None:
                asked.cancel()
                return False
        try:
            return asked.result().applied
        except JsonRpcException as error:
            log.debug("an edit of a chat was refused: %s", error)
            return False

    async def _until(self, uri: str, shown: Shown, seconds: float, before: str | None) -> bool:
        """Wait until the file is as `shown` wants it, at most so long, and not once it is closed.

        With the text `before` also not once that has changed and rests: then something else was done to it.
        """
        loop = asyncio.get_running_loop()
        changed, key = asyncio.Event(), key_of(uri)
        self._waiting.setdefault(key, set()).add(changed)
        try:
            deadline = loop.time() + seconds
            while True:
                changed.clear()
                chat = open_chat(self._server, uri)
                if chat is None:
                    return False
                if shown(chat.file):
                    return True
                rests = before is not None and chat.file.text != before
                left = min(deadline - loop.time(), self._patience.rest) if rests else deadline - loop.time()
                if left <= 0:
                    return False
                try:
                    await asyncio.wait_for(changed.wait(), left)
                except asyncio.TimeoutError:
                    return False
        finally:
            self._waiting[key].discard(changed)
            if not self._waiting[key]:
                del self._waiting[key]


def _never(file: ChatFile) -> bool:
    return False
