"""Edits of a chat file that the session shows: computed in its text as it is, sent with its version, and seen to arrive.

A client may say that an edit is made and not have made it, because its user typed meanwhile (Neovim), or tell of it only later.
So an edit counts once the document's text shows it; until then no other is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from khoj_ls.chat.chat_file import Change, ChatFile
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

        False where `planned` gives None, the file is gone or closed, or the client refused twice.
        """
        for _ in range(_TRIES):
            chat = open_chat(self._server, uri)
            changes = planned(chat.file) if chat else None
            if chat is None or changes is None:
                return False
            if not changes:
                return True
            if await self._apply(chat, changes, label):
                patience = self._patience.versioned if self._versioned else self._patience.unversioned
                if await self._until(uri, shown, patience):
                    return True
                if not self._versioned:  # it may yet be made, and then stand there twice
                    return False
            else:
                await self._until(uri, partial(_differs, chat.file.text), self._patience.changed)
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

    async def _until(self, uri: str, shown: Shown, seconds: float) -> bool:
        """Wait until the file is as `shown` wants it, at most so long, and not once it is closed."""
        changed, key = asyncio.Event(), key_of(uri)
        self._waiting.setdefault(key, set()).add(changed)
        try:
            deadline = asyncio.get_running_loop().time() + seconds
            while True:
                changed.clear()
                chat = open_chat(self._server, uri)
                if chat is None:
                    return False
                if shown(chat.file):
                    return True
                left = deadline - asyncio.get_running_loop().time()
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


def _differs(text: str, file: ChatFile) -> bool:
    return file.text != text
