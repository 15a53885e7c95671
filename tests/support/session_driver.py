"""A session in this process, without a wire: handlers are called as the protocol calls them, hundreds of times a second."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from lsprotocol import types
from pytest_lsp import client_capabilities

from khoj_ls.config.paths import folders
from khoj_ls.config.settings import Settings
from khoj_ls.lsp.build import create_server
from khoj_ls.lsp.text_document import NoteWorkspace
from khoj_ls.vaults import OpenVaults


class Session:
    """One editor with some open documents; `home` must be set up."""

    def __init__(
        self, root: Path, profile: str = "visual-studio-code", encoding: str = "utf-16", settings: Settings | None = None
    ):
        self.vaults = OpenVaults(settings or Settings(), folders(), watch=False)
        self.root = root.resolve()
        self.vault = self.vaults.open(self.root, exact=True)
        self.server = create_server(self.vaults)
        self.server.session.roots.append(self.root)
        self.loop = asyncio.new_event_loop()
        self.server.loop = self.loop
        self.server.protocol.client_capabilities = client_capabilities(profile)
        self.encode(encoding)

    def encode(self, encoding: str) -> None:
        """Speak another position encoding from now on; nothing is open then."""
        sync = types.TextDocumentSyncKind.Incremental
        self.server.protocol._workspace = NoteWorkspace(self.root.as_uri(), sync, [], encoding)

    def index(self, *, meaning: bool = False) -> None:
        """Bring the words of all notes into the index, and their meaning too if that is wanted."""
        self.vault.index(wait=meaning)
        deadline = time.monotonic() + 60
        while not meaning and self.vault.status().phase in ("scan", "words") and time.monotonic() < deadline:
            time.sleep(0.01)  # between two looks: status is asked, it does not call back

    def open(self, path: str, text: str | None = None) -> str:
        """Open a document; its URI."""
        file = self.root / path
        text = file.read_bytes().decode(errors="replace") if text is None else text
        item = types.TextDocumentItem(uri=file.as_uri(), language_id="markdown", version=1, text=text)
        self.server.workspace.put_text_document(item)
        return file.as_uri()

    def ask(self, method: str, params):
        """The answer of the handler of `method`."""

        async def run():
            answer = self.server.protocol.fm.features[method](params)
            return await answer if asyncio.iscoroutine(answer) else answer

        return self.loop.run_until_complete(run())

    def at(self, method: str, kind: type, path: str, line: int, character: int, **more):
        """The answer at a place in a document."""
        document = types.TextDocumentIdentifier(uri=(self.root / path).as_uri())
        return self.ask(method, kind(text_document=document, position=types.Position(line=line, character=character), **more))

    def close(self) -> None:
        self.server.release_all()
        self.vaults.close()
        # What was begun and not asked for any more: a loop that closes over it would leave it behind, never run.
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left))
        self.loop.close()
